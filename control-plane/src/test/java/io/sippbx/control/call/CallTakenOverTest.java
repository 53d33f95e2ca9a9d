package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.store.CallIndex;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a call whose node is gone goes on with another")
class CallTakenOverTest {

  private static final String BOB = Scene.offer("192.0.2.20", 50000);

  private final Scene scene = new Scene();

  /** What the next owner does with the record as it stands. */
  private void takenOver() {
    scene.apply(new Input.TakenOver());
    assertThat(scene.lastCommit).as("the record names its owner").isEqualTo(Decision.Commit.NOW);
    assertThat(scene.happenings).doesNotHaveDuplicates();
  }

  private List<SipRequest> sentAgain() {
    return scene.all(Effect.ResumeClient.class).stream().map(Effect.ResumeClient::request).toList();
  }

  private List<String> methodsSentAgain() {
    return sentAgain().stream().map(request -> request.method().name()).toList();
  }

  private Effect.ResumeServer server() {
    return scene.last(Effect.ResumeServer.class);
  }

  @Test
  void itsRecordSaysThatItWasAndUntilWhenItWasKnownToBeUp() {
    scene.up();
    Instant known = scene.now;
    scene.now = known.plusSeconds(50);
    takenOver();
    scene.request(scene.callerRequest(Method.BYE, 2, "")).mediaReleased().closesWhatIsOpen();
    var ended = (CallHappening.Ended) scene.happenings.getLast();
    assertThat(ended.knownUp()).contains(known);
    assertThat(ended.endedAt()).isEqualTo(known.plusSeconds(50));
  }

  @Test
  void aQuietCallThatIsFoundToBeOverByAnotherNodeIsKnownUpToItsLastChange() {
    scene.up().fires(Kind.SETTLE, 0);
    Instant known = scene.now;
    scene.now = known.plusSeconds(500);
    var after = scene.startedAgain();
    long revision = after.call.orElseThrow().media().revision();
    after.apply(new Input.MediaHappened(new MediaEvent.MediaTimeout(after.key(), revision)));
    after.closesWhatIsOpen().mediaReleased();
    var ended = (CallHappening.Ended) after.happenings.getLast();
    assertThat(ended.termination().reason()).isEqualTo(Termination.Reason.MEDIA_TIMEOUT);
    assertThat(ended.knownUp()).contains(known);
  }

  @Test
  void beforeTheMediaNodeHasAnsweredItIsToldAgain() {
    scene.begin();
    takenOver();
    assertThat(server().lastResponse().map(SipResponse::status)).contains(100);
    assertThat(scene.all(Effect.ApplyMedia.class)).hasSize(1);
    assertThat(sentAgain()).isEmpty();
    scene.mediaHolds();
    assertThat(scene.sent()).containsExactly("INVITE");
  }

  @Test
  void theCalleesInviteIsSentAgainByteForByte() {
    scene.begin().mediaHolds();
    SipRequest invite = scene.inviteOf(0);
    takenOver();
    assertThat(sentAgain()).containsExactly(invite);
    scene.callee(0, 180, "bob", "").callee(0, 200, "bob", BOB);
    scene.mediaHolds();
    scene.callerAck("");
    assertThat(scene.sent()).containsExactly("ACK");
    assertThat(scene.call.orElseThrow().isUp()).isTrue();
  }

  @Test
  void whatTheCallerWasToldLastIsWhatItsRepeatIsAnswered() {
    scene.begin().mediaHolds();
    scene.callee(0, 183, "bob", BOB);
    SipResponse told = scene.last(Effect.Respond.class).response();
    takenOver();
    assertThat(server().lastResponse()).contains(told);
    assertThat(scene.all(Effect.Respond.class)).as("nothing is told twice unasked").isEmpty();
  }

  @Test
  void anAnswerThatIsNotAcknowledgedIsRepeatedUntilItsTimeIsOver() {
    SipResponse ok = answered();
    Instant until = scene.now.plusSeconds(32);
    scene.now = scene.now.plusSeconds(10);
    takenOver();
    assertThat(scene.last(Effect.RespondUntilAck.class).response()).isEqualTo(ok);
    assertThat(ackUntil()).isEqualTo(until);
    scene.callerAck("");
    assertThat(scene.sent()).containsExactly("ACK");
    assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
  }

  @Test
  void anAnswerWhoseTimeWasOverWhenNobodyWasThereIsRepeatedForHalfOfItAgain() {
    SipResponse ok = answered();
    scene.now = scene.now.plusSeconds(60);
    takenOver();
    assertThat(scene.last(Effect.RespondUntilAck.class).response()).isEqualTo(ok);
    assertThat(ackUntil()).isEqualTo(scene.now.plusSeconds(16));
  }

