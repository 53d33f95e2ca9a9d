package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Something that always holds. It is told what happens as it happens, and says so at once when it
 * does not hold. For each there is a test with a planted bug that it sees.
 */
abstract class Invariant {

  /** What invariants may look at. */
  interface View {
    /** Virtual time since the start. */
    Duration now();

    /** The start, by the clocks of this world. */
    Instant began();

    Scenario scenario();

    /** The plan of a call; a call that a node has made up has none. */
    Optional<PlannedCall> plan(CallKey call);

    /** The start of a node that the call's record names as having it in flight. */
    Optional<String> owner(CallKey call);

    /** As {@link Owners#hasLost}. */
    boolean hasLost(CallKey call, String start);

    /** As {@link Owners#hasJustGivenUp}. */
    boolean hasJustGivenUp(CallKey call, String start);

    /** As {@link Refusals#isLost}. */
    boolean isRefusalLost(int call);

    /** As {@link Forgotten#isForgotten}. */
    boolean isForgotten(CallKey call);

    /** As {@link Forgotten#wasForgotten}. */
    boolean wasForgotten(CallKey call);

    /** As {@link Forgotten#wasSetBack}. */
    boolean wasSetBack(CallKey call);

    /** Whether the call of this plan was set back. */
    boolean wasSetBack(int call);

    /** As {@link Forgotten#isForgotten(String)}. */
    boolean isForgotten(String event);

    /** Whether the call of this plan is forgotten. */
    boolean isForgotten(int call);

    /** Does something at a time; only for looking. */
    void at(Duration time, Runnable look);

    /** The outbox that a call's events are in. */
    Outbox outbox(CallKey call);

    /** What the first node that is up measures of all outboxes; empty where none is. */
    Optional<Measured> measured();

    void violated(Invariant which, String how);

    /** What is not as it was before the first call; empty if nothing is. */
    Optional<String> leftovers();
  }

  /**
   * An outbox as it stands.
   *
   * @param limit 0: there is none
   */
  record Outbox(long events, int limit) {}

  /**
   * What a node tells those who watch over it, as it was when it was asked the last time.
   *
   * @param events in all outboxes
   * @param fullest in the fullest of them
   */
  record Measured(long events, long fullest) {}

  private final View view;

  Invariant(View view) {
    this.view = view;
  }

  final View view() {
    return view;
  }

  final void violated(String how) {
    view.violated(this, how);
  }

  /** Whether something of these kinds goes wrong, or went wrong until a short time ago. */
  final boolean isStruck(Predicate<Fault.Kind> kinds) {
    return wasStruck(view.now(), kinds);
  }

  /** The same of an earlier time. */
  final boolean wasStruck(Duration then, Predicate<Fault.Kind> kinds) {
    return view.scenario().isStruck(then.minus(Simulation.BEGIN), kinds);
  }

  /** What holds, in a few words. */
  abstract String says();

  /** A start of a control node sends a message. */
  void sent(String node, Network.Sent sent) {}

  /** A message has arrived where somebody hears it. */
  void heard(Network.Sent sent) {}

  /** A commit stands. */
  void committed(CallCommit<Call> commit) {}

  /** A committed event. */
  void happened(CallKey call, CallEvent event) {}

  /** An event of a call or a registration was committed. */
  void told(OutboxEvent event) {}

  /** An event was published, perhaps once more. */
  void arrived(OutboxEvent event) {}

  /** A phone takes its call for up. */
  void up(int call, boolean caller) {}

  /** A phone takes its call for over. */
  void over(int call, boolean caller) {}

  /** As {@link Phone.Observer#expired}; the phone by its name. */
  void expired(int call, String phone, SipRequest invite) {}

  /** A phone's 2xx was not acknowledged in 64*T1. */
  void notAcknowledged(int call, Phone phone, long cSeq) {}

  /** A node has caught a defect of its own, or dropped what it may not drop. */
  void defect(CallKey call, String what) {}

  /** Nothing is to happen any more. */
  void atRest() {}

  /** The reason with this text. */
  static Optional<Reason> reason(String text) {
    for (Reason each : Reason.values()) {
      if (each.text().equals(text)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }
}
