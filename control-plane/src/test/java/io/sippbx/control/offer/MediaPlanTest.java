package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.addresses;
import static io.sippbx.control.offer.Sdps.peer;
import static io.sippbx.control.offer.Sdps.sdp;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.PayloadForm;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("what the media node is told")
class MediaPlanTest {

  private static final String AUDIO =
      "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n";
  private static final String VIDEO = "m=video 4002 RTP/AVP 96\na=rtpmap:96 H264/90000\n";

  private static final SessionDescription A = peer("192.0.2.1", AUDIO);
  private static final SessionDescription B = peer("198.51.100.2", "m=audio 5000 RTP/AVP 8\n");
  private static final MediaPlan NONE = MediaPlan.none(false, false);
  private static final MediaPlan AGREED = NONE.offered(End.A, A).agreed(A, B);

  private static StreamSpec first(MediaPlan plan) {
    return plan.streams().getFirst();
  }

  private static List<Integer> indices(MediaPlan plan) {
    return plan.streams().stream().map(StreamSpec::index).toList();
  }

  @Nested
  class SettingUp {
    @Test
    void opensBothEndsFromTheCallersOfferAlone() {
      MediaPlan plan = NONE.offered(End.A, A);
      assertThat(plan.streams())
          .containsExactly(
              StreamSpec.rtp(
                  0,
                  "audio",
                  new StreamEnd(
                      false,
                      Optional.of(Endpoint.of("192.0.2.1", 4000)),
                      Optional.empty(),
                      false,
                      true,
                      true,
                      List.of(0, 8, 101),
                      0,
                      0),
                  new StreamEnd(
                      false,
                      Optional.empty(),
                      Optional.empty(),
                      false,
                      true,
                      true,
                      List.of(0, 8, 101),
                      0,
                      0)));
    }

    @Test
    void repeatingTheOfferChangesNothing() {
      MediaPlan plan = NONE.offered(End.A, A);
      assertThat(plan.offered(End.A, A)).isEqualTo(plan);
    }

    @Test
    void opensNothingWithoutAnOffer() {
      assertThat(NONE.streams()).isEmpty();
    }

    @Test
    void opensBothEndsFromTheCalleesOfferWhenTheInviteHadNone() {
      MediaPlan plan = MediaPlan.none(true, false).offered(End.B, B);
      assertThat(first(plan).b().remoteRtp()).contains(Endpoint.of("198.51.100.2", 5000));
      assertThat(first(plan).a().remoteRtp()).isEmpty();
      assertThat(first(plan).a().v6()).isTrue();
      assertThat(plan.agreed(A, B).streams().getFirst().a().remoteRtp())
          .contains(Endpoint.of("192.0.2.1", 4000));
    }

    @Test
    void takesTheIpVersionFromTheAddressThatWasSaid() {
      MediaPlan plan = MediaPlan.none(false, false).offered(End.A, peer("2001:db8::1", AUDIO));
      assertThat(first(plan).a().v6()).isTrue();
      assertThat(first(plan).b().v6()).isFalse();
    }

    @Test
    void isWhatBothAccepted() {
      StreamSpec stream = first(AGREED);
      assertThat(stream.a().payloadTypes()).containsExactly(8);
      assertThat(stream.b().payloadTypes()).containsExactly(8);
      assertThat(stream.b().remoteRtp()).contains(Endpoint.of("198.51.100.2", 5000));
      assertThat(stream.a().latchEpoch()).as("A has not moved").isZero();
      assertThat(stream.b().latchEpoch()).as("B is known now").isEqualTo(1);
      assertThat(AGREED.agreed(A, B)).isEqualTo(AGREED);
    }

    @Test
    void leavesRejectedLinesOutAndKeepsIndices() {
      SessionDescription a = peer("192.0.2.1", "m=video 0 RTP/AVP 31\n" + AUDIO + VIDEO);
      SessionDescription b =
          peer(
              "198.51.100.2",
              "m=video 0 RTP/AVP 31\nm=audio 5000 RTP/AVP 0\nm=video 0 RTP/AVP 96\n");
      MediaPlan plan = NONE.offered(End.A, a);
      assertThat(indices(plan)).containsExactly(1, 2);
      assertThat(indices(plan.early(a, b)))
          .as("early: no port is given back")
          .containsExactly(1, 2);
      StreamSpec video = plan.early(a, b).streams().getLast();
      assertThat(video.a().maySend() || video.b().maySend()).isFalse();
      assertThat(video.a().wantsReceive() || video.b().wantsReceive()).isFalse();
      assertThat(indices(plan.agreed(a, b))).containsExactly(1);
    }

