package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.app.demo.Ladder.Leg;
import io.sippbx.app.demo.Ladder.Row;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LadderTest {

  private static final Flow FLOW =
      Flow.udp(Endpoint.of("127.0.0.1", 5060), Endpoint.of("127.0.0.1", 5070));
  private static final Instant NOW = Instant.parse("2026-01-01T10:00:00Z");

  private final Ladder ladder = new Ladder();

  private static byte[] message(String startLine, String cSeq, String more, String body) {
    String text =
        startLine
            + "\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
            + "From: <sip:alice@pbx.demo>;tag=a\r\nTo: <sip:bob@pbx.demo>\r\nCall-ID: 1\r\nCSeq: "
            + cSeq
            + "\r\n"
            + more
            + "Content-Length: "
            + body.length()
            + "\r\n\r\n"
            + body;
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private String label(byte[] octets) {
    ladder.tracer(Leg.CALLER).sent(octets, FLOW, NOW);
    return ((Row.Message) ladder.rows().getLast()).label();
  }

  @ParameterizedTest
  @CsvSource({
    "OPTIONS sip:bob@pbx.demo SIP/2.0, 1 OPTIONS, OPTIONS",
    "SIP/2.0 180 Ringing, 2 INVITE, 180 Ringing",
    "SIP/2.0 200 OK, 3 BYE, 200 OK to BYE",
    "SIP/2.0 486 Busy Here, 4 INVITE, 486 Busy Here"
  })
  void saysWhatAMessageIs(String startLine, String cSeq, String label) {
    assertThat(label(message(startLine, cSeq, "", ""))).isEqualTo(label);
  }

  @Test
  void saysWhatAnInviteCarries() {
    byte[] invite =
        message(
            "INVITE sip:bob@pbx.demo SIP/2.0",
            "1 INVITE",
            "Proxy-Authorization: Digest username=\"alice\"\r\nContent-Type: application/sdp\r\n",
            String.join(
                "\r\n",
                "v=0",
                "o=a 1 1 IN IP4 127.0.0.1",
                "s=-",
                "c=IN IP4 127.0.0.1",
                "t=0 0",
                "m=audio 4000 RTP/AVP 0",
                "a=sendonly",
                ""));
    assertThat(label(invite)).isEqualTo("INVITE (digest, SDP sendonly)");
  }

  @Test
  void tellsAnInviteWithinTheCallFromTheFirst() {
    String first =
        new String(
            message("INVITE sip:bob@pbx.demo SIP/2.0", "2 INVITE", "", ""), StandardCharsets.UTF_8);
    byte[] within =
        first
            .replace("To: <sip:bob@pbx.demo>", "To: <sip:bob@pbx.demo>;tag=b")
            .getBytes(StandardCharsets.UTF_8);
    assertThat(label(within)).isEqualTo("re-INVITE");
  }

  @Test
  void showsWhatIsNoMessage() {
    assertThat(label("hello\r\n\r\n".getBytes(StandardCharsets.UTF_8))).startsWith("malformed");
  }

  @Test
  void putsBothLegsInTheOrderOfTime() {
    byte[] octets = message("SIP/2.0 180 Ringing", "2 INVITE", "", "");
    ladder.tracer(Leg.CALLEE).sent(octets, FLOW, NOW.plusMillis(2));
    ladder.tracer(Leg.CALLER).received(octets, FLOW, NOW.plusMillis(3));
    ladder.note(NOW.plusMillis(1), "first");
    assertThat(ladder.rows())
        .containsExactly(
            new Row.Note(NOW.plusMillis(1), "first"),
            new Row.Message(NOW.plusMillis(2), Leg.CALLEE, true, "180 Ringing"),
            new Row.Message(NOW.plusMillis(3), Leg.CALLER, false, "180 Ringing"));
  }

  @Test
  void countsWhatItHasNoRoomFor() {
    for (int i = 0; i < 503; i++) {
      ladder.note(NOW, "again");
    }
    assertThat(ladder.rows()).hasSize(500);
    assertThat(ladder.leftOut()).isEqualTo(3);
  }
}