  @Test
  void nodesThatDieOneAfterAnotherDoNotKeepACalleeUpAloneForLong() {
    answered();
    Instant began = scene.now;
    for (int i = 0; i < 3; i++) {
      scene.now = scene.now.plusSeconds(15);
      takenOver();
    }
    assertThat(ackUntil()).isEqualTo(began.plusSeconds(45 + 16));
  }

  private SipResponse answered() {
    scene.begin().mediaHolds();
    scene.callee(0, 200, "bob", BOB);
    scene.mediaHolds();
    SipResponse ok = scene.call.orElseThrow().caller().lastResponse().orElseThrow();
    assertThat(ok.status()).isEqualTo(200);
    return ok;
  }

  private Instant ackUntil() {
    return Objects.requireNonNull(scene.call.orElseThrow().timers().get(TimerId.of(Kind.ACK)));
  }

  @Test
  void aCallThatWasOnlyNotWrittenDownAsAcknowledgedGoesOnWhenTheCallerAcknowledgesAgain() {
    scene.begin().mediaHolds();
    scene.callee(0, 200, "bob", BOB);
    scene.mediaHolds();
    var stored = scene.call;
    scene.callerAck("");
    // The ACK was not committed: the node died within the two seconds.
    scene.call = stored;
    takenOver();
    scene.callerAck("");
    assertThat(scene.call.orElseThrow().isUp()).isTrue();
  }

