package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.StreamCounts;
import io.sippbx.control.offer.CodecName;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** How calls and their legs end: one operation on the call's one identity. */
final class Ending {

  /** What a tombstone outlives the last transaction by. */
  private static final Duration TOMBSTONE_MARGIN = Duration.ofSeconds(10);

  private final CallSettings settings;
  private final Messages messages;

  Ending(CallSettings settings, Messages messages) {
    this.settings = settings;
    this.messages = messages;
  }

  /** Ends whatever there is of the call. The first termination counts; later ones do nothing. */
  void end(Draft d, Termination termination) {
    if (d.termination.isPresent()) {
      return;
    }
    d.change();
    if (isNobodysDoing(termination)
        && d.facts.trail().changedBy() != settings.incarnation().value()) {
      // It was found so by a node that did not have it: nobody heard of its end.
      d.facts = d.facts.with(d.facts.trail().recovered());
    }
    d.termination = Optional.of(termination);
    d.facts = Edits.ended(d.facts, d.now);
    d.untried = List.of();
    discardPendingAnswer(d);
    d.stop(TimerId.of(Kind.NO_ANSWER));
    d.stop(TimerId.of(Kind.PROGRESS));
    d.stop(TimerId.of(Kind.MAX_DURATION));
    d.stop(TimerId.of(Kind.MEDIA));
    stopMoving(d);
    cancelAllBut(d, -1);
    endReinvite(d);
    if (d.legs.isPresent()) {
      hangUp(d, Side.CALLER);
      hangUp(d, Side.CALLEE);
    }
    giveLeaseBack(d);
    releaseMedia(d);
  }

  /** Whether no party and no administrator ended it: it was found to be over. */
  private static boolean isNobodysDoing(Termination termination) {
    return switch (termination.reason()) {
      case MEDIA_TIMEOUT, MEDIA_LOST, DIALOG_LOST -> true;
      case NORMAL,
          CANCELLED,
          BUSY,
          NO_ANSWER,
          DECLINED,
          NOT_FOUND,
          UNREACHABLE,
          REFUSED,
          NOT_ACCEPTABLE,
          NO_MEDIA,
          NO_ACK,
          MAX_DURATION,
          ADMINISTRATOR,
          STORE_UNAVAILABLE,
          SHUTDOWN,
          INTERNAL_ERROR ->
          false;
    };
  }

  /** Nobody is told any more where the media is; who was asked still gets the ACK of its 2xx. */
  private static void stopMoving(Draft d) {
    for (TimerId timer : List.copyOf(d.timers().keySet())) {
      if (timer.kind() == Kind.MOVE || timer.kind() == Kind.RENEWAL) {
        d.stop(timer);
      }
    }
    d.renewals.removeIf(each -> each.sent().isEmpty());
  }

  private static void giveLeaseBack(Draft d) {
    d.stop(TimerId.of(Kind.LEASE));
    if (d.lease == Lease.HELD) {
      d.lease = Lease.ASKED;
      d.effect(new Effect.GiveLeaseBack());
    }
  }

  /** The lease of the cluster's limit is given back, or will end by itself. */
  void leaseGivenBack(Draft d) {
    if (d.lease != Lease.ASKED) {
      return;
    }
    d.lease = Lease.NONE;
    d.note();
  }

