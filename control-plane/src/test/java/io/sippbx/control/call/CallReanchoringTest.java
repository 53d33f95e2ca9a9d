package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.MediaPart.Anchor;
import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaAnswer.Refusal;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.StreamCounts;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("a call whose media node is lost, gone or drained")
class CallReanchoringTest {

  private static final String ALICE = Scene.offer("192.0.2.10", 40000);
  private static final String BOB = Scene.offer("192.0.2.20", 50000);
  private static final Member SELF = new Member(new NodeId("edge-1"), new Incarnation(7));
  private static final NodeId FIRST = Scene.MEDIA_NODE;
  private static final NodeId SECOND = new NodeId("media-2");
  private static final NodeId THIRD = new NodeId("media-3");
  private static final String FIRST_IP = "198.51.100.2";
  private static final String SECOND_IP = "198.51.100.3";

  private final Scene scene = new Scene();

  private MediaPart media() {
    return scene.call.orElseThrow().media();
  }

  private Reason reason() {
    return scene.call.orElseThrow().termination().orElseThrow().reason();
  }

  private void happens(MediaEvent event) {
    scene.apply(new Input.MediaHappened(event));
  }

  private void sessionLost() {
    happens(new MediaEvent.SessionLost(scene.key(), FIRST));
  }

  private void nodeLost(NodeId node) {
    happens(new MediaEvent.NodeLost(scene.key(), node));
  }

  private void draining() {
    happens(new MediaEvent.NodeDraining(scene.key(), FIRST));
  }

  private Effect.PlaceMedia asked() {
    return scene.last(Effect.PlaceMedia.class);
  }

  /** The place that was looked for is found, or not. */
  private void placed(Optional<NodeId> to) {
    Effect.PlaceMedia place = asked();
    scene.apply(new Input.MediaPlaced(place.from(), place.lost(), to));
  }

  private void placedOn(NodeId to) {
    placed(Optional.of(to));
    scene.mediaIp = "198.51.100." + (1 + Integer.parseInt(to.text().substring(6)));
  }

  private void refused(Refusal refusal) {
    scene.apply(
        new Input.MediaApplied(
            media().revision(), new MediaAnswer.Refused(refusal, "in a test", 0)));
  }

  /** Up, moved to the second node, which holds it: both legs are being asked. */
  private void moved() {
    scene.up();
    nodeLost(FIRST);
    placedOn(SECOND);
    scene.mediaHolds();
  }

  private List<SipRequest> invites() {
    return scene.all(Effect.Request.class).stream()
        .map(Effect.Request::request)
        .filter(request -> request.method().equals(Method.INVITE))
        .toList();
  }

  private SipRequest sentTo(Side side) {
    return scene.call.orElseThrow().renewals().stream()
        .filter(each -> each.side() == side)
        .findFirst()
        .flatMap(Renewal::sent)
        .orElseThrow();
  }

  private Scene answers(SipRequest request, int status, String sdp) {
    return answers(request, status, sdp, b -> b);
  }

  private Scene answers(
      SipRequest request, int status, String sdp, UnaryOperator<SipResponse.Builder> more) {
    return scene.response(Scene.answer(request, status, "", sdp, more), List.of());
  }

  private static String line(SipMessage message, String start) {
    return new String(message.body(), StandardCharsets.US_ASCII)
        .lines()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElse("");
  }

  private static long version(SipMessage message) {
    return Long.parseLong(line(message, "o=").split(" ")[2]);
  }

  private void settled() {
    assertThat(media().anchor()).isEqualTo(Anchor.FIRM);
    assertThat(media().former()).isEmpty();
    assertThat(scene.call.orElseThrow().renewals()).isEmpty();
    assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
  }

  private void formerReleased(NodeId node) {
    scene.apply(
        new Input.MediaReleased(
            node, media().revision(), new MediaAnswer.Unreachable("it is dead")));
  }

  @Nested
  @DisplayName("on a node that has started anew")
  class Restored {
    @Test
    void isHeldAgainOnThePortsThatTheLegsKnowAndNobodyIsTold() {
      scene.up();
      MediaPart before = media();
      sessionLost();
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      var apply = scene.last(Effect.ApplyMedia.class);
      assertThat(apply.node()).isEqualTo(FIRST);
      assertThat(apply.spec().revision()).isEqualTo(before.revision() + 1);
      assertThat(apply.spec().confirmed()).isTrue();
      var stream = apply.spec().streams().getFirst();
      assertThat(stream.a().pinnedPort()).isEqualTo(10_000);
      assertThat(stream.b().pinnedPort()).isEqualTo(10_002);
      assertThat(stream.a().latchEpoch())
          .isGreaterThan(before.plan().streams().getFirst().a().latchEpoch());
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      settled();
    }

