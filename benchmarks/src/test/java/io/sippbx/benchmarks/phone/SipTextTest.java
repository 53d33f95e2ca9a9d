package io.sippbx.benchmarks.phone;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SipTextTest {

  private static final String SDP =
      "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 12000 RTP/AVP 0\r\n";
  private static final String OK =
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bKa.1\r\n"
          + "From: <sip:a@b>;tag=f\r\nTo: <sip:b@b>;tag=t\r\nCall-ID: c@a\r\nCSeq: 7 INVITE\r\n"
          + "Contact: <sip:b@127.0.0.1:5060>\r\nContent-Type: application/sdp\r\nContent-Length: "
          + SDP.length()
          + "\r\n\r\n"
          + SDP;

  @Test
  void readsWhatAPhoneNeeds() {
    SipText message = SipText.parse(OK.getBytes(UTF_8));
    assertThat(message.isRequest()).isFalse();
    assertThat(message.status()).isEqualTo(200);
    assertThat(message.method()).isEqualTo("INVITE");
    assertThat(message.cseq()).isEqualTo(7);
    assertThat(message.branch()).isEqualTo("z9hG4bKa.1");
    assertThat(message.tag("To")).contains("t");
    assertThat(message.contact()).contains("sip:b@127.0.0.1:5060");
    assertThat(message.audio()).contains(new SipText.MediaAddress("127.0.0.1", 12_000));
  }

  @Test
  void writesWhatItRead() {
    SipText message = SipText.parse(OK.getBytes(UTF_8));
    assertThat(SipText.parse(message.octets())).isEqualTo(message);
    assertThat(new String(message.octets(), UTF_8)).contains("Content-Length: " + SDP.length());
  }

  @Test
  void aDeclinedStreamIsNoAddress() {
    byte[] declined = OK.replace("m=audio 12000", "m=audio 0").getBytes(UTF_8);
    assertThat(SipText.parse(declined).audio()).isEmpty();
  }

  @Test
  void refusesWhatIsNoMessage() {
    assertThatThrownBy(() -> SipText.parse("SIP/2.0 200 OK\r\n".getBytes(UTF_8)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> SipText.parse("SIP/2.0 200 OK\r\nno field\r\n\r\n".getBytes(UTF_8)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 64, 1_000, 10_000})
  void cutsAConnectionIntoMessagesHoweverItsOctetsCome(int atOnce) {
    byte[] stream = (OK + "\r\n\r\n" + OK + OK.substring(0, 30)).getBytes(UTF_8);
    var framing = new Framing();
    List<SipText> found = new ArrayList<>();
    for (int from = 0; from < stream.length; from += atOnce) {
      framing.add(ByteBuffer.wrap(stream, from, Math.min(atOnce, stream.length - from)));
      for (var next = framing.next(); next.isPresent(); next = framing.next()) {
        found.add(next.get());
      }
    }
    SipText message = SipText.parse(OK.getBytes(UTF_8));
    assertThat(found).containsExactly(message, message);
  }
}
