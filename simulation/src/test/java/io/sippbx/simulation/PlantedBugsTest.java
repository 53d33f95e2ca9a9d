package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.Call;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("each invariant sees a bug that was planted for it")
class PlantedBugsTest {

  private static Outcome run(Plants plants, CallKind... kinds) {
    var calls = new ArrayList<PlannedCall>();
    for (CallKind kind : kinds) {
      int number = calls.size();
      calls.add(
          new PlannedCall(
              number, Duration.ofSeconds(1 + number), kind, 0, 0, Duration.ofSeconds(5), 100));
    }
    return Simulation.run(new Scenario(1, 1, 1, 1, 0, 5, calls, List.of()), plants, 10_000);
  }

  private static void seen(String invariant, Outcome outcome) {
    assertThat(outcome.violations())
        .as(String.join("\n", outcome.trace()))
        .isNotEmpty()
        .first()
        .asString()
        .startsWith(invariant + ": ");
  }

  @Test
  void andNoneWhereThereIsNone() {
    Outcome outcome =
        run(
            Plants.NONE,
            CallKind.CALLER_HANGS_UP,
            CallKind.CALLEE_HANGS_UP,
            CallKind.BUSY,
            CallKind.REINVITED);
    assertThat(outcome.violations()).isEmpty();
    assertThat(outcome.calls()).isEqualTo(4);
    assertThat(outcome.kept()).isEqualTo(3);
  }

  @Test
  void aNodeSendsForACallOfAnother() {
    var other = new Member(new NodeId("c2"), new Incarnation(1));
    seen(
        "one owner",
        run(
            Planted.committing(
                commit ->
                    with(
                        commit,
                        commit.events(),
                        new CallIndex(
                            commit.index().owner().map(owner -> other),
                            commit.index().onMedia(),
                            commit.index().timers()))),
            CallKind.CALLER_HANGS_UP));
  }

  @Test
  void aRequestIsAnsweredInTwoWays() {
    seen(
        "one answer to a request",
        run(
            Planted.sending(
                message ->
                    message instanceof SipResponse response && response.status() == 486
                        ? List.of(message, response.toBuilder().status(480).build())
                        : List.of(message)),
            CallKind.BUSY));
  }

  @Test
  void aCalleesAnswerIsNeverAcknowledged() {
    seen(
        "every 2xx is acknowledged",
        run(withoutRequest(Method.ACK), CallKind.CALLER_HANGS_UP, CallKind.NOBODY_HANGS_UP));
  }

  @Test
  void anInviteIsSentOnceMoreWhenItsFailureWasAcknowledged() {
    seen("what is over is not said again", run(repeatingInviteAfter(Method.ACK), CallKind.BUSY));
  }

  @Test
  void anInviteIsSentOnceMoreWhenItsAnswerWasAcknowledged() {
    seen(
        "what is over is not said again",
        run(repeatingInviteAfter(Method.ACK), CallKind.CALLER_HANGS_UP));
  }

  @Test
  void anInviteIsSentOnceMoreWhenItsCallHasEnded() {
    seen(
        "what is over is not said again",
        // The first has no answer at all; long after its end the node hangs the second up.
        run(repeatingInviteAfter(Method.BYE), CallKind.DEAD_CALLEE, CallKind.NOBODY_HANGS_UP));
  }

  private static Plants repeatingInviteAfter(Method method) {
    var said = new ArrayList<SipMessage>();
    return Planted.sending(
        message -> {
          if (isRequest(message, Method.INVITE)) {
            said.add(message);
          }
          return isRequest(message, method) ? List.of(message, said.getFirst()) : List.of(message);
        });
  }

  @Test
  void aPhoneIsNotToldThatTheOtherHungUp() {
    seen("no leg is up alone", run(withoutRequest(Method.BYE), CallKind.CALLER_HANGS_UP));
  }

