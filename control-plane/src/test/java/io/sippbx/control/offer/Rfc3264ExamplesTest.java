package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.addresses;
import static io.sippbx.control.offer.Sdps.leg;
import static io.sippbx.control.offer.Sdps.sdp;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.SessionDescription;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The exchanges of RFC 3264 10, and one after RFC 4317, with addresses in place of names and two
 * legs in place of one dialog.
 */
@DisplayName("the examples of RFC 3264 10")
class Rfc3264ExamplesTest {

  private static final SessionDescription ALICE =
      sdp(
          """
          v=0
          o=alice 2890844526 2890844526 IN IP4 192.0.2.1
          s=
          c=IN IP4 192.0.2.1
          t=0 0
          m=audio 49170 RTP/AVP 0
          a=rtpmap:0 PCMU/8000
          m=video 51372 RTP/AVP 31
          a=rtpmap:31 H261/90000
          m=video 53000 RTP/AVP 32
          a=rtpmap:32 MPV/90000
          """);

  private static final SessionDescription BOB =
      sdp(
          """
          v=0
          o=bob 2890844730 2890844730 IN IP4 198.51.100.2
          s=
          c=IN IP4 198.51.100.2
          t=0 0
          m=audio 49920 RTP/AVP 0
          a=rtpmap:0 PCMU/8000
          m=video 0 RTP/AVP 31
          m=video 53000 RTP/AVP 32
          a=rtpmap:32 MPV/90000
          """);

  @Test
  @DisplayName("10.1 basic exchange, and a stream that is added later")
  void basicExchange() {
    MediaPlan plan = MediaPlan.none(false, false).offered(End.A, ALICE);
    assertThat(plan.streams()).extracting(StreamSpec::index).containsExactly(0, 1, 2);
    LegSdp toBob = leg(End.B).offering(ALICE, addresses(3), CodecPriority.NONE);
    assertThat(toBob.body().toString())
        .isEqualTo(
            """
            v=0
            o=- 2002 1 IN IP4 203.0.113.9
            s=-
            c=IN IP4 203.0.113.20
            t=0 0
            m=audio 20000 RTP/AVP 0
            a=rtpmap:0 PCMU/8000
            m=video 20010 RTP/AVP 31
            a=rtpmap:31 H261/90000
            m=video 20020 RTP/AVP 32
            a=rtpmap:32 MPV/90000
            """);

    AnswerCheck check = AnswerCheck.of(toBob.body(), BOB);
    assertThat(check.outcome()).isEqualTo(AnswerCheck.Outcome.FITS);
    assertThat(check.lines())
        .containsExactly(
            AnswerCheck.Line.ACCEPTED, AnswerCheck.Line.REJECTED, AnswerCheck.Line.ACCEPTED);
    plan = plan.agreed(ALICE, check.usable());
    assertThat(plan.streams()).extracting(StreamSpec::index).containsExactly(0, 2);
    LegSdp toAlice = leg(End.A).answering(check.usable(), ALICE, addresses(3));
    assertThat(toAlice.body().toString())
        .isEqualTo(
            """
            v=0
            o=- 1001 1 IN IP4 203.0.113.9
            s=-
            c=IN IP4 203.0.113.10
            t=0 0
            m=audio 10000 RTP/AVP 0
            a=rtpmap:0 PCMU/8000
            m=video 0 RTP/AVP 31
            m=video 10020 RTP/AVP 32
            a=rtpmap:32 MPV/90000
            """);

    // Bob moves his audio port and adds telephone events that he receives only.
    SessionDescription bobAgain =
        sdp(
            """
            v=0
            o=bob 2890844730 2890844731 IN IP4 198.51.100.2
            s=
            c=IN IP4 198.51.100.2
            t=0 0
            m=audio 65422 RTP/AVP 0
            a=rtpmap:0 PCMU/8000
            m=video 0 RTP/AVP 31
            m=video 53000 RTP/AVP 32
            a=rtpmap:32 MPV/90000
            m=audio 51434 RTP/AVP 110
            a=rtpmap:110 telephone-events/8000
            a=recvonly
            """);
    MediaPlan open = plan.offered(End.B, bobAgain);
    assertThat(open.streams()).extracting(StreamSpec::index).containsExactly(0, 2, 3);
    assertThat(open.streams().getFirst().b().remoteRtp())
        .as("what was agreed goes on until the answer")
        .contains(Endpoint.of("198.51.100.2", 49920));
    toAlice = toAlice.offering(bobAgain, addresses(4), CodecPriority.NONE);
    assertThat(toAlice.version()).isEqualTo(2);
    assertThat(toAlice.body().toString())
        .contains("m=video 0 RTP/AVP 31\n")
        .contains("m=audio 10030 RTP/AVP 110\na=rtpmap:110 telephone-events/8000\na=recvonly\n");

    SessionDescription aliceAgain =
        sdp(
            """
            v=0
            o=alice 2890844526 2890844527 IN IP4 192.0.2.1
            s=
            c=IN IP4 192.0.2.1
            t=0 0
            m=audio 49170 RTP/AVP 0
            a=rtpmap:0 PCMU/8000
            m=video 0 RTP/AVP 31
            a=rtpmap:31 H261/90000
            m=video 53000 RTP/AVP 32
            a=rtpmap:32 MPV/90000
            m=audio 53122 RTP/AVP 110
            a=rtpmap:110 telephone-events/8000
            a=sendonly
            """);
    AnswerCheck second = AnswerCheck.of(toAlice.body(), aliceAgain);
    assertThat(second.outcome()).isEqualTo(AnswerCheck.Outcome.FITS);
    MediaPlan agreed = open.agreed(second.usable(), bobAgain);
    assertThat(agreed.streams()).extracting(StreamSpec::index).containsExactly(0, 2, 3);
    assertThat(agreed.streams().getFirst().b().remoteRtp())
        .contains(Endpoint.of("198.51.100.2", 65422));
    StreamSpec events = agreed.streams().getLast();
    assertThat(events.a().maySend()).isTrue();
    assertThat(events.a().wantsReceive()).isFalse();
    assertThat(events.b().maySend()).isFalse();
    assertThat(events.b().wantsReceive()).isTrue();
    assertThat(events.a().payloadTypes()).containsExactly(110);
  }

