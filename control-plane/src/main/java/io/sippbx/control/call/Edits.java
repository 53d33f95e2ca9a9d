package io.sippbx.control.call;

import io.sippbx.control.event.Party;
import io.sippbx.control.sip.message.SipRequest;
import java.time.Instant;
import java.util.Optional;

/** Small changes that more than one policy makes. */
final class Edits {

  private Edits() {}

  static Call.Facts ended(Call.Facts f, Instant at) {
    return new Call.Facts(
        f.caller(),
        f.callee(),
        f.startedAt(),
        f.answeredAt(),
        Optional.of(at),
        f.codec(),
        f.rang(),
        f.callerHolds(),
        f.calleeHolds(),
        f.trail());
  }

  static Call.Facts answered(Call.Facts f, Party callee, Instant at, String codec) {
    return new Call.Facts(
        f.caller(),
        callee,
        f.startedAt(),
        Optional.of(at),
        f.endedAt(),
        codec,
        f.rang(),
        f.callerHolds(),
        f.calleeHolds(),
        f.trail().progressed(at));
  }

  static Call.Facts rang(Call.Facts f, Instant at) {
    return new Call.Facts(
        f.caller(),
        f.callee(),
        f.startedAt(),
        f.answeredAt(),
        f.endedAt(),
        f.codec(),
        true,
        f.callerHolds(),
        f.calleeHolds(),
        f.trail().progressed(at));
  }

  static Call.Facts holding(Call.Facts f, boolean callerHolds, boolean calleeHolds) {
    return new Call.Facts(
        f.caller(),
        f.callee(),
        f.startedAt(),
        f.answeredAt(),
        f.endedAt(),
        f.codec(),
        f.rang(),
        callerHolds,
        calleeHolds,
        f.trail());
  }

  /** Our INVITE on this side that was answered with a 2xx which we have not acknowledged. */
  static Optional<SipRequest> unacknowledgedInvite(Draft d, Side side) {
    Optional<SipRequest> ack = d.leg(side).ack();
    Optional<SipRequest> passedOn =
        d.reinvite
            .filter(r -> r.from() != side && r.out() == OutgoingInvite.State.ANSWERED)
            .flatMap(Reinvite::sent);
    if (passedOn.isPresent()) {
      long number = passedOn.get().cSeq().number();
      return ack.filter(a -> a.cSeq().number() >= number).isPresent() ? Optional.empty() : passedOn;
    }
    return side == Side.CALLEE && ack.isEmpty() ? answeredInvite(d) : Optional.empty();
  }

  /** Our INVITE to the callee that has the call. */
  static Optional<SipRequest> answeredInvite(Draft d) {
    for (CalleeLeg leg : d.callees) {
      if (leg.state() == OutgoingInvite.State.ANSWERED) {
        return Optional.of(leg.invite());
      }
    }
    return Optional.empty();
  }

  /** A re-INVITE of which nothing more is to come is forgotten. */
  static void forgetReinviteIfOver(Draft d) {
    if (d.reinvite.isPresent() && d.reinvite.get().isOver()) {
      int ordinal = d.reinvite.get().ordinal();
      d.stop(new TimerId(TimerId.Kind.REINVITE, ordinal));
      d.stop(new TimerId(TimerId.Kind.REINVITE_ACK, ordinal));
      d.reinvite = Optional.empty();
    }
  }
}