  @Test
  @DisplayName("the end is told when nobody is owed anything: till then the call has an owner")
  void aCancelThatIsOpenKeepsTheEndFromBeingTold() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob", "");
    scene.callerCancels();
    scene.mediaReleased();
    assertThat(scene.call.orElseThrow().isTombstone()).isFalse();
    takenOver();
    assertThat(methodsSentAgain()).containsExactly("CANCEL");
    scene.callee(0, 487, "bob", "");
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  void soDoesAByeThatIsOpen() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    SipRequest bye = scene.last(Effect.Request.class).request();
    scene.mediaReleased();
    assertThat(scene.call.orElseThrow().isTombstone()).isFalse();
    takenOver();
    assertThat(sentAgain()).containsExactly(bye);
    scene.response(Scene.answer(bye, 200, "", "", b -> b), List.of());
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  @DisplayName(
      "what was cancelled may be forgotten where it rang: the INVITE would ring there again")
  void aCancelIsSentAgainButNotItsInvite() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob", "");
    scene.callerCancels();
    takenOver();
    assertThat(methodsSentAgain()).containsExactly("CANCEL");
    assertThat(scene.last(Effect.AwaitFinal.class).invite().topVia())
        .isEqualTo(sentAgain().getFirst().topVia());
    assertThat(server().lastResponse().map(SipResponse::status)).contains(487);
    scene.callee(0, 487, "bob", "");
    scene.mediaReleased();
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  void aByeIsSentAgainWithItsNumber() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    SipRequest bye = scene.last(Effect.Request.class).request();
    takenOver();
    assertThat(sentAgain()).containsExactly(bye);
    assertThat(scene.all(Effect.ReleaseMedia.class)).hasSize(1);
    scene.response(Scene.answer(bye, 200, "", "", b -> b), List.of());
    scene.mediaReleased();
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
    assertThat(scene.call.orElseThrow().facts().endedAt()).isPresent();
  }

  @Test
  void aReinviteIsPassedOnAgainAndItsAnswerReaches() {
    scene.up();
    scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    SipRequest passedOn = scene.last(Effect.Request.class).request();
    takenOver();
    assertThat(sentAgain()).containsExactly(passedOn);
    scene.response(Scene.answer(passedOn, 200, "", BOB, b -> b), List.of());
    assertThat(scene.answered()).contains("200 INVITE");
  }

  @Test
  void theAnswerToAReinviteIsRepeatedUntilItIsAcknowledged() {
    scene.up();
    SipRequest reinvite =
        scene.callerRequest(Method.INVITE, 2, Scene.sdp("192.0.2.10", 40000, "sendonly", "0 8"));
    scene.request(reinvite);
    SipRequest passedOn = scene.last(Effect.Request.class).request();
    scene.response(
        Scene.answer(passedOn, 200, "", Scene.sdp("192.0.2.20", 50000, "recvonly", "0 8"), b -> b),
        List.of());
    SipMessage ok = scene.last(Effect.RespondUntilAck.class).response();
    takenOver();
    assertThat(scene.last(Effect.RespondUntilAck.class).response()).isEqualTo(ok);
    scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
    assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
  }

  @Test
  @DisplayName("17.1.1.2: a caller that was told 180 repeats nothing, and waits for its refusal")
  void aRefusalIsRepeatedByTheNextOwner() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob", "");
    scene.callee(0, 486, "bob", "");
    scene.mediaReleased();
    Call ended = scene.call.orElseThrow();
    assertThat(ended.isTombstone()).isTrue();
    var self = new Member(new NodeId("edge-1"), new Incarnation(1));
    assertThat(CallPlaces.index(ended, self).owner()).contains(self);
    int told = scene.happenings.size();
    takenOver();
    assertThat(server().lastResponse().map(SipResponse::status)).contains(486);
    assertThat(scene.all(Effect.ResumeServer.class)).hasSize(1);
    assertThat(sentAgain()).isEmpty();
    assertThat(scene.happenings).as("its end is told once").hasSize(told);
  }

  @Test
  @DisplayName("17.1.1.2: likewise who was told 100, and then that the call is over")
  void theRefusalOfAReinviteThatTheEndOfTheCallLeftOpenIsRepeatedByTheNextOwner() {
    scene.up();
    SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000));
    scene.request(reinvite);
    scene.request(scene.callerRequest(Method.BYE, 3, ""));
    assertThat(scene.answered()).containsExactly("200 BYE", "487 INVITE");
    takenOver();
    assertThat(server().transaction()).isEqualTo(Scene.transaction(reinvite));
    assertThat(server().lastResponse().map(SipResponse::status)).contains(487);
    scene.request(reinvite);
    assertThat(scene.effects).as("it is repeated by its transaction").isEmpty();
  }

  @Test
  void whoHasHungUpNeedsNoOwner() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    scene.closesWhatIsOpen();
    scene.mediaReleased();
    Call ended = scene.call.orElseThrow();
    assertThat(ended.isTombstone()).isTrue();
    var self = new Member(new NodeId("edge-1"), new Incarnation(1));
    assertThat(CallPlaces.index(ended, self)).isEqualTo(CallIndex.NONE);
  }

  @Test
  void aReinviteThatWasRefusedIsRefusedInTheSameWayWhoeverHearsItsRepeat() {
    scene.up();
    SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000));
    scene.request(reinvite);
    SipRequest passedOn = scene.last(Effect.Request.class).request();
    scene.response(Scene.answer(passedOn, 488, "", "", b -> b), List.of());
    SipResponse refusal = scene.last(Effect.Respond.class).response();
    assertThat(refusal.status()).isEqualTo(488);
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    scene.request(reinvite);
    assertThat(scene.last(Effect.Respond.class).response()).isEqualTo(refusal);
    assertThat(scene.sent()).isEmpty();
  }

  @Test
  void oneThatCrossesAnotherIsRefusedInTheSameWayTwice() {
    scene.up();
    scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    SipRequest passedOn = scene.last(Effect.Request.class).request();
    SipRequest crossing = scene.calleeRequest(Method.INVITE, 9, Scene.offer("192.0.2.20", 52000));
    scene.request(crossing);
    SipResponse refusal = scene.last(Effect.Respond.class).response();
    assertThat(refusal.status()).isEqualTo(491);
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    scene.response(Scene.answer(passedOn, 488, "", "", b -> b), List.of());
    scene.request(crossing);
    assertThat(scene.last(Effect.Respond.class).response()).isEqualTo(refusal);
  }

  @Test
  void whatWasPassedOnAndAnsweredIsNotPassedOnOnceMore() {
    scene.up();
    SipRequest info = scene.callerRequest(Method.INFO, 2, "");
    scene.request(info);
    SipRequest passedOn = scene.last(Effect.Request.class).request();
    scene.response(Scene.answer(passedOn, 200, "", "", b -> b), List.of());
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    SipResponse ok = scene.last(Effect.Respond.class).response();
    scene.request(info);
    assertThat(scene.last(Effect.Respond.class).response()).isEqualTo(ok);
    assertThat(scene.sent()).isEmpty();
  }

  @Test
  void aRequestWithinTheDialogIsPassedOnAgain() {
    scene.up();
    scene.request(scene.callerRequest(Method.INFO, 2, ""));
    SipRequest info = scene.last(Effect.Request.class).request();
    takenOver();
    assertThat(sentAgain()).containsExactly(info);
    scene.response(Scene.answer(info, 200, "", "", b -> b), List.of());
    assertThat(scene.answered()).containsExactly("200 INFO");
  }

  @Test
  void aNoAnswerTimerThatIsLongOverFiresSoon() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob", "");
    scene.now = scene.now.plus(Duration.ofMinutes(10));
    takenOver();
    scene.fires(Kind.NO_ANSWER, 0);
    assertThat(scene.answered()).containsExactly("408 INVITE");
  }

  @Test
  void aTombstoneIsLeftAlone() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    scene.closesWhatIsOpen();
    scene.mediaReleased();
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
    scene.apply(new Input.TakenOver());
    assertThat(scene.effects).isEmpty();
    assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NONE);
  }
}