  @Test
  @DisplayName("10.2 one of N codecs: a second offer leaves the one that is used")
  void oneOfSeveralCodecs() {
    SessionDescription offer =
        Sdps.peer(
            "192.0.2.1",
            """
              m=audio 62986 RTP/AVP 0 4 18
              a=rtpmap:0 PCMU/8000
              a=rtpmap:4 G723/8000
              a=rtpmap:18 G729/8000
              a=inactive
              """);
    SessionDescription answer =
        Sdps.peer(
            "198.51.100.2",
            """
              m=audio 54344 RTP/AVP 0 4
              a=rtpmap:0 PCMU/8000
              a=rtpmap:4 G723/8000
              a=inactive
              """);
    LegSdp toBob = leg(End.B).offering(offer, addresses(1), CodecPriority.NONE);
    MediaPlan plan = MediaPlan.none(false, false).offered(End.A, offer).agreed(offer, answer);
    StreamSpec silent = plan.streams().getFirst();
    assertThat(silent.a().maySend() || silent.a().wantsReceive()).isFalse();
    assertThat(silent.b().maySend() || silent.b().wantsReceive()).isFalse();
    assertThat(silent.a().payloadTypes()).containsExactly(0, 4);

    SessionDescription second =
        Sdps.peer("192.0.2.1", "m=audio 62986 RTP/AVP 4\na=rtpmap:4 G723/8000\na=sendrecv\n");
    SessionDescription secondAnswer =
        Sdps.peer("198.51.100.2", "m=audio 54344 RTP/AVP 4\na=rtpmap:4 G723/8000\na=sendrecv\n");
    toBob = toBob.offering(second, addresses(1), CodecPriority.NONE);
    assertThat(toBob.version()).isEqualTo(2);
    MediaPlan flowing = plan.offered(End.A, second).agreed(second, secondAnswer);
    assertThat(flowing.streams().getFirst().a().payloadTypes()).containsExactly(4);
    assertThat(flowing.streams().getFirst().a().latchEpoch())
        .as("nobody has moved")
        .isEqualTo(silent.a().latchEpoch());
    assertThat(CodecName.of(secondAnswer)).contains("g723");
  }

  @Test
  @DisplayName("hold and resume, after RFC 4317 3.1")
  void holdAndUnhold() {
    SessionDescription a =
        Sdps.peer("192.0.2.1", "m=audio 49170 RTP/AVP 0 97\na=rtpmap:97 iLBC/8000\n");
    SessionDescription b =
        Sdps.peer("198.51.100.2", "m=audio 49172 RTP/AVP 97\na=rtpmap:97 iLBC/8000\n");
    MediaPlan plan = MediaPlan.none(false, false).offered(End.A, a).agreed(a, b);

    SessionDescription hold =
        Sdps.peer("198.51.100.2", "m=audio 49172 RTP/AVP 97\na=rtpmap:97 iLBC/8000\na=sendonly\n");
    LegSdp toAlice =
        leg(End.A).answering(b, a, addresses(1)).offering(hold, addresses(1), CodecPriority.NONE);
    assertThat(toAlice.body().toString()).endsWith("a=sendonly\n");
    // An old phone does not know directions: its answer is put right for Bob.
    LegSdp toBob =
        leg(End.B).offering(a, addresses(1), CodecPriority.NONE).answering(a, hold, addresses(1));
    assertThat(toBob.body().media().getFirst().direction().attribute()).isEqualTo("recvonly");
    MediaPlan held = plan.offered(End.B, hold).agreed(a, hold);
    assertThat(held.streams().getFirst().a().maySend()).isFalse();
    assertThat(held.streams().getFirst().a().wantsReceive()).isTrue();
    assertThat(held.streams().getFirst().b().maySend()).isTrue();
    assertThat(held.streams().getFirst().b().wantsReceive()).isFalse();

    MediaPlan resumed = held.offered(End.B, b).agreed(a, b);
    assertThat(resumed.streams()).isEqualTo(plan.streams());
  }
}
