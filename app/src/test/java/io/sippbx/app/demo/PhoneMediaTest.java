package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.Direction;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhoneMediaTest {

  private static SipMessage carrying(String type, byte[] body) {
    return SipResponse.builder(200)
        .via(Via.parse("SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1").orElseThrow())
        .from(NameAddr.of(SipUri.of("alice", "pbx.demo")))
        .to(NameAddr.of(SipUri.of("bob", "pbx.demo")))
        .callId(new CallId("1"))
        .cSeq(new CSeq(1, Method.INVITE))
        .body(type, body)
        .build();
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, SENDRECV", "::1, SENDONLY", "2001:db8::7, INACTIVE"})
  void readsWhatItWrites(String ip, Direction direction) {
    var media = new PhoneMedia(Endpoint.of(ip, 4_000), direction);
    assertThat(PhoneMedia.read(carrying("application/sdp", media.body("alice", 7, 1))))
        .contains(media);
  }

  @Test
  void countsTheVersionOfTheSession() {
    var media = new PhoneMedia(Endpoint.of("127.0.0.1", 4_000), Direction.SENDRECV);
    assertThat(new String(media.body("alice", 7, 3), StandardCharsets.UTF_8))
        .startsWith("v=0\r\no=alice 7 3 IN IP4 127.0.0.1\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "m=audio 0 RTP/AVP 0",
        "m=audio 4000 RTP/AVP 8",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0",
        "a=nothing"
      })
  void findsNoAudioThatItCouldUse(String last) {
    String text = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
    byte[] body = (text + last + "\r\n").getBytes(StandardCharsets.UTF_8);
    assertThat(PhoneMedia.read(carrying("application/sdp", body))).isEmpty();
  }

  @Test
  void readsNoOtherBody() {
    var media = new PhoneMedia(Endpoint.of("127.0.0.1", 4_000), Direction.SENDRECV);
    assertThat(PhoneMedia.read(carrying("text/plain", media.body("alice", 7, 1)))).isEmpty();
    assertThat(PhoneMedia.read(carrying("application/sdp", new byte[] {'x'}))).isEmpty();
  }
}