  @Test
  void aCalleeIsNotToldThatItsCallIsOver() {
    seen("nobody rings on", run(withoutRequest(Method.CANCEL), CallKind.NO_ANSWER));
  }

  @Test
  void theEndIsToldTwice() {
    UnaryOperator<CallCommit<Call>> twice =
        commit -> {
          var events = new ArrayList<CallEvent>(commit.events());
          events.addAll(commit.events().stream().filter(CallEvent::hasEnded).toList());
          return with(commit, events, commit.index());
        };
    seen("exactly one end event a call", run(Planted.committing(twice), CallKind.BUSY));
  }

  @Test
  void theEndIsNeverTold() {
    UnaryOperator<CallCommit<Call>> never =
        commit ->
            with(
                commit,
                commit.events().stream().filter(event -> !event.hasEnded()).toList(),
                commit.index());
    seen("exactly one end event a call", run(Planted.committing(never), CallKind.BUSY));
  }

  @Test
  void anEventIsNeverPublished() {
    Outcome outcome =
        run(
            Planted.publishing(event -> event.hasRinging() ? List.of() : List.of(event)),
            CallKind.CALLER_HANGS_UP);
    seen("every committed event arrives as it was committed", outcome);
    assertThat(outcome.violations().getFirst()).contains("has never arrived");
  }

  @Test
  void anEventIsPublishedThatNobodyHasCommitted() {
    seen(
        "every committed event arrives as it was committed",
        run(
            Planted.publishing(
                event -> List.of(event, event.toBuilder().setEventId("another").build())),
            CallKind.BUSY));
  }

  @Test
  void anEventArrivesWithAnotherContent() {
    seen(
        "every committed event arrives as it was committed",
        run(
            Planted.publishing(
                event -> List.of(event.toBuilder().setSeq(event.getSeq() + 1).build())),
            CallKind.BUSY));
  }

  @Test
  void theEndArrivesTwice() {
    UnaryOperator<CallEvent> another =
        event -> event.toBuilder().setEventId(event.getEventId() + "-again").build();
    Outcome outcome =
        run(
            Planted.publishing(
                event -> event.hasEnded() ? List.of(event, another.apply(event)) : List.of(event)),
            CallKind.BUSY);
    seen("exactly one end event a call", outcome);
    assertThat(outcome.violations().getFirst()).contains("-again");
  }

  @Test
  void whatWasPublishedStaysInTheOutbox() {
    Outcome outcome = run(Planted.acknowledgingNothing(), CallKind.BUSY);
    seen("comes to rest with nothing left", outcome);
    assertThat(outcome.violations().getFirst()).contains("the outbox of partition");
  }

  @Test
  void whatAFailOverHasLostIsNotWrittenBack() {
    var call =
        new PlannedCall(
            0, Duration.ofSeconds(1), CallKind.CALLER_HANGS_UP, 0, 0, Duration.ofSeconds(5), 100);
    // The call is begun and answered while the replica that takes over hears of nothing.
    var failOver =
        new Fault(
            Duration.ofSeconds(1), Duration.ofSeconds(2), Fault.Kind.STORE_LOSES_WRITES, 0, 900);
    var scenario = new Scenario(1, 1, 1, 1, 0, 5, List.of(call), List.of(failOver));
    Outcome kept = Simulation.run(scenario, Plants.NONE, 10_000);
    assertThat(kept.violations()).isEmpty();
    assertThat(kept.trace()).anyMatch(line -> line.contains("has lost a commit"));
    seen("no leg is up alone", Simulation.run(scenario, Planted.restoringNothing(), 10_000));
  }