    @Test
    void leavesOutWhatCannotBeRelayed() {
      SessionDescription a =
          sdp(
              """
              v=0
              o=x 1 1 IN IP4 192.0.2.1
              s=-
              c=IN IP4 192.0.2.1
              t=0 0
              m=message 7654 TCP/MSRP *
              m=audio 4000 RTP/AVP 0
              c=IN IP4 224.2.1.1/127
              m=audio 4000 RTP/AVP 0
              c=IN IP4 host.example.com
              m=image 4002 udptl t38
              """);
      MediaPlan plan = NONE.offered(End.A, a);
      assertThat(indices(plan)).containsExactly(3);
      assertThat(first(plan).media()).isEqualTo("image");
      assertThat(first(plan).a().payloadTypes()).as("any").isEmpty();
    }
  }

  @Nested
  class Forking {
    private final SessionDescription other = peer("198.51.100.3", "m=audio 6000 RTP/AVP 0\n");

    @Test
    void pointsToAnotherDialogsAnswer() {
      MediaPlan early = NONE.offered(End.A, A).early(A, B);
      MediaPlan again = early.early(A, other);
      assertThat(first(again).b().remoteRtp()).contains(Endpoint.of("198.51.100.3", 6000));
      assertThat(first(again).b().latchEpoch()).isEqualTo(first(early).b().latchEpoch() + 1);
      assertThat(first(again).a()).isEqualTo(endWithTypes(first(early).a(), List.of(0)));
      MediaPlan won = again.agreed(A, B);
      assertThat(first(won).b().remoteRtp()).contains(Endpoint.of("198.51.100.2", 5000));
      assertThat(first(won).b().latchEpoch()).isEqualTo(first(again).b().latchEpoch() + 1);
    }

    @Test
    void forgetsACalleeForAnother() {
      MediaPlan plan = NONE.offered(End.A, A).early(A, B).forgetting(End.B);
      assertThat(first(plan).b().remoteRtp()).isEmpty();
      assertThat(first(plan).b().maySend()).isTrue();
      assertThat(first(plan).b().latchEpoch()).isEqualTo(2);
      assertThat(first(plan).a().latchEpoch()).isZero();
    }

    private StreamEnd endWithTypes(StreamEnd end, List<Integer> types) {
      return new StreamEnd(
          end.v6(),
          end.remoteRtp(),
          end.remoteRtcp(),
          end.rtcpMux(),
          end.maySend(),
          end.wantsReceive(),
          types,
          end.latchEpoch(),
          end.pinnedPort());
    }
  }

  @Nested
  class Rtcp {
    @ParameterizedTest
    @CsvSource({"true, true, true", "true, false, false", "false, true, false"})
    void sharesThePortOnlyWhereBothSaySo(boolean inA, boolean inB, boolean shared) {
      String mux = "a=rtcp-mux\n";
      SessionDescription a = peer("192.0.2.1", AUDIO + (inA ? mux : ""));
      SessionDescription b = peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\n" + (inB ? mux : ""));
      MediaPlan open = NONE.offered(End.A, a);
      assertThat(first(open).a().rtcpMux()).isFalse();
      MediaPlan agreed = open.agreed(a, b);
      assertThat(first(agreed).a().rtcpMux()).isEqualTo(shared);
      assertThat(first(agreed).b().rtcpMux()).isEqualTo(shared);
    }

    @Test
    void isWhereItWasSaidUnlessItSharesThePort() {
      SessionDescription a = peer("192.0.2.1", AUDIO + "a=rtcp:4009\na=rtcp-mux\n");
      SessionDescription b = peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\n");
      MediaPlan open = NONE.offered(End.A, a);
      assertThat(first(open.agreed(a, b)).a().remoteRtcp())
          .contains(Endpoint.of("192.0.2.1", 4009));
      MediaPlan muxed =
          open.agreed(a, peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\na=rtcp-mux\n"));
      assertThat(first(muxed).a().remoteRtcp()).isEmpty();
      assertThat(first(muxed).a().latchEpoch()).as("its RTP is where it was").isZero();
    }

    @Test
    void isOnAPortOfItsOwnAgainWhenAnOfferDoesNotShareIt() {
      SessionDescription a = peer("192.0.2.1", AUDIO + "a=rtcp-mux\n");
      SessionDescription b = peer("198.51.100.2", "m=audio 5000 RTP/AVP 0\na=rtcp-mux\n");
      MediaPlan open = NONE.offered(End.A, a).agreed(a, b).offered(End.A, A);
      assertThat(first(open).a().rtcpMux()).isFalse();
      assertThat(first(open).b().rtcpMux()).isFalse();
    }
  }

