package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Destination;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Going on with a call whose node is gone: transactions are made anew from the record, what was not
 * acknowledged is sent again, and what peers repeat is answered. Every effect may have been carried
 * out before; peers absorb a message that comes twice. Where that node had an address of its own,
 * see {@link Restarting}.
 */
final class Resuming {

  /** Where a peer had no time to be heard, the media node among them. */
  private static final Duration SOON = Duration.ofSeconds(2);

  private final Negotiation negotiation;
  private final Ending ending;
  private final Reanchoring reanchoring;
  private final Restarting restarting;

  Resuming(Negotiation negotiation, Ending ending, Reanchoring reanchoring, Restarting restarting) {
    this.negotiation = negotiation;
    this.ending = ending;
    this.reanchoring = reanchoring;
    this.restarting = restarting;
  }

  void resume(Draft d) {
    if (d.endPublished) {
      if (d.caller.state() == IncomingInvite.State.REJECTED) {
        d.change();
        caller(d);
      }
      return;
    }
    // The record says from here on that it is in flight on this node; effects come after that.
    d.change();
    d.facts = d.facts.with(d.facts.trail().recovered());
    timers(d);
    caller(d);
    for (CalleeLeg leg : List.copyOf(d.callees)) {
      callee(d, leg);
    }
    d.reinvite.ifPresent(reinvite -> reinvite(d, reinvite));
    for (Call.Relayed each : List.copyOf(d.relayed)) {
      if (restarting.isNeeded(each.sent(), each.hop())) {
        restarting.relayed(d, each);
      } else {
        d.effect(new Effect.ResumeServer(each.transaction(), each.flow(), Optional.empty()));
        d.effect(new Effect.ResumeClient(each.sent(), each.hop(), ending.transactionTime()));
      }
    }
    for (Call.Bye each : List.copyOf(d.byes)) {
      if (restarting.isNeeded(each.sent(), each.hop())) {
        restarting.bye(d, each);
      } else {
        d.effect(new Effect.ResumeClient(each.sent(), each.hop(), ending.transactionTime()));
      }
    }
    media(d);
    reanchoring.resume(d);
    if (d.lease == Lease.ASKED) {
      d.effect(new Effect.GiveLeaseBack());
    }
  }

  private void caller(Draft d) {
    CallerLeg leg = d.caller;
    switch (leg.state()) {
      case PROCEEDING, REJECTED ->
          d.effect(new Effect.ResumeServer(leg.transaction(), leg.flow(), leg.lastResponse()));
      case ANSWERED -> {
        d.effect(new Effect.ResumeServer(leg.transaction(), leg.flow(), leg.lastResponse()));
        leg.lastResponse()
            .ifPresent(
                response ->
                    d.effect(new Effect.RespondUntilAck(leg.transaction(), response, leg.flow())));
      }
      case CONFIRMED -> {}
    }
  }

  private void callee(Draft d, CalleeLeg leg) {
    if (!leg.state().isOpen()) {
      return;
    }
    if (restarting.isNeeded(leg.invite(), leg.hop())) {
      restarting.callee(d, leg);
    } else {
      invite(d, leg.invite(), leg.hop(), leg.state() == OutgoingInvite.State.CANCELLING);
    }
  }

  private void invite(Draft d, SipRequest invite, Destination to, boolean cancelled) {
    if (cancelled) {
      // The callee may have given its 487 up, and forgotten it, before anybody heard it: the INVITE
      // would ring there once more, and the CANCEL be a repeat that is answered and does nothing.
      d.effect(new Effect.AwaitFinal(invite, to));
      d.effect(new Effect.ResumeClient(Messages.cancel(invite), to, ending.transactionTime()));
    } else {
      // The callee has this INVITE already, and says again what it said last.
      d.effect(new Effect.ResumeClient(invite, to, ending.transactionTime()));
    }
  }

  private void reinvite(Draft d, Reinvite reinvite) {
    if (reinvite.in() != IncomingInvite.State.CONFIRMED) {
      d.effect(new Effect.ResumeServer(reinvite.transaction(), reinvite.flow(), reinvite.answer()));
    }
    if (reinvite.in() == IncomingInvite.State.ANSWERED) {
      reinvite
          .answer()
          .ifPresent(
              answer ->
                  d.effect(
                      new Effect.RespondUntilAck(reinvite.transaction(), answer, reinvite.flow())));
    }
    if (reinvite.sent().isPresent() && reinvite.out().isOpen()) {
      var to = d.leg(reinvite.from().other()).dialog().hop();
      SipRequest sent = reinvite.sent().get();
      boolean cancelled = reinvite.out() == OutgoingInvite.State.CANCELLING;
      if (!cancelled && !reinvite.cancelWanted() && restarting.isNeeded(sent, to)) {
        restarting.reinvite(d, reinvite);
      } else {
        invite(d, sent, to, cancelled);
      }
    }
  }

  private void media(Draft d) {
    MediaPart media = d.media;
    if (media.node().isEmpty() || media.revision() == 0) {
      return;
    }
    switch (media.released()) {
      case NO -> d.effect(negotiation.apply(d));
      case ASKED -> {
        d.effect(new Effect.ReleaseMedia(media.node().get(), media.revision()));
        ending.releaseFormer(d);
      }
      // Something else was committed between the answers of the node and of one before it.
      case DONE -> ending.releaseFormer(d);
    }
  }

  /**
   * What waits for a peer's message does so for a while at least, since nobody was there to hear
   * it; but not anew, or nodes that die one after another would keep a peer up alone for minutes.
   */
  private void timers(Draft d) {
    for (Map.Entry<TimerId, Instant> each : new ArrayList<>(d.timers().entrySet())) {
      switch (each.getKey().kind()) {
        case ACK, CANCEL, REINVITE_ACK -> atLeast(d, each, ending.transactionTime().dividedBy(2));
        case NO_ANSWER, REINVITE -> atLeast(d, each, SOON);
        case PROGRESS, MEDIA, MOVE, RENEWAL, MAX_DURATION, LEASE, SETTLE, TOMBSTONE -> {}
      }
    }
    if (d.media.released() == MediaPart.Released.NO && d.holds(TimerId.of(Kind.MEDIA))) {
      d.start(TimerId.of(Kind.MEDIA), SOON);
    }
  }

  private static void atLeast(Draft d, Map.Entry<TimerId, Instant> timer, Duration wait) {
    if (timer.getValue().isBefore(d.now.plus(wait))) {
      d.start(timer.getKey(), wait);
    }
  }
}
