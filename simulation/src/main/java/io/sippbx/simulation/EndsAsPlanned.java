package io.sippbx.simulation;

import io.sippbx.control.event.Termination.Reason;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** A call ends for the reason that its phones gave it, whatever became of nodes meanwhile. */
final class EndsAsPlanned extends Invariant {

  /** Calls that a phone takes for over. */
  private final Set<Integer> over = new LinkedHashSet<>();

  EndsAsPlanned(View view) {
    super(view);
  }

  @Override
  String says() {
    return "a call ends as its phones meant it to";
  }

  @Override
  void over(int call, boolean caller) {
    over.add(call);
  }

  @Override
  void happened(CallKey call, CallEvent event) {
    Optional<PlannedCall> plan = view().plan(call);
    if (!event.hasEnded() || plan.isEmpty()) {
      return;
    }
    Optional<Reason> reason = reason(event.getEnded().getReason());
    Set<Reason> allowed = allowed(plan.get());
    if (reason.isEmpty() || !allowed.contains(reason.get())) {
      violated(
          plan.get() + " ended as " + event.getEnded().getReason() + " in place of " + allowed);
    }
  }

  private Set<Reason> allowed(PlannedCall plan) {
    Set<Reason> allowed = EnumSet.copyOf(plan.kind().ends());
    if (isStruck(Fault.Kind::isOfMedia)) {
      allowed.addAll(EnumSet.of(Reason.NO_MEDIA, Reason.MEDIA_LOST));
    }
    if (isStruck(Fault.Kind::isOfStore)) {
      // It was refused, and was found to stand.
      allowed.add(Reason.STORE_UNAVAILABLE);
    }
    switch (plan.kind()) {
      // A CANCEL that is late meets an answer; one that is repeated for long meets no answer.
      case CANCELLED_AT_ONCE, CANCELLED_SOMETIME, BYE_WHILE_RINGING ->
          allowed.addAll(EnumSet.of(Reason.CANCELLED, Reason.NORMAL, Reason.NO_ANSWER));
      // Who repeats its 2xx for as long as we wait for an ACK, or hears no answer to its re-INVITE,
      // may hang up first.
      case NO_ACK, DIALOG_LOST -> allowed.add(Reason.NORMAL);
      // Whose BYE is not heard yet answers a re-INVITE of the other by 481.
      case REINVITED, REINVITED_BY_BOTH -> {
        if (over.contains(plan.number())) {
          allowed.add(Reason.DIALOG_LOST);
        }
      }
      // The address of nobody is tried for longer when it is tried anew.
      case FAIL_OVER -> allowed.add(Reason.NO_ANSWER);
      default -> {}
    }
    return allowed;
  }
}
