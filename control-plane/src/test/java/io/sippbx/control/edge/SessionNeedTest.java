package io.sippbx.control.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SessionNeedTest {

  private static final String TWO_LINES = "m=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 97\n";

  private static SipRequest invite(String body) {
    SipRequest.Builder invite =
        SipRequest.builder(Method.INVITE, SipUri.of("bob", "192.0.2.9"))
            .via(
                Via.of(
                    TransportProtocol.UDP, Endpoint.of("192.0.2.1", 5060), new Branch("z9hG4bK-1")))
            .maxForwards(70)
            .from(NameAddr.of(SipUri.of("alice", "192.0.2.1")).withTag(new Tag("a")))
            .to(NameAddr.of(SipUri.of("bob", "192.0.2.9")))
            .callId(new CallId("1"))
            .cSeq(new CSeq(1, Method.INVITE));
    return body.isEmpty()
        ? invite.build()
        : invite.body("application/sdp", body.getBytes(StandardCharsets.US_ASCII)).build();
  }

  private static String offer(String family, String ip, String lines) {
    String connection = "IN IP" + family + " " + ip + "\n";
    return ("v=0\no=a 1 1 " + connection + "s=-\nc=" + connection + "t=0 0\n" + lines)
        .replace("\n", "\r\n");
  }

  @Test
  void isAPairForEachEndOfEachLineOfTheOffer() {
    assertThat(SessionNeed.of(invite(offer("4", "192.0.2.1", TWO_LINES)), false, false))
        .isEqualTo(new MediaNeed(4, 0));
    assertThat(SessionNeed.of(invite(offer("4", "192.0.2.1", TWO_LINES)), false, true))
        .isEqualTo(new MediaNeed(2, 2));
  }

  @Test
  void goesByTheAddressThatIsOfferedAndNotByThatOfTheSignalling() {
    assertThat(SessionNeed.of(invite(offer("6", "2001:db8::1", TWO_LINES)), false, false))
        .isEqualTo(new MediaNeed(2, 2));
  }

  @Test
  void isThatOfOneStreamWhereNothingIsOffered() {
    assertThat(SessionNeed.of(invite(""), false, false)).isEqualTo(new MediaNeed(2, 0));
    assertThat(SessionNeed.of(invite(""), true, false)).isEqualTo(new MediaNeed(1, 1));
    assertThat(SessionNeed.of(invite("nonsense"), true, true)).isEqualTo(new MediaNeed(0, 2));
    String rejected = offer("4", "192.0.2.1", "m=audio 0 RTP/AVP 0\n");
    assertThat(SessionNeed.of(invite(rejected), false, false)).isEqualTo(new MediaNeed(2, 0));
  }
}