  @Nested
  class Directions {
    @ParameterizedTest
    @CsvSource({
      "sendrecv, sendrecv, true, true, true, true",
      "sendonly, recvonly, true, false, false, true",
      "recvonly, sendonly, false, true, true, false",
      "inactive, inactive, false, false, false, false",
      "sendonly, sendrecv, true, false, false, true",
      "sendonly, inactive, false, false, false, false",
    })
    void areWhatBothAllow(
        String a, String b, boolean aSends, boolean aReceives, boolean bSends, boolean bReceives) {
      MediaPlan plan =
          AGREED.agreed(
              peer("192.0.2.1", AUDIO + "a=" + a + "\n"),
              peer("198.51.100.2", "m=audio 5000 RTP/AVP 8\na=" + b + "\n"));
      assertThat(first(plan).a().maySend()).isEqualTo(aSends);
      assertThat(first(plan).a().wantsReceive()).isEqualTo(aReceives);
      assertThat(first(plan).b().maySend()).isEqualTo(bSends);
      assertThat(first(plan).b().wantsReceive()).isEqualTo(bReceives);
      assertThat(first(plan).a().latchEpoch()).as("nobody has moved").isZero();
    }

    @Test
    void anEndHeldByAddressStillSendsFromWhereItWasAndResumesWithoutLatchingAgain() {
      SessionDescription zero = peer("0.0.0.0", "m=audio 4000 RTP/AVP 0 8\n");
      MediaPlan held = AGREED.offered(End.A, zero).agreed(zero, B);
      StreamEnd a = first(held).a();
      assertThat(a.remoteRtp()).contains(Endpoint.of("192.0.2.1", 4000));
      assertThat(a.wantsReceive()).isFalse();
      assertThat(a.maySend()).isTrue();
      assertThat(first(held).b().maySend()).isFalse();
      assertThat(held.offered(End.A, A).agreed(A, B).streams()).isEqualTo(AGREED.streams());
    }

    @Test
    void anEndThatNeverSaidAnAddressIsNotLatchedTo() {
      SessionDescription zero = peer("0.0.0.0", "m=audio 4000 RTP/AVP 0 8\n");
      StreamEnd a = first(NONE.offered(End.A, zero)).a();
      assertThat(a.remoteRtp()).isEmpty();
      assertThat(a.maySend()).isFalse();
      assertThat(a.wantsReceive()).isFalse();
    }
  }

  @Nested
  @DisplayName("payload types (RFC 3264 5.1, 6.1)")
  class PayloadTypes {
    @Test
    void areThoseOfBothEndsForWhatBothHave() {
      SessionDescription a =
          peer(
              "192.0.2.1",
              "m=audio 4 RTP/AVP 0 96 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 iLBC/8000\n");
      SessionDescription b =
          peer("198.51.100.2", "m=audio 5 RTP/AVP 111\na=rtpmap:111 OPUS/48000/2\n");
      assertThat(first(NONE.agreed(a, b)).a().payloadTypes()).containsExactly(96, 111);
    }

    @Test
    void areThoseOfBeforeAndOfTheOfferWhileItIsOpen() {
      SessionDescription reoffer = peer("192.0.2.1", "m=audio 4000 RTP/AVP 18 8\n");
      MediaPlan open = AGREED.offered(End.A, reoffer);
      assertThat(first(open).a().payloadTypes()).containsExactly(8, 18);
      assertThat(first(open).b().payloadTypes()).containsExactly(8, 18);
      assertThat(open.agreed(A, B).streams()).as("refused").isEqualTo(AGREED.streams());
    }
  }

  @Nested
  class OffersInTheCall {
    @Test
    void openPortsForNewLinesAndKeepWhatIsAgreed() {
      SessionDescription more = peer("192.0.2.9", AUDIO + VIDEO);
      MediaPlan open = AGREED.offered(End.A, more);
      assertThat(indices(open)).containsExactly(0, 1);
      assertThat(first(open).a().remoteRtp()).contains(Endpoint.of("192.0.2.1", 4000));
      assertThat(open.streams().getLast().a().remoteRtp()).contains(Endpoint.of("192.0.2.9", 4002));
      assertThat(indices(open.agreed(A, B))).as("refused").containsExactly(0);
      MediaPlan agreed =
          open.agreed(
              more, peer("198.51.100.2", "m=audio 5000 RTP/AVP 8\nm=video 5002 RTP/AVP 96\n"));
      assertThat(first(agreed).a().latchEpoch()).isGreaterThan(first(AGREED).a().latchEpoch());
      assertThat(first(agreed).b()).isEqualTo(first(AGREED).b());
    }