    @Test
    void isHeldAgainBeforeItIsAnsweredToo() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "");
      sessionLost();
      assertThat(scene.last(Effect.ApplyMedia.class).spec().streams().getFirst().b().pinnedPort())
          .isEqualTo(10_002);
      scene.mediaHolds();
      scene.callee(0, 200, "bob", BOB);
      scene.mediaHolds();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK");
      settled();
    }

    @Test
    void isToldAgainWhatItWasToldWhereNobodyKnowsAnyPort() {
      scene.begin();
      long revision = media().revision();
      sessionLost();
      assertThat(scene.last(Effect.ApplyMedia.class).spec().revision()).isEqualTo(revision);
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE");
    }

    @Test
    void isToldOnceHoweverOftenItIsLost() {
      scene.up();
      sessionLost();
      long revision = media().revision();
      sessionLost();
      assertThat(media().revision()).isEqualTo(revision);
      assertThat(scene.all(Effect.ApplyMedia.class)).hasSize(1);
    }

    @Test
    void isRestoredWhenTheNodeSaysSoToAnOrdinaryApply() {
      scene.up();
      scene.apply(new Input.TakenOver());
      assertThat(scene.all(Effect.ApplyMedia.class)).hasSize(1);
      refused(Refusal.RESTORING);
      assertThat(media().anchor()).isEqualTo(Anchor.RESTORING);
      scene.mediaHolds();
      settled();
    }

    @Test
    void isAskedAgainWhenItDoesNotAnswer() {
      scene.up();
      sessionLost();
      scene.apply(
          new Input.MediaApplied(media().revision(), new MediaAnswer.Unreachable("in a test")));
      scene.fires(Kind.MEDIA, 0);
      scene.mediaHolds();
      settled();
    }

    @Test
    void isOpenedOnOtherPortsWhereOneIsTakenAndBothLegsAreTold() {
      scene.up();
      sessionLost();
      refused(Refusal.PORT_TAKEN);
      assertThat(asked().except()).isEmpty();
      placedOn(FIRST);
      scene.mediaIp = "198.51.100.9";
      var apply = scene.last(Effect.ApplyMedia.class);
      assertThat(apply.node()).isEqualTo(FIRST);
      assertThat(apply.spec().streams().getFirst().a().pinnedPort()).isZero();
      assertThat(media().former()).isEmpty();
      scene.mediaHolds();
      assertThat(invites()).hasSize(2);
    }

    @Test
    void isMovedWhereTheNodeHasEndedItItself() {
      scene.up();
      sessionLost();
      refused(Refusal.RELEASED);
      assertThat(asked().except()).containsExactly(FIRST);
      placedOn(SECOND);
      assertThat(media().node()).contains(SECOND);
    }

    @Test
    void isNotTouchedForAnotherNodesSake() {
      scene.up();
      happens(new MediaEvent.SessionLost(scene.key(), SECOND));
      happens(new MediaEvent.NodeLost(scene.key(), SECOND));
      happens(new MediaEvent.NodeDraining(scene.key(), SECOND));
      happens(new MediaEvent.Expired(scene.key(), SECOND, 1));
      assertThat(scene.effects).isEmpty();
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
    }
  }

  @Nested
  @DisplayName("up: on another node")
  class Moved {
    @Test
    void isPlacedInTheRecordBeforeTheNodeIsTold() {
      scene.up();
      nodeLost(FIRST);
      assertThat(asked().from()).isEqualTo(FIRST);
      assertThat(asked().except()).containsExactly(FIRST);
      assertThat(asked().need().v4()).isEqualTo(2);
      long revision = media().revision();
      placedOn(SECOND);
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      assertThat(CallPlaces.index(scene.call.orElseThrow(), SELF).onMedia())
          .containsExactly(FIRST, SECOND);
      var apply = scene.last(Effect.ApplyMedia.class);
      assertThat(apply.node()).isEqualTo(SECOND);
      assertThat(apply.spec().revision()).isEqualTo(revision + 1);
      assertThat(apply.spec().confirmed()).isTrue();
      assertThat(scene.call.orElseThrow().isQuiescent()).isFalse();
    }

    @Test
    void bothLegsAreToldAtOnceWithTheirLastDescriptionAndOtherAddresses() {
      scene.up();
      SipResponse answered = scene.call.orElseThrow().caller().lastResponse().orElseThrow();
      SipRequest invited = scene.inviteOf(0);
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      SipRequest alice = sentTo(Side.CALLER);
      SipRequest bob = sentTo(Side.CALLEE);
      assertThat(invites()).containsExactly(alice, bob);
      assertThat(line(alice, "c=")).isEqualTo("c=IN IP4 " + SECOND_IP);
      assertThat(line(bob, "c=")).isEqualTo("c=IN IP4 " + SECOND_IP);
      assertThat(version(alice)).isEqualTo(version(answered) + 1);
      assertThat(version(bob)).isEqualTo(version(invited) + 1);
      assertThat(line(alice, "m=")).isEqualTo(line(answered, "m="));
      assertThat(line(bob, "m=")).isEqualTo(line(invited, "m="));
      assertThat(bob.cSeq().number()).isEqualTo(2);
      assertThat(alice.contacts()).isNotEmpty();
    }

    @Test
    void theFormerNodeIsReleasedOnceBothHaveAnswered() {
      moved();
      SipRequest alice = sentTo(Side.CALLER);
      SipRequest bob = sentTo(Side.CALLEE);
      answers(alice, 200, ALICE);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.all(Effect.ReleaseMedia.class)).isEmpty();
      answers(bob, 200, BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .containsExactly(new Effect.ReleaseMedia(FIRST, media().revision()));
      assertThat(scene.call.orElseThrow().isQuiescent()).isFalse();
      formerReleased(FIRST);
      settled();
    }

    @Test
    void aRepeatedAnswerIsAcknowledgedAgainAndNothingElse() {
      moved();
      SipRequest bob = sentTo(Side.CALLEE);
      answers(bob, 200, BOB);
      SipRequest ack = scene.last(Effect.Ack.class).ack();
      answers(bob, 200, BOB);
      assertThat(scene.effects).containsExactly(new Effect.Ack(ack, hop(Side.CALLEE)));
    }

    private io.sippbx.control.sip.transport.Destination hop(Side side) {
      return scene.call.orElseThrow().legs().orElseThrow().of(side).dialog().hop();
    }

    @Test
    void whoHoldsHoldsOn() {
      scene.up();
      scene.request(
          scene.callerRequest(
              Method.INVITE, 2, Scene.sdp("192.0.2.10", 40000, "sendonly", "0 8 101")));
      answers(
          scene.last(Effect.Request.class).request(),
          200,
          Scene.sdp("192.0.2.20", 50000, "recvonly", "0 8 101"));
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      scene.mediaHoldsIfAsked();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(line(sentTo(Side.CALLER), "a=recvonly")).isNotEmpty();
      assertThat(line(sentTo(Side.CALLEE), "a=sendonly")).isNotEmpty();
    }

    @Test
    void whatTheNodesHaveCountedIsAddedUp() {
      moved();
      var counts =
          new StreamCounts(
              0,
              new StreamCounts.Direction(7, 700, 0, 0),
              new StreamCounts.Direction(5, 500, 0, 0));
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      scene.apply(
          new Input.MediaReleased(
              FIRST, media().revision(), new MediaAnswer.Held(1, List.of(), List.of(counts))));
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      scene.mediaReleased().closesWhatIsOpen();
      var ended =
          scene.happenings.stream()
              .filter(CallHappening.Ended.class::isInstance)
              .map(CallHappening.Ended.class::cast)
              .findFirst()
              .orElseThrow();
      assertThat(ended.media().orElseThrow().callerPackets()).isEqualTo(107);
      assertThat(ended.media().orElseThrow().calleePackets()).isEqualTo(95);
      assertThat(ended.mediaNode()).isEqualTo("media-2");
      assertThat(
              scene.happenings.stream()
                  .filter(CallHappening.Quality.class::isInstance)
                  .map(CallHappening.Quality.class::cast)
                  .map(each -> each.mediaNode() + " " + each.media().callerPackets()))
          .containsExactly(FIRST + " 7", "media-2 107");
      assertThat(scene.happenings)
          .containsOnlyOnce(new CallHappening.Reanchored(FIRST, new NodeId("media-2")));
    }

    @Test
    void movesOnWhenTheNextNodeIsLostTooAndLegsAreToldOnce() {
      scene.up();
      nodeLost(FIRST);
      placedOn(SECOND);
      nodeLost(SECOND);
      placedOn(THIRD);
      assertThat(media().former()).containsExactly(FIRST, SECOND);
      scene.mediaHolds();
      assertThat(invites()).hasSize(2);
      assertThat(line(sentTo(Side.CALLEE), "c=")).endsWith("198.51.100.4");
    }

    @Test
    void whoIsAskedWhileTheNextNodeIsLostIsAskedAgainAfterwards() {
      moved();
      SipRequest alice = sentTo(Side.CALLER);
      SipRequest bob = sentTo(Side.CALLEE);
      nodeLost(SECOND);
      placedOn(THIRD);
      scene.mediaHolds();
      assertThat(invites()).as("two INVITEs of one dialog at once").isEmpty();
      answers(alice, 200, ALICE);
      assertThat(line(sentTo(Side.CALLER), "c=")).endsWith("198.51.100.4");
      answers(bob, 200, BOB);
      assertThat(line(sentTo(Side.CALLEE), "c=")).endsWith("198.51.100.4");
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      assertThat(scene.all(Effect.ReleaseMedia.class)).hasSize(2);
      formerReleased(FIRST);
      formerReleased(SECOND);
      settled();
    }

    @ParameterizedTest
    @EnumSource(
        value = Refusal.class,
        names = {"PORTS_EXHAUSTED", "DRAINING", "RESTORING", "TOO_MANY_SESSIONS", "OVERLOADED"})
    void anotherIsTriedWhenTheNodeWillNot(Refusal refusal) {
      scene.up();
      nodeLost(FIRST);
      placedOn(SECOND);
      refused(refusal);
      assertThat(asked().from()).isEqualTo(SECOND);
      assertThat(asked().except()).containsExactly(FIRST, SECOND);
      placedOn(THIRD);
      scene.mediaHolds();
      assertThat(invites()).hasSize(2);
    }

    @Test
    void aSlowFindingOfAPlaceIsOfNoUseToACallThatIsElsewhere() {
      scene.up();
      nodeLost(FIRST);
      Effect.PlaceMedia place = asked();
      placedOn(SECOND);
      scene.apply(new Input.MediaPlaced(place.from(), true, Optional.of(THIRD)));
      assertThat(media().node()).contains(SECOND);
      assertThat(scene.effects).isEmpty();
    }
  }

  @Nested
  @DisplayName("an answer that changes the session")
  class Changed {
    @Test
    void isOfferedOnToTheOtherLegWhichAnswersForGood() {
      moved();
      answers(sentTo(Side.CALLEE), 200, BOB);
      answers(sentTo(Side.CALLER), 200, Scene.sdp("192.0.2.10", 40000, "sendrecv", "8 101"));
      assertThat(invites()).as("before the node knows").isEmpty();
      scene.mediaHolds();
      SipRequest onward = sentTo(Side.CALLEE);
      assertThat(invites()).containsExactly(onward);
      assertThat(line(onward, "m=")).endsWith(" 8 101");
      assertThat(line(onward, "c=")).endsWith(SECOND_IP);
      answers(onward, 200, Scene.sdp("192.0.2.20", 50000, "sendrecv", "8 101"));
      scene.mediaHoldsIfAsked();
      assertThat(invites()).isEmpty();
      formerReleased(FIRST);
      settled();
    }

    @Test
    void waitsForTheOtherLegsOwnAnswer() {
      moved();
      SipRequest bob = sentTo(Side.CALLEE);
      answers(sentTo(Side.CALLER), 200, Scene.sdp("192.0.2.10", 40000, "sendonly", "0 8 101"));
      assertThat(invites()).isEmpty();
      scene.mediaHoldsIfAsked();
      answers(bob, 200, BOB);
      scene.mediaHoldsIfAsked();
      SipRequest onward = sentTo(Side.CALLEE);
      assertThat(onward).isNotEqualTo(bob);
      assertThat(line(onward, "a=sendonly")).isNotEmpty();
      assertThat(scene.happenings).contains(new CallHappening.Held(true));
    }

    @Test
    void anotherAddressOfAPhoneConcernsOnlyTheNode() {
      moved();
      answers(sentTo(Side.CALLEE), 200, BOB);
      answers(sentTo(Side.CALLER), 200, Scene.offer("192.0.2.10", 41000));
      assertThat(invites()).isEmpty();
      var apply = scene.last(Effect.ApplyMedia.class);
      assertThat(apply.spec().streams().getFirst().a().remoteRtp().orElseThrow().port())
          .isEqualTo(41000);
      scene.mediaHolds();
      formerReleased(FIRST);
      settled();
    }

    @Test
    void thatCannotBeUsedEndsTheCall() {
      moved();
      answers(sentTo(Side.CALLER), 200, Scene.sdp("192.0.2.10", 40000, "sendrecv", "97"));
      assertThat(scene.sent()).containsExactly("ACK", "BYE", "BYE");
      assertThat(reason()).isEqualTo(Reason.NOT_ACCEPTABLE);
    }

    @Test
    void withoutADescriptionWhatWasAgreedGoesOn() {
      moved();
      answers(sentTo(Side.CALLER), 200, "");
      answers(sentTo(Side.CALLEE), 200, "");
      formerReleased(FIRST);
      settled();
    }
  }

  @Nested
  @DisplayName("a re-INVITE that is refused")
  class Refused {
    @ParameterizedTest
    @CsvSource({"CALLER, 0, 2000", "CALLEE, 2100, 4000"})
    @DisplayName("14.1: with 491 is sent again after a time drawn at random")
    void isSentAgainAfter491(Side side, long from, long to) {
      moved();
      answers(sentTo(side.other()), 200, side == Side.CALLER ? BOB : ALICE);
      SipRequest first = sentTo(side);
      answers(first, 491, "");
      TimerId timer = new TimerId(Kind.RENEWAL, side == Side.CALLER ? 0 : 1);
      Instant at = Objects.requireNonNull(scene.call.orElseThrow().timers().get(timer));
      assertThat(Duration.between(scene.now, at).toMillis()).isBetween(from, to);
      scene.fires(Kind.RENEWAL, timer.ordinal());
      SipRequest second = sentTo(side);
      assertThat(second.cSeq().number()).isEqualTo(first.cSeq().number() + 1);
      assertThat(second.topVia().branch()).isNotEqualTo(first.topVia().branch());
      assertThat(line(second, "c=")).endsWith(SECOND_IP);
      answers(second, 200, side == Side.CALLER ? ALICE : BOB);
      formerReleased(FIRST);
      settled();
    }

    @Test
    void withAServerErrorIsSentAgainWhenItMayBe() {
      moved();
      answers(sentTo(Side.CALLEE), 500, "", b -> b.header(HeaderName.RETRY_AFTER, "7 (a moment)"));
      assertThat(scene.call.orElseThrow().timers())
          .containsEntry(new TimerId(Kind.RENEWAL, 1), scene.now.plusSeconds(7));
    }

    @Test
    void isNotSentForEver() {
      moved();
      int sent = 0;
      while (scene.call.orElseThrow().isUp()) {
        answers(sentTo(Side.CALLER), 491, "");
        sent++;
        if (scene.call.orElseThrow().isUp()) {
          scene.fires(Kind.RENEWAL, 0);
        }
        assertThat(sent).isLessThan(20);
      }
      assertThat(sent).isEqualTo(8);
      assertThat(reason()).isEqualTo(Reason.MEDIA_LOST);
    }

    @ParameterizedTest
    @CsvSource({
      "488, MEDIA_LOST",
      "405, MEDIA_LOST",
      "481, DIALOG_LOST",
      "408, DIALOG_LOST",
      "603, MEDIA_LOST"
    })
    void endsTheCallInOrder(int status, Reason why) {
      moved();
      answers(sentTo(Side.CALLER), status, "");
      assertThat(reason()).isEqualTo(why);
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .extracting(Effect.ReleaseMedia::node)
          .containsExactly(FIRST, SECOND);
    }

    @Test
    void orNeverAnsweredEndsTheCall() {
      moved();
      scene.fires(Kind.RENEWAL, 0);
      assertThat(reason()).isEqualTo(Reason.DIALOG_LOST);
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
      // The one whose answer is under way all the same.
      answers(sentTo(Side.CALLEE), 200, BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.call.orElseThrow().renewals()).isEmpty();
    }

    @Test
    @DisplayName("RFC 3261 15.1.1: BYE need not wait for the answer to a re-INVITE")
    void doesNotHoldUpTheEndOfTheCall() {
      moved();
      scene.apply(new Input.HangUp(Reason.ADMINISTRATOR));
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
      for (Call.Bye bye : List.copyOf(scene.call.orElseThrow().byes())) {
        answers(bye.sent(), 200, "");
      }
      for (NodeId node : List.of(FIRST, SECOND)) {
        scene.apply(
            new Input.MediaReleased(
                node,
                media().revision(),
                new MediaAnswer.Held(media().revision(), List.of(), List.of())));
      }
      assertThat(scene.call.orElseThrow().isTombstone()).as("the re-INVITEs are open").isTrue();
      assertThat(scene.all(Effect.Abandon.class)).as("and repeated no more").hasSize(2);
      // Their answers come all the same.
      answers(sentTo(Side.CALLEE), 200, BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      answers(sentTo(Side.CALLER), 487, "");
      assertThat(scene.all(Effect.AckFailure.class)).hasSize(1);
    }

    @Test
    void forWantOfAWayIsSentAgain() {
      moved();
      scene.apply(
          new Input.RequestFailed(
              sentTo(Side.CALLER).topVia().branch().orElseThrow(), Method.INVITE, false));
      scene.fires(Kind.RENEWAL, 0);
      assertThat(invites()).hasSize(1);
    }
  }

  @Nested
  @DisplayName("in set-up")
  class SetUp {
    private void moves() {
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
    }

    @Test
    void theCallerHearsTheNewAddressInItsAnswerAndTheCalleeAfterTheAck() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "");
      moves();
      assertThat(scene.sent()).isEmpty();
      scene.callee(0, 200, "bob", BOB);
      SipResponse answer = scene.last(Effect.RespondUntilAck.class).response();
      assertThat(line(answer, "c=")).endsWith(SECOND_IP);
      scene.mediaHolds();
      assertThat(scene.sent()).as("before the ACK").isEmpty();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK", "INVITE");
      SipRequest bob = sentTo(Side.CALLEE);
      assertThat(line(bob, "c=")).endsWith(SECOND_IP);
      assertThat(version(bob)).isEqualTo(version(scene.inviteOf(0)) + 1);
      answers(bob, 200, BOB);
      formerReleased(FIRST);
      settled();
    }

    @Test
    @DisplayName("13.2.1: a caller that has heard an answer hears the same again, and then the new")
    void aCallerThatHeardEarlyMediaIsToldAfterTheAck() {
      scene.begin().mediaHolds();
      scene.callee(0, 183, "bob", BOB);
      SipResponse early = scene.last(Effect.Respond.class).response();
      scene.mediaHolds();
      moves();
      scene.callee(0, 200, "bob", BOB);
      SipResponse answer = scene.last(Effect.RespondUntilAck.class).response();
      assertThat(answer.body()).isEqualTo(early.body());
      scene.mediaHolds();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK", "INVITE", "INVITE");
      assertThat(line(sentTo(Side.CALLER), "c=")).endsWith(SECOND_IP);
      assertThat(version(sentTo(Side.CALLER))).isEqualTo(version(answer) + 1);
    }

    @Test
    void whoIsCalledLaterIsToldTheNewAddressAtOnce() {
      scene.begin(List.of(List.of(Scene.target(0)), List.of(Scene.target(1)))).mediaHolds();
      moves();
      scene.callee(0, 486, "bob", "");
      assertThat(line(scene.inviteOf(1), "c=")).endsWith(SECOND_IP);
      scene.callee(1, 200, "carol", BOB);
      scene.mediaHolds();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK");
      formerReleased(FIRST);
      settled();
    }

    @Test
    void aCallThatHasNotSaidAnythingIsOpenedElsewhere() {
      scene.begin();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE");
      assertThat(line(scene.inviteOf(0), "c=")).endsWith(SECOND_IP);
    }

    @Test
    void aNodeThatDoesNotAnswerTheFirstTimeHasASubstitute() {
      scene.begin();
      scene.apply(
          new Input.MediaApplied(media().revision(), new MediaAnswer.Unreachable("in a test")));
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE");
    }

    @Test
    void aCallerIsRefusedWhereThereIsNone() {
      scene.begin();
      refused(Refusal.PORTS_EXHAUSTED);
      placed(Optional.empty());
      assertThat(scene.answered()).containsExactly("503 INVITE");
      assertThat(reason()).isEqualTo(Reason.NO_MEDIA);
    }

    @Test
    void aCallerWithoutOfferIsPlacedAnewBeforeThereIsASession() {
      scene.invite = Scene.invite("");
      scene.begin();
      scene.callee(0, 180, "bob", "");
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(media().node()).contains(SECOND);
      assertThat(media().former()).isEmpty();
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.last(Effect.ApplyMedia.class).node()).isEqualTo(SECOND);
    }

    @Test
    void aCallThatFailsReleasesBothNodes() {
      scene.begin().mediaHolds();
      moves();
      scene.callee(0, 486, "bob", "");
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .extracting(Effect.ReleaseMedia::node)
          .containsExactly(FIRST, SECOND);
      scene.mediaReleased();
      assertThat(scene.call.orElseThrow().isTombstone()).as("one has not answered").isFalse();
      formerReleased(FIRST);
      assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
    }
  }

  @Nested
  @DisplayName("while a peer sends a re-INVITE")
  class Reinvited {
    @Test
    void itsExchangeIsFinishedFirst() {
      scene.up();
      scene.request(scene.callerRequest(Method.INVITE, 2, ALICE));
      SipRequest passedOn = scene.last(Effect.Request.class).request();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(invites()).isEmpty();
      answers(passedOn, 200, BOB);
      SipResponse answer = scene.last(Effect.RespondUntilAck.class).response();
      assertThat(line(answer, "c=")).as("it asked at the right moment").endsWith(SECOND_IP);
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.sent()).containsExactly("ACK", "INVITE");
      assertThat(line(sentTo(Side.CALLEE), "c=")).endsWith(SECOND_IP);
      answers(sentTo(Side.CALLEE), 200, BOB);
      formerReleased(FIRST);
      settled();
    }

    @Test
    void oneThatWaitsForPortsIsPassedOnWithTheNewOnes() {
      scene.up();
      String more = ALICE + "m=video 40004 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";
      scene.request(scene.callerRequest(Method.INVITE, 2, more));
      assertThat(invites()).isEmpty();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(line(invites().getFirst(), "c=")).endsWith(SECOND_IP);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void itIsRefusedWhileEitherIsAsked(boolean byCaller) {
      moved();
      if (byCaller) {
        answers(sentTo(Side.CALLER), 200, ALICE);
        scene.request(scene.callerRequest(Method.INVITE, 2, ALICE));
      } else {
        answers(sentTo(Side.CALLEE), 200, BOB);
        scene.request(scene.calleeRequest(Method.INVITE, 2, BOB));
      }
      assertThat(scene.answered()).containsExactly("491 INVITE");
    }

    @Test
    void itTakesThePlaceOfOursThatWaits() {
      moved();
      answers(sentTo(Side.CALLEE), 200, BOB);
      answers(sentTo(Side.CALLER), 491, "");
      scene.request(scene.callerRequest(Method.INVITE, 2, ALICE));
      SipRequest passedOn = scene.last(Effect.Request.class).request();
      answers(passedOn, 200, BOB);
      assertThat(line(scene.last(Effect.RespondUntilAck.class).response(), "c="))
          .endsWith(SECOND_IP);
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.sent()).containsExactly("ACK");
      scene.mediaHoldsIfAsked();
      formerReleased(FIRST);
      settled();
    }
  }

  @Nested
  @DisplayName("a node that has died in the middle of an exchange")
  class Urgent {
    private static final Duration SECOND_SENDING = Duration.ofMillis(600);

    /** The caller has our 2xx, and does not acknowledge it. */
    private void answered(String offer) {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").callee(0, 200, "bob", offer);
      scene.mediaHoldsIfAsked();
      scene.now = scene.now.plus(Duration.ofSeconds(1));
    }

    private void callerTakes(String... methods) {
      scene.invite =
          scene.invite.toBuilder().header(HeaderName.ALLOW, String.join(", ", methods)).build();
    }

    private SipRequest updated() {
      return scene.all(Effect.Request.class).stream()
          .map(Effect.Request::request)
          .filter(request -> request.method().equals(Method.UPDATE))
          .findFirst()
          .orElseThrow();
    }

    @Test
    void theCalleeIsNotKeptWaitingForTheAckOfTheCaller() {
      answered(BOB);
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(scene.sent()).containsExactly("ACK");
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE");
      SipRequest bob = sentTo(Side.CALLEE);
      assertThat(line(bob, "c=")).endsWith(SECOND_IP);
      answers(bob, 200, BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      scene.callerAck("");
      assertThat(scene.sent()).as("the first ACK again, and then").containsExactly("ACK", "INVITE");
      assertThat(scene.all(Effect.Ack.class).getFirst().ack().cSeq().number()).isEqualTo(1);
      SipRequest alice = sentTo(Side.CALLER);
      assertThat(line(alice, "c=")).endsWith(SECOND_IP);
      answers(alice, 200, ALICE);
      formerReleased(FIRST);
      settled();
    }

    @Test
    void theFirstAckComesAgainAfterALaterOne() {
      answered(BOB);
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      answers(sentTo(Side.CALLEE), 200, BOB);
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.last(Effect.Ack.class).ack().cSeq().number()).isEqualTo(1);
    }

    @Test
    void aCalleeWhoseAckMustBringTheAnswerWaitsForIt() {
      scene.invite = Scene.invite("");
      scene.begin();
      scene.callee(0, 200, "bob", BOB);
      scene.mediaHolds();
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(scene.sent()).isEmpty();
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      scene.callerAck(ALICE);
      assertThat(scene.sent()).containsExactly("ACK");
      scene.mediaHolds();
      assertThat(scene.sent()).contains("INVITE");
    }

    @Test
    @DisplayName("RFC 3311: a caller that takes UPDATE hears the new address before its ACK")
    void theCallerIsToldByUpdate() {
      callerTakes("INVITE", "ACK", "UPDATE");
      answered(BOB);
      SipResponse answer = scene.call.orElseThrow().caller().lastResponse().orElseThrow();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("UPDATE", "INVITE");
      SipRequest update = updated();
      assertThat(line(update, "c=")).endsWith(SECOND_IP);
      assertThat(version(update)).isEqualTo(version(answer) + 1);
      answers(sentTo(Side.CALLEE), 200, BOB);
      answers(update, 200, ALICE);
      assertThat(scene.sent()).as("no ACK for an UPDATE").isEmpty();
      formerReleased(FIRST);
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK");
      settled();
    }

    @ParameterizedTest
    @ValueSource(ints = {405, 408, 481, 491, 500})
    void aCallerThatRefusesTheUpdateIsAskedAfterItsAck(int status) {
      callerTakes("UPDATE");
      answered(BOB);
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      answers(sentTo(Side.CALLEE), 200, BOB);
      SipRequest update = sentTo(Side.CALLER);
      answers(update, status, "");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
      assertThat(scene.sent()).isEmpty();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK", "INVITE");
      assertThat(version(sentTo(Side.CALLER))).isEqualTo(version(update) + 1);
      answers(sentTo(Side.CALLER), 200, ALICE);
      formerReleased(FIRST);
      settled();
    }

    @Test
    void anUpdateThatIsNeverAnsweredIsNoMore() {
      callerTakes("UPDATE");
      answered(BOB);
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      answers(sentTo(Side.CALLEE), 200, BOB);
      SipRequest update = sentTo(Side.CALLER);
      scene.callerAck("");
      scene.apply(
          new Input.RequestFailed(update.topVia().branch().orElseThrow(), Method.UPDATE, true));
      assertThat(scene.sent()).containsExactly("INVITE");
    }

    @Test
    void theUpdateDoesNotOvertakeTheAnswer() {
      callerTakes("UPDATE");
      scene.begin().mediaHolds();
      scene.callee(0, 183, "bob", BOB);
      scene.mediaHolds();
      nodeLost(FIRST);
      placedOn(SECOND);
      scene.mediaHolds();
      scene.callee(0, 200, "bob", BOB);
      scene.mediaHoldsIfAsked();
      assertThat(scene.sent()).isEmpty();
      Instant answeredAt = scene.now;
      scene.fires(Kind.RENEWAL, 0);
      assertThat(Duration.between(answeredAt, scene.now)).isEqualTo(SECOND_SENDING);
      assertThat(scene.sent()).containsExactly("UPDATE");
    }

    @Test
    void aReinviteThatWasPassedOnIsCancelledAndBothAreTold() {
      scene.up();
      scene.request(scene.callerRequest(Method.INVITE, 2, ALICE));
      SipRequest passedOn = scene.last(Effect.Request.class).request();
      answers(passedOn, 100, "");
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(scene.sent()).containsExactly("CANCEL");
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      answers(passedOn, 487, "");
      assertThat(scene.answered()).as("it may ask again soon").containsExactly("491 INVITE");
      assertThat(invites()).hasSize(2);
      assertThat(invites()).allMatch(invite -> line(invite, "c=").endsWith(SECOND_IP));
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      formerReleased(FIRST);
      settled();
    }

    @Test
    @DisplayName("9.1: a re-INVITE that was not heard of is cancelled once it is")
    void aReinviteWithoutResponseIsCancelledAfterTheFirst() {
      scene.up();
      scene.request(scene.calleeRequest(Method.INVITE, 2, BOB));
      SipRequest passedOn = scene.last(Effect.Request.class).request();
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(scene.sent()).isEmpty();
      answers(passedOn, 100, "");
      assertThat(scene.sent()).containsExactly("CANCEL");
    }

    @Test
    void theAnswererOfAReinviteIsNotKeptWaitingForItsAck() {
      scene.up();
      SipRequest reinvite =
          scene.callerRequest(Method.INVITE, 2, ALICE).toBuilder()
              .header(HeaderName.ALLOW, "UPDATE")
              .build();
      scene.request(reinvite);
      answers(scene.last(Effect.Request.class).request(), 200, BOB);
      scene.now = scene.now.plus(SECOND_SENDING);
      nodeLost(FIRST);
      placedOn(SECOND);
      assertThat(scene.sent()).containsExactly("ACK");
      scene.mediaHolds();
      assertThat(scene.sent()).containsExactly("UPDATE", "INVITE");
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.sent()).as("the callee has had it").isEmpty();
      formerReleased(FIRST);
      settled();
    }

    @Test
    void whatADrainedNodeStillRelaysMayTakeItsTime() {
      scene.up();
      scene.request(scene.callerRequest(Method.INVITE, 2, ALICE));
      answers(scene.last(Effect.Request.class).request(), 100, "");
      draining();
      placedOn(SECOND);
      assertThat(scene.sent()).isEmpty();
    }
  }

  @Nested
  @DisplayName("whose record has lost its last writes in a fail-over of the store")
  class Behind {
    private void refusedAt(Refusal refusal, long held) {
      scene.apply(
          new Input.MediaApplied(
              media().revision(), new MediaAnswer.Refused(refusal, "in a test", held)));
    }

    @ParameterizedTest
    @EnumSource(
        value = Refusal.class,
        names = {"STALE_REVISION", "REVISION_REUSED"})
    void isRaisedAboveWhatItsNodeHolds(Refusal refusal) {
      scene.up();
      scene.apply(new Input.TakenOver());
      List<?> wanted = scene.last(Effect.ApplyMedia.class).spec().streams();
      long held = media().revision() + (refusal == Refusal.STALE_REVISION ? 4 : 0);
      refusedAt(refusal, held);
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      var apply = scene.last(Effect.ApplyMedia.class);
      assertThat(apply.spec().revision()).isEqualTo(held + 1);
      assertThat(apply.spec().streams()).isEqualTo(wanted);
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      settled();
    }

    @Test
    void isRaisedWhileItMovesToo() {
      scene.up();
      nodeLost(FIRST);
      placedOn(SECOND);
      refusedAt(Refusal.STALE_REVISION, 9);
      assertThat(scene.last(Effect.ApplyMedia.class).node()).isEqualTo(SECOND);
      assertThat(media().revision()).isEqualTo(10);
      scene.mediaHolds();
      assertThat(invites()).hasSize(2);
    }

    @Test
    void isNotEndedByTheSilenceOfALaterSession() {
      scene.up();
      long revision = media().revision();
      happens(new MediaEvent.MediaTimeout(scene.key(), revision + 2));
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
      assertThat(scene.last(Effect.ApplyMedia.class).spec().revision()).isEqualTo(revision + 3);
      scene.mediaHolds();
      happens(new MediaEvent.MediaTimeout(scene.key(), revision + 3));
      assertThat(reason()).isEqualTo(Reason.MEDIA_TIMEOUT);
    }

    @Test
    void releasesWhatItsNodeHolds() {
      scene.up();
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      answers(scene.last(Effect.Request.class).request(), 200, "");
      long asked = media().revision();
      scene.mediaReleased(new MediaAnswer.Refused(Refusal.STALE_REVISION, "in a test", asked + 2));
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .containsExactly(new Effect.ReleaseMedia(FIRST, asked + 3));
      assertThat(scene.happenings).noneMatch(CallHappening.Ended.class::isInstance);
      scene.mediaReleased();
      assertThat(scene.happenings).anyMatch(CallHappening.Ended.class::isInstance);
    }

    @Test
    void releasesANodeThatItHasLeft() {
      moved();
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      long revision = media().revision();
      scene.apply(
          new Input.MediaReleased(
              FIRST,
              revision,
              new MediaAnswer.Refused(Refusal.STALE_REVISION, "in a test", revision + 1)));
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .containsExactly(new Effect.ReleaseMedia(FIRST, revision + 1));
      formerReleased(FIRST);
      settled();
    }
  }

  @Nested
  @DisplayName("while no node has room")
  class Homeless {
    @Test
    void itIsLookedForAgainAndTheCallGoesOn() {
      scene.up();
      nodeLost(FIRST);
      placed(Optional.empty());
      assertThat(scene.call.orElseThrow().isQuiescent()).isFalse();
      nodeLost(FIRST);
      assertThat(scene.effects).as("it is being looked for").isEmpty();
      scene.fires(Kind.MOVE, 1);
      placed(Optional.empty());
      scene.fires(Kind.MOVE, 2);
      placedOn(SECOND);
      scene.mediaHolds();
      assertThat(scene.call.orElseThrow().timers().keySet())
          .noneMatch(timer -> timer.kind() == Kind.MOVE);
      assertThat(invites()).hasSize(2);
    }

    @Test
    void aNodeThatComesBackHasItAgainOnItsPorts() {
      scene.up();
      nodeLost(FIRST);
      placed(Optional.empty());
      sessionLost();
      assertThat(media().anchor()).isEqualTo(Anchor.RESTORING);
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      settled();
    }

    @Test
    void aNodeThatWasOnlyOutOfReachKeepsIt() {
      scene.up();
      nodeLost(FIRST);
      placed(Optional.empty());
      scene.fires(Kind.MOVE, 1);
      placedOn(FIRST);
      scene.mediaIp = FIRST_IP;
      assertThat(media().anchor()).isEqualTo(Anchor.RESTORING);
      scene.mediaHolds();
      assertThat(scene.sent()).isEmpty();
      settled();
    }

    @Test
    void nodesThatRefuseAreNotTriedForEver() {
      scene.up();
      nodeLost(FIRST);
      placed(Optional.empty());
      int tried = 0;
      while (scene.call.orElseThrow().isUp()) {
        int looks =
            scene.call.orElseThrow().timers().keySet().stream()
                .filter(timer -> timer.kind() == Kind.MOVE)
                .findFirst()
                .orElseThrow()
                .ordinal();
        scene.fires(Kind.MOVE, looks);
        if (scene.call.orElseThrow().isUp()) {
          placedOn(SECOND);
          refused(Refusal.PORTS_EXHAUSTED);
          placed(Optional.empty());
          tried++;
        }
      }
      assertThat(tried).isEqualTo(29);
      assertThat(reason()).isEqualTo(Reason.MEDIA_LOST);
    }

    @Test
    void endsAfterHalfAMinute() {
      scene.up();
      Instant began = scene.now;
      nodeLost(FIRST);
      placed(Optional.empty());
      for (int i = 1; i < 30; i++) {
        scene.fires(Kind.MOVE, i);
        placed(Optional.empty());
      }
      scene.fires(Kind.MOVE, 30);
      assertThat(Duration.between(began, scene.now)).isEqualTo(Duration.ofSeconds(30));
      assertThat(reason()).isEqualTo(Reason.MEDIA_LOST);
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
    }

    @Test
    void endsWith503BeforeItIsAnswered() {
      scene.begin().mediaHolds();
      nodeLost(FIRST);
      placed(Optional.empty());
      for (int i = 1; i <= 30; i++) {
        scene.fires(Kind.MOVE, i);
      }
      assertThat(scene.answered()).containsExactly("503 INVITE");
    }
  }

  @Nested
  @DisplayName("a node that is drained")
  class Drained {
    @Test
    void keepsTheSessionUntilBothLegsKnow() {
      scene.up();
      draining();
      assertThat(asked().lost()).isFalse();
      placedOn(SECOND);
      scene.mediaHolds();
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      assertThat(scene.last(Effect.ReleaseMedia.class).node()).isEqualTo(FIRST);
    }

    @Test
    void keepsItWhereThereIsNoOther() {
      scene.up();
      draining();
      placed(Optional.empty());
      assertThat(scene.effects).isEmpty();
      settled();
    }

    @Test
    void isNotLeftInTheMiddleOfSomethingElse() {
      scene.up();
      sessionLost();
      draining();
      assertThat(scene.effects).isEmpty();
    }
  }

  @Nested
  @DisplayName("whose control node is gone too")
  class TakenOver {
    private void takenOver() {
      scene.apply(new Input.TakenOver());
    }

    @Test
    void beforeTheNextNodeHasAnsweredItIsToldAgain() {
      scene.up();
      nodeLost(FIRST);
      placedOn(SECOND);
      takenOver();
      assertThat(scene.last(Effect.ApplyMedia.class).node()).isEqualTo(SECOND);
      scene.mediaHolds();
      assertThat(invites()).hasSize(2);
    }

    @Test
    void whileLegsAreAskedTheyAreAskedAgainByteForByte() {
      moved();
      SipRequest alice = sentTo(Side.CALLER);
      SipRequest bob = sentTo(Side.CALLEE);
      takenOver();
      assertThat(scene.all(Effect.ResumeClient.class))
          .extracting(Effect.ResumeClient::request)
          .containsExactly(alice, bob);
      assertThat(invites()).isEmpty();
      scene.mediaHolds();
      answers(alice, 200, ALICE);
      answers(bob, 200, BOB);
      formerReleased(FIRST);
      settled();
    }

    @Test
    void afterEverythingTheFormerNodeIsReleasedAgain() {
      moved();
      answers(sentTo(Side.CALLER), 200, ALICE);
      answers(sentTo(Side.CALLEE), 200, BOB);
      takenOver();
      assertThat(scene.last(Effect.ReleaseMedia.class).node()).isEqualTo(FIRST);
      scene.mediaHolds();
      formerReleased(FIRST);
      settled();
    }

    @Test
    void whileItEndsBothNodesAreReleasedAgain() {
      moved();
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      takenOver();
      assertThat(scene.all(Effect.ReleaseMedia.class))
          .extracting(Effect.ReleaseMedia::node)
          .containsExactlyInAnyOrder(FIRST, SECOND);
    }
  }
}