  @Test
  void anOutboxTakesMoreThanItMay() {
    var calls = new ArrayList<PlannedCall>();
    for (int number = 0; number < 30; number++) {
      calls.add(
          new PlannedCall(
              number,
              Duration.ofMillis(1_500 + 100 * number),
              CallKind.CALLER_HANGS_UP,
              0,
              0,
              Duration.ofSeconds(5),
              100));
    }
    var full =
        new Fault(Duration.ofSeconds(1), Duration.ofSeconds(9), Fault.Kind.OUTBOX_FULL, 0, 0);
    var scenario = new Scenario(1, 1, 1, 1, 0, 5, calls, List.of(full));
    assertThat(Simulation.run(scenario, Plants.NONE, 0).violations()).isEmpty();
    seen(
        "an outbox holds no more than it may",
        Simulation.run(scenario, Plants.inOutboxes(limit -> 0), 10_000));
  }

  @Test
  void aCallIsEndedThatBothPhonesBelieveIn() {
    seen(
        "a call that both phones believe in is up",
        run(Planted.findingSilence(), CallKind.CALLER_HANGS_UP));
  }

  @Test
  void aCallEndsForAnotherReasonThanItsPhonesGave() {
    seen(
        "a call ends as its phones meant it to",
        run(withoutRequest(Method.INVITE), CallKind.DECLINED));
  }

  @Test
  void aDefectIsCaught() {
    seen(
        "no defects",
        run(
            Planted.sending(
                message -> {
                  if (isRequest(message, Method.INVITE)) {
                    throw new IllegalStateException("planted");
                  }
                  return List.of(message);
                }),
            CallKind.BUSY));
  }

  @Test
  void aSessionIsNeverReleased() {
    Outcome outcome = run(Planted.releasingNothing(), CallKind.CALLER_HANGS_UP);
    seen("comes to rest with nothing left", outcome);
    assertThat(outcome.violations().getFirst()).contains("m1 has 1 sessions, 4 bound ports");
  }

  @Test
  void aLeaseIsNeverGivenBack() {
    Outcome outcome = run(Planted.keepingLeases(), CallKind.BUSY, CallKind.CALLER_HANGS_UP);
    seen("comes to rest with nothing left", outcome);
    assertThat(outcome.violations().getFirst()).endsWith("the store has 2 leases");
  }

  @Test
  void aTimerOutlivesItsCall() {
    var late = new TreeMap<String, Instant>();
    late.put("planted", VirtualLoops.START.plusSeconds(3_600));
    Outcome outcome =
        run(
            Planted.committing(
                commit ->
                    commit.record().flatMap(Call::termination).isEmpty()
                        ? commit
                        : with(
                            commit,
                            commit.events(),
                            new CallIndex(commit.index().owner(), List.of(), late))),
            CallKind.BUSY);
    seen("comes to rest with nothing left", outcome);
    assertThat(outcome.violations().getFirst()).endsWith("the store has 1 timers");
  }

  @Test
  void aTombstoneIsKeptForEver() {
    Outcome outcome =
        run(
            Planted.committing(
                commit ->
                    new CallCommit<>(
                        commit.call(),
                        commit.read(),
                        commit.id(),
                        commit.record().or(() -> commit.read().map(Versioned::record)),
                        commit.events(),
                        commit.record().isPresent()
                            ? commit.index()
                            : new CallIndex(
                                Optional.empty(), List.of(new NodeId("m1")), new TreeMap<>()),
                        CallCommit.LAST_RESORT,
                        commit.epoch())),
            CallKind.CALLER_HANGS_UP);
    seen("comes to rest with nothing left", outcome);
    assertThat(outcome.violations().getFirst()).contains("the store has 1 records");
  }

  private static Plants withoutRequest(Method method) {
    return Planted.sending(message -> isRequest(message, method) ? List.of() : List.of(message));
  }

  private static boolean isRequest(SipMessage message, Method method) {
    return message instanceof SipRequest request && request.method().equals(method);
  }

  private static CallCommit<Call> with(
      CallCommit<Call> commit, List<CallEvent> events, CallIndex index) {
    return new CallCommit<>(
        commit.call(),
        commit.read(),
        commit.id(),
        commit.record(),
        events,
        index,
        commit.keep(),
        commit.epoch());
  }
}