  /** A callee that has answered, of which the caller will not hear. */
  private void discardPendingAnswer(Draft d) {
    if (d.pendingAnswer.isEmpty()) {
      return;
    }
    CalleeLeg leg = d.callee(d.pendingAnswer.get().leg());
    Optional<Fork> fork = leg.fork(d.pendingAnswer.get().response().toTag());
    d.pendingAnswer = Optional.empty();
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.CANCEL);
    d.replace(leg.with(step.state()));
    if (step.actions().contains(OutgoingInvite.Action.ACKNOWLEDGE_AND_BYE)) {
      fork.ifPresent(answered -> discard(d, d.callee(leg.ordinal()), answered));
    }
  }

  /** Cancels every callee leg that is still open, but the one given. */
  void cancelAllBut(Draft d, int ordinal) {
    for (int i = 0; i < d.callees.size(); i++) {
      if (i != ordinal && d.callee(i).state().isOpen()) {
        cancel(d, d.callee(i));
      }
    }
  }

  private void cancel(Draft d, CalleeLeg leg) {
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.CANCEL);
    d.replace(leg.with(step.state()));
    d.change();
    if (step.actions().contains(OutgoingInvite.Action.SEND_CANCEL)) {
      sendCancel(d, leg);
    }
  }

  /** Sends the CANCEL of a leg's INVITE and starts to wait for what it does. */
  void sendCancel(Draft d, CalleeLeg leg) {
    d.request(Messages.cancel(leg.invite()), leg.hop());
    d.start(new TimerId(Kind.CANCEL, leg.ordinal()), transactionTime());
  }

  /** What is open of a re-INVITE gets its final responses; the legs are about to get BYE. */
  private void endReinvite(Draft d) {
    if (d.reinvite.isEmpty()) {
      return;
    }
    Reinvite reinvite = d.reinvite.get();
    boolean saidBye = d.leg(reinvite.from()).end() == LegEnd.State.GONE;
    IncomingInvite.Step step =
        IncomingInvite.next(
            reinvite.in(),
            saidBye && reinvite.in() == IncomingInvite.State.ANSWERED
                ? IncomingInvite.Event.BYE
                : IncomingInvite.Event.CANCELLED);
    if (step.actions().contains(IncomingInvite.Action.STOP_SUCCESS)) {
      d.effect(new Effect.StopSuccess(reinvite.transaction()));
    }
    d.reinvite = Optional.of(reinvite.withIn(step.state()));
    if (step.actions().contains(IncomingInvite.Action.SEND_487)) {
      Leg leg = d.leg(reinvite.from());
      SipResponse refusal =
          messages
              .respond(reinvite.request(), 487, leg.dialog().local().tag().orElseThrow())
              .build();
      if (leg.end() != LegEnd.State.GONE) {
        d.replace(leg.withAnswered(reinvite.request(), refusal));
      }
      d.reinvite = Optional.of(reinvite.withAnswer(step.state(), refusal));
      d.respond(reinvite.transaction(), refusal);
    }
    if (step.state() != IncomingInvite.State.ANSWERED) {
      // Nobody's ACK is waited for that would bring on ours for the other side's 2xx.
      acknowledgeIfDue(d, reinvite.from().other());
    }
    d.stop(new TimerId(Kind.REINVITE, reinvite.ordinal()));
    Edits.forgetReinviteIfOver(d);
  }

  /** Ends one side of an answered call, as soon as it may be ended. */
  void hangUp(Draft d, Side side) {
    LegEnd.Event event =
        isAckDue(d, side) ? LegEnd.Event.HANG_UP_UNACKNOWLEDGED : LegEnd.Event.HANG_UP;
    step(d, side, event);
  }

  /** The peer has acknowledged our 2xx, or is not waited for any more. */
  void acknowledged(Draft d, Side side) {
    step(d, side, LegEnd.Event.ACKNOWLEDGED);
  }

  private void step(Draft d, Side side, LegEnd.Event event) {
    Leg leg = d.leg(side);
    LegEnd.Step step = LegEnd.next(leg.end(), event);
    if (step.state() == leg.end()) {
      return;
    }
    d.replace(leg.with(step.state()));
    d.change();
    if (step.actions().contains(LegEnd.Action.SEND_BYE)) {
      acknowledgeIfDue(d, side);
      sendBye(d, side);
    }
  }

  /** Whether this side has been sent a 2xx by us whose ACK is still awaited. */
  private static boolean isAckDue(Draft d, Side side) {
    return (side == Side.CALLER && d.caller.state() == IncomingInvite.State.ANSWERED)
        || d.reinvite
            .filter(r -> r.from() == side && r.in() == IncomingInvite.State.ANSWERED)
            .isPresent();
  }

  /** A 2xx that this side sent us is acknowledged before its leg is ended (13.2.2.4). */
  private void acknowledgeIfDue(Draft d, Side side) {
    Edits.unacknowledgedInvite(d, side)
        .ifPresent(invite -> sendAck(d, side, invite.cSeq().number(), Optional.empty()));
  }

  /** Sends, and remembers, the ACK for a 2xx of this side. */
  void sendAck(Draft d, Side side, long inviteCSeq, Optional<byte[]> sdp) {
    Leg leg = d.leg(side);
    Optional<Endpoint> local = messages.local(leg.dialog().hop());
    if (local.isEmpty()) {
      return;
    }
    SipRequest.Builder builder = messages.ack(leg.dialog(), inviteCSeq, nextBranch(d), local.get());
    sdp.ifPresent(body -> builder.body(Messages.SDP, body));
    SipRequest ack = builder.build();
    d.replace(leg.withAck(ack).tells(OfferAnswer.Message.ACK, sdp.isPresent()));
    d.effect(new Effect.Ack(ack, leg.dialog().hop()));
    d.note();
  }

  /**
   * A 2xx of this side came again: so does its ACK, which may be older than the last one.
   *
   * @param inviteCSeq of the INVITE that it answers
   * @param hadAnswer whether the ACK had the answer in it: then it cannot be made anew
   */
  void acknowledgeAgain(Draft d, Side side, long inviteCSeq, boolean hadAnswer) {
    Leg leg = d.leg(side);
    Optional<SipRequest> last = leg.ack();
    if (last.isEmpty() || last.get().cSeq().number() < inviteCSeq) {
      return;
    }
    if (last.get().cSeq().number() == inviteCSeq) {
      d.effect(new Effect.Ack(last.get(), leg.dialog().hop()));
      return;
    }
    if (hadAnswer) {
      return;
    }
    messages
        .local(leg.dialog().hop())
        .ifPresent(
            local -> {
              d.effect(
                  new Effect.Ack(
                      messages.ack(leg.dialog(), inviteCSeq, nextBranch(d), local).build(),
                      leg.dialog().hop()));
              // It has taken a branch: what differs from the record is written down some time, or
              // the call would stay in this node's memory as one that is not quiet.
              d.note();
            });
  }

  private void sendBye(Draft d, Side side) {
    Leg leg = d.leg(side);
    Dialog dialog = leg.dialog().withNextCSeq();
    d.replace(leg.with(dialog));
    boolean sent = sendBye(d, dialog, Optional.of(side));
    if (!sent) {
      d.replace(d.leg(side).with(LegEnd.State.GONE));
    }
  }

  private boolean sendBye(Draft d, Dialog dialog, Optional<Side> side) {
    Optional<Endpoint> local = messages.local(dialog.hop());
    if (local.isEmpty()) {
      return false;
    }
    Branch branch = nextBranch(d);
    SipRequest bye = messages.inDialog(dialog, Method.BYE, branch, local.get()).build();
    d.byes.add(new Call.Bye(branch, side, bye, dialog.hop()));
    d.request(bye, dialog.hop());
    return true;
  }

  /** Acknowledges a 2xx that nobody wants and ends its dialog. */
  void discard(Draft d, CalleeLeg leg, Fork fork) {
    Optional<Endpoint> local = messages.local(fork.dialog().hop());
    if (local.isEmpty() || fork.ack().isPresent()) {
      return;
    }
    long number = leg.invite().cSeq().number();
    SipRequest ack = messages.ack(fork.dialog(), number, nextBranch(d), local.get()).build();
    Dialog dialog = fork.dialog().withNextCSeq();
    d.replace(leg.with(fork.with(dialog).withAck(ack)));
    d.effect(new Effect.Ack(ack, dialog.hop()));
    sendBye(d, dialog, Optional.empty());
  }

  /** A BYE of ours was answered, or will not be. */
  void byeDone(Draft d, Call.Bye bye) {
    d.byes.remove(bye);
    d.note();
    if (bye.leg().isPresent()) {
      Leg leg = d.leg(bye.leg().get());
      d.replace(leg.with(LegEnd.next(leg.end(), LegEnd.Event.BYE_DONE).state()));
    }
  }

  private void releaseMedia(Draft d) {
    if (d.media.released() != MediaPart.Released.NO) {
      return;
    }
    releaseFormer(d);
    if (d.media.revision() == 0 || d.media.node().isEmpty()) {
      d.media = d.media.with(MediaPart.Released.DONE);
      return;
    }
    d.media = d.media.with(MediaPart.Released.ASKED);
    d.effect(new Effect.ReleaseMedia(d.media.node().get(), d.media.revision()));
  }

  /** The nodes that the session has left may forget it. */
  void releaseFormer(Draft d) {
    for (NodeId left : d.media.former()) {
      d.effect(new Effect.ReleaseMedia(left, d.media.revision()));
    }
  }

  /** A media node said what it counted, or will not. */
  void mediaReleased(Draft d, Input.MediaReleased in) {
    boolean left = d.media.former().contains(in.node());
    boolean last =
        d.media.released() == MediaPart.Released.ASKED
            && d.media.node().equals(Optional.of(in.node()))
            && d.media.revision() == in.revision();
    if (!left && !last) {
      return;
    }
    if (left
        && in.answer() instanceof MediaAnswer.Refused refused
        && refused.heldRevision() > in.revision()) {
      d.effect(new Effect.ReleaseMedia(in.node(), refused.heldRevision()));
      return;
    }
    if (last && Reanchoring.raised(d, in.answer())) {
      d.effect(new Effect.ReleaseMedia(in.node(), d.media.revision()));
      return;
    }
    if (in.answer() instanceof MediaAnswer.Held held) {
      d.media = d.media.counting(totals(d, held.counts()));
      if (left) {
        tellQuality(d, in.node());
      }
    }
    d.media = left ? d.media.without(in.node()) : d.media.with(MediaPart.Released.DONE);
    d.note();
  }

  /** What was counted so far; of a call in which nobody could speak only if somebody did. */
  private static void tellQuality(Draft d, NodeId counter) {
    d.media
        .totals()
        .filter(totals -> d.facts.answeredAt().isPresent() || !totals.isEmpty())
        .ifPresent(totals -> d.happening(new CallHappening.Quality(counter, totals)));
  }

  /** Whether a leg is still to be sent BYE: first the ACK that it owes us. */
  private static boolean isEndOwed(Draft d) {
    return d.legs
        .filter(
            legs ->
                legs.caller().end() == LegEnd.State.BYE_WANTED
                    || legs.callee().end() == LegEnd.State.BYE_WANTED)
        .isPresent();
  }

  private static CallHappening.MediaTotals totals(Draft d, List<StreamCounts> streams) {
    OptionalInt audio = d.media.plan().firstAudio();
    OptionalInt rate = CodecName.clockRate(d.facts.codec());
    long callerJitterUs = 0;
    long calleeJitterUs = 0;
    long callerPackets = 0;
    long callerBytes = 0;
    long callerLost = 0;
    long calleePackets = 0;
    long calleeBytes = 0;
    long calleeLost = 0;
    for (StreamCounts stream : streams) {
      callerPackets += stream.fromA().packets();
      callerBytes += stream.fromA().bytes();
      callerLost += stream.fromA().lost();
      calleePackets += stream.fromB().packets();
      calleeBytes += stream.fromB().bytes();
      calleeLost += stream.fromB().lost();
      if (rate.isPresent() && audio.equals(OptionalInt.of(stream.index()))) {
        callerJitterUs = stream.fromA().jitterTicks() * 1_000_000 / rate.getAsInt();
        calleeJitterUs = stream.fromB().jitterTicks() * 1_000_000 / rate.getAsInt();
      }
    }
    return new CallHappening.MediaTotals(
        callerPackets,
        callerBytes,
        callerLost,
        calleePackets,
        calleeBytes,
        calleeLost,
        callerJitterUs,
        calleeJitterUs);
  }

  /**
   * Tells the end, once the last counts are in and nothing is open towards anybody; what remains is
   * a tombstone. Until then the call has an owner, or is taken over: a CANCEL or BYE that was lost
   * is sent again, whoever dies.
   */
  void finish(Draft d) {
    if (d.termination.isEmpty()
        || d.endPublished
        || d.lease != Lease.NONE
        || d.media.released() != MediaPart.Released.DONE
        || !d.media.former().isEmpty()
        || !d.byes.isEmpty()
        || isEndOwed(d)
        || CalleeLeg.isAnyOpen(d.callees)) {
      return;
    }
    d.endPublished = true;
    abandonReinvites(d);
    d.media.node().ifPresent(node -> tellQuality(d, node));
    d.happening(
        new CallHappening.Ended(
            d.facts.caller(),
            d.facts.callee(),
            d.facts.startedAt(),
            d.facts.answeredAt(),
            d.facts.endedAt().orElse(d.now),
            d.termination.get(),
            d.facts.codec(),
            d.media.node().map(Object::toString).orElse(""),
            d.media.totals(),
            d.facts.trail().progressAt(),
            d.facts.trail().firstNode(),
            d.facts.trail().knownUp()));
    d.start(TimerId.of(Kind.TOMBSTONE), transactionTime().plus(TOMBSTONE_MARGIN));
  }

  /**
   * Re-INVITEs of ours that are still open: their peers have answered BYE, and have nothing more to
   * say but what is heard without a transaction too. At once: until the commit is answered they
   * might be repeated, of a call whose end is told.
   */
  private static void abandonReinvites(Draft d) {
    for (Renewal each : d.renewals) {
      each.sent().ifPresent(sent -> d.effectBesideCommit(new Effect.Abandon(sent)));
    }
    d.reinvite
        .filter(each -> each.out().isOpen())
        .flatMap(Reinvite::sent)
        .ifPresent(sent -> d.effectBesideCommit(new Effect.Abandon(sent)));
  }

  Branch nextBranch(Draft d) {
    return new BranchName(d.key, d.nextBranchNumber(), settings.incarnation(), settings.node())
        .branch();
  }

  /** 64*T1: how long a transaction may wait. */
  Duration transactionTime() {
    return settings.timers().t1().multipliedBy(64);
  }
}