    @Test
    void keepALineUntilItsEndIsAgreed() {
      SessionDescription off = peer("192.0.2.1", "m=audio 0 RTP/AVP 0\n" + VIDEO);
      MediaPlan open = AGREED.offered(End.A, off);
      assertThat(indices(open)).containsExactly(0, 1);
      SessionDescription answer =
          peer("198.51.100.2", "m=audio 0 RTP/AVP 0\nm=video 5002 RTP/AVP 96\n");
      MediaPlan agreed = open.agreed(off, answer);
      assertThat(indices(agreed)).containsExactly(1);
      // The slot is used again: nothing of the old stream's latching may count.
      MediaPlan again = agreed.offered(End.A, peer("192.0.2.1", AUDIO + VIDEO));
      assertThat(first(again).a().latchEpoch()).isGreaterThan(AGREED.lastEpoch());
    }

    @Test
    void surviveWithFewerLines() {
      SessionDescription a = peer("192.0.2.1", AUDIO + VIDEO);
      SessionDescription b =
          peer("198.51.100.2", "m=audio 5000 RTP/AVP 8\nm=video 5002 RTP/AVP 96\n");
      MediaPlan both = NONE.offered(End.A, a).agreed(a, b);
      assertThat(indices(both.offered(End.A, A))).containsExactly(0, 1);
      assertThat(indices(both.offered(End.A, A).agreed(A, B))).containsExactly(0);
    }

    @Test
    void openAPortOfTheOtherIpVersionForWhoMovesToIt() {
      SessionDescription six = peer("2001:db8::1", AUDIO);
      MediaPlan open = AGREED.offered(End.A, six);
      assertThat(first(open).a().v6()).isTrue();
      assertThat(first(open).a().latchEpoch()).isGreaterThan(AGREED.lastEpoch());
      assertThat(first(open).b().v6()).isFalse();
    }

    @Test
    void turnAudioIntoAFaxInTheSameLine() {
      SessionDescription fax = peer("192.0.2.1", "m=image 4000 udptl t38\n");
      SessionDescription faxToo = peer("198.51.100.2", "m=image 5000 udptl t38\n");
      MediaPlan agreed = AGREED.offered(End.A, fax).agreed(fax, faxToo);
      assertThat(first(agreed).media()).isEqualTo("image");
      assertThat(first(agreed).a().payloadTypes()).isEmpty();
      assertThat(first(agreed).form()).isEqualTo(PayloadForm.DATAGRAMS);
      assertThat(agreed.offered(End.A, A).agreed(A, B).streams()).isEqualTo(AGREED.streams());
    }

    @Test
    void goOnWithTheVoiceWhileTheFaxIsNotAgreed() {
      SessionDescription fax = peer("192.0.2.1", "m=image 4000 udptl t38\n");
      MediaPlan pending = AGREED.offered(End.A, fax);
      assertThat(pending.streams()).isEqualTo(AGREED.streams());
      assertThat(pending.agreed(A, B).streams()).as("refused").isEqualTo(AGREED.streams());
    }

    @Test
    void letKeysBeAgreedByDtlsAsSoonAsTheyAreOffered() {
      SessionDescription secure = peer("192.0.2.1", "m=audio 4000 UDP/TLS/RTP/SAVPF 0 8 101\n");
      MediaPlan pending = AGREED.offered(End.A, secure);
      assertThat(first(pending).form()).isEqualTo(PayloadForm.DTLS_SRTP);
      assertThat(first(pending.agreed(A, B)).form()).isEqualTo(PayloadForm.RTP);
    }
  }

  @Nested
  class Nodes {
    @Test
    void latchAgainAfterAMove() {
      MediaPlan moved = AGREED.moved();
      assertThat(first(moved).a().latchEpoch()).isEqualTo(AGREED.lastEpoch() + 1);
      assertThat(first(moved).b().latchEpoch()).isEqualTo(AGREED.lastEpoch() + 1);
      assertThat(first(moved).a().pinnedPort()).isZero();
    }

    @Test
    void comeBackOnThePortsThatWereTold() {
      MediaPlan restored = AGREED.restored(addresses(1));
      assertThat(first(restored).a().pinnedPort()).isEqualTo(10_000);
      assertThat(first(restored).b().pinnedPort()).isEqualTo(20_000);
      assertThat(first(restored.agreed(A, B)).a().pinnedPort()).isEqualTo(10_000);
      assertThat(first(restored.moved()).a().pinnedPort()).isZero();
    }
  }
}
