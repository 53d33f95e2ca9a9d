package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.Party;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TelUri;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Decides what an input does to a call (law 2). Pure: equal arguments give equal decisions; no
 * clock, randomness, input or output. May be used by several threads at once.
 *
 * <p>This class only tells whose business an input is; the policies are {@link Setup}, {@link
 * CallerSide}, {@link InDialog}, {@link Reinviting}, {@link Reanchoring} and {@link Ending}.
 */
public final class CallDecider {

  private static final Duration MEDIA_RETRY = Duration.ofSeconds(2);

  private final CallSettings settings;
  private final CallerSide caller;
  private final Setup setup;
  private final InDialog inDialog;
  private final Reinviting reinviting;
  private final Ending ending;
  private final Negotiation negotiation;
  private final Reanchoring reanchoring;
  private final Resuming resuming;

  /**
   * @param addresses what to write into Via and Contact
   */
  public CallDecider(CallSettings settings, LocalAddresses addresses) {
    this.settings = settings;
    var messages = new Messages(addresses, settings.serverName());
    this.negotiation = new Negotiation(settings);
    this.ending = new Ending(settings, messages);
    this.caller = new CallerSide(settings, messages, ending);
    this.reinviting = new Reinviting(settings, messages, negotiation, ending);
    this.reanchoring = new Reanchoring(caller, messages, negotiation, reinviting, ending);
    var launching = new Launching(settings, messages, negotiation, caller, ending);
    this.setup = new Setup(settings, messages, negotiation, caller, launching, ending);
    this.inDialog = new InDialog(messages, caller, reinviting, ending);
    this.resuming =
        new Resuming(
            negotiation,
            ending,
            reanchoring,
            new Restarting(messages, launching, inDialog, ending));
  }

  /** The first input of a call. */
  public Decision begin(CallKey key, Input.InviteArrived in, Instant now) {
    var caller =
        new CallerLeg(
            in.transaction(),
            in.invite(),
            in.flow(),
            in.hop().of(device(in.invite())),
            IncomingInvite.State.PROCEEDING,
            Optional.empty());
    Uri from = in.invite().from().uri();
    Uri dialled = in.invite().uri();
    var facts =
        new Call.Facts(
            new Party(
                user(from),
                from.toString(),
                in.invite().callId().value(),
                in.flow().remote().ip().toString()),
            new Party(user(dialled), dialled.toString(), "", firstHop(in.route())),
            now,
            Optional.empty(),
            Optional.empty(),
            "",
            false,
            false,
            false,
            new Call.Trail(
                settings.node().text(), Optional.empty(), false, now, start(), Optional.empty()));
    MediaPlan plan = MediaPlan.none(in.flow().remote().ip().isV6(), calleeIsV6(in.route()));
    var draft =
        new Draft(key, now, caller, in.route(), MediaPart.none(in.mediaNode(), plan), facts);
    if (in.leased()) {
      draft.lease = Lease.HELD;
      draft.start(TimerId.of(Kind.LEASE), Lease.FIRST.dividedBy(2));
    }
    setup.begin(draft);
    ending.finish(draft);
    return draft.decision();
  }

  /** Who calls, if that may be one device of several with this address-of-record. */
  private static Optional<Device> device(SipRequest invite) {
    if (!(invite.from().uri() instanceof SipUri from)
        || from.host().isEmpty()
        || from.userText().filter(user -> !user.isEmpty()).isEmpty()) {
      return Optional.empty();
    }
    return invite.contacts().stream()
        .findFirst()
        .flatMap(Device::instanceOf)
        .map(instance -> new Device(from.userText().get(), from.host(), Optional.of(instance)));
  }

  private static String firstHop(List<List<Target>> route) {
    return route.isEmpty() || route.getFirst().isEmpty()
        ? ""
        : route.getFirst().getFirst().hop().remote().ip().toString();
  }

  private static boolean calleeIsV6(List<List<Target>> route) {
    return !route.isEmpty()
        && !route.getFirst().isEmpty()
        && route.getFirst().getFirst().hop().remote().ip().isV6();
  }

  private static String user(Uri uri) {
    return switch (uri) {
      case SipUri sip -> sip.user().orElse(sip.toString());
      case TelUri tel -> tel.number();
      default -> uri.toString();
    };
  }

  /** Any further input. */
  public Decision decide(Call call, Input input, Instant now) {
    var draft = new Draft(call, now);
    switch (input) {
      case Input.InviteArrived in -> caller.again(draft, in.transaction(), in.invite(), in.flow());
      case Input.RequestArrived in -> inDialog.request(draft, in);
      case Input.AckArrived in -> inDialog.ack(draft, in.ack());
      case Input.RefusalAcknowledged in -> caller.refusalAcknowledged(draft, in.transaction());
      case Input.ResponseArrived in -> response(draft, in);
      case Input.RequestFailed in -> requestFailed(draft, in);
      case Input.TimerFired in -> timer(draft, in.timer());
      case Input.MediaApplied in -> mediaApplied(draft, in);
      case Input.MediaReleased in -> ending.mediaReleased(draft, in);
      case Input.MediaPlaced in -> reanchoring.placed(draft, in);
      case Input.LeaseGivenBack in -> ending.leaseGivenBack(draft);
      case Input.MediaHappened in -> mediaHappened(draft, in.event());
      case Input.TakenOver in -> resuming.resume(draft);
      case Input.RefusedAhead in -> caller.refusedAhead(draft, in.refusal());
      case Input.HangUp in -> hangUp(draft, in.reason());
    }
    reanchoring.proceed(draft);
    ending.finish(draft);
    draft.signed(start());
    return draft.decision();
  }

  private long start() {
    return settings.incarnation().value();
  }

  private void response(Draft d, Input.ResponseArrived in) {
    Method method = in.response().cSeq().method();
    if (method.equals(Method.CANCEL)) {
      return;
    }
    Branch branch = in.branch();
    if (method.equals(Method.INVITE) && in.response().status() >= 300) {
      acknowledgeFailure(d, in);
    }
    Optional<Renewal> renewal = Reanchoring.sentAs(d, branch);
    if (renewal.isPresent()) {
      reanchoring.response(d, renewal.get(), in);
      return;
    }
    if (method.equals(Method.INVITE)) {
      Optional<CalleeLeg> leg = legOf(d, branch);
      if (leg.isPresent()) {
        setup.response(d, leg.get(), in);
      } else if (Reinviting.isSent(d, branch)) {
        reinviting.response(d, in);
      } else if (in.response().isSuccess()) {
        Optional<CalleeLeg> givenUp = legOfFormerBranch(d, in.response());
        if (givenUp.isPresent()) {
          setup.successTooLate(d, givenUp.get(), in);
        } else {
          acknowledgeAgain(d, in);
        }
      }
      return;
    }
    Optional<Call.Bye> bye = byeOf(d, branch);
    if (bye.isPresent()) {
      if (in.response().status() >= 200) {
        ending.byeDone(d, bye.get());
      }
      return;
    }
    relayedOf(d, branch).ifPresent(relayed -> inDialog.relayedResponse(d, relayed, in.response()));
  }

  /**
   * Once what the failure means is in the record. Were the peer told before, it would forget the
   * INVITE, and take it for a new one from whoever goes on with the call from the record.
   */
  private static void acknowledgeFailure(Draft d, Input.ResponseArrived in) {
    Branch branch = in.branch();
    Optional<CalleeLeg> leg = legOf(d, branch);
    Optional<Renewal> renewal = Reanchoring.sentAs(d, branch);
    Optional<SipRequest> invite = Optional.empty();
    Destination to = in.hop();
    if (leg.isPresent()) {
      invite = leg.map(CalleeLeg::invite);
      to = leg.get().hop();
    } else if (renewal.isPresent()) {
      invite = renewal.get().sent();
      to = d.leg(renewal.get().side()).dialog().hop();
    } else if (Reinviting.isSent(d, branch)) {
      Reinvite reinvite = d.reinvite.orElseThrow();
      invite = reinvite.sent();
      to = d.leg(reinvite.from().other()).dialog().hop();
    }
    d.effect(new Effect.AckFailure(in.response(), invite, to));
  }

  /** The 2xx to a re-INVITE that is over, again: its ACK again. */
  private static void acknowledgeAgain(Draft d, Input.ResponseArrived in) {
    if (d.legs.isEmpty()) {
      return;
    }
    for (Side side : Side.values()) {
      Leg leg = d.leg(side);
      boolean sameDialog =
          leg.dialog().callId().equals(in.response().callId())
              && leg.dialog().local().tag().equals(in.response().fromTag());
      if (sameDialog) {
        leg.ack()
            .filter(ack -> ack.cSeq().number() == in.response().cSeq().number())
            .ifPresent(ack -> d.effect(new Effect.Ack(ack, leg.dialog().hop())));
      }
    }
  }

  private void requestFailed(Draft d, Input.RequestFailed in) {
    Optional<Renewal> renewal = Reanchoring.sentAs(d, in.branch());
    if (renewal.isPresent()) {
      reanchoring.requestFailed(d, renewal.get(), in.timedOut());
      return;
    }
    if (in.method().equals(Method.INVITE)) {
      Optional<CalleeLeg> leg = legOf(d, in.branch());
      if (leg.isPresent()) {
        setup.failed(d, leg.get(), in.timedOut());
      } else if (Reinviting.isSent(d, in.branch())) {
        reinviting.requestFailed(d);
      }
      return;
    }
    Optional<Call.Bye> bye = byeOf(d, in.branch());
    if (bye.isPresent()) {
      ending.byeDone(d, bye.get());
      return;
    }
    relayedOf(d, in.branch())
        .ifPresent(relayed -> inDialog.relayedFailed(d, relayed, in.timedOut()));
  }

  private void timer(Draft d, TimerId timer) {
    if (!d.holds(timer)) {
      return;
    }
    d.stop(timer);
    switch (timer.kind()) {
      case NO_ANSWER -> setup.noAnswer(d);
      case PROGRESS -> caller.progress(d);
      case CANCEL -> setup.cancelTimer(d, d.callee(timer.ordinal()));
      case ACK -> ackTimer(d);
      case REINVITE -> reinviting.timer(d, timer.ordinal());
      case REINVITE_ACK -> reinviting.ackTimer(d, timer.ordinal());
      case MAX_DURATION ->
          ending.end(d, new Termination(Result.COMPLETED, Reason.MAX_DURATION, 200));
      case MEDIA -> applyAgain(d);
      case MOVE -> reanchoring.look(d, timer.ordinal());
      case RENEWAL -> reanchoring.timer(d, timer.ordinal());
      case LEASE -> renewLease(d);
      case SETTLE -> d.change();
      case TOMBSTONE -> d.remove();
    }
  }

  /** The caller never acknowledged the answer: the callee is, and both are sent BYE (13.3.1.4). */
  private void ackTimer(Draft d) {
    IncomingInvite.Step step =
        IncomingInvite.next(d.caller.state(), IncomingInvite.Event.ACK_TIMER);
    inDialog.stopAnswer(d, step);
    ending.acknowledged(d, Side.CALLER);
    if (step.actions().contains(IncomingInvite.Action.END_CALL)) {
      ending.end(d, new Termination(Result.COMPLETED, Reason.NO_ACK, 200));
    }
  }

  private void mediaApplied(Draft d, Input.MediaApplied in) {
    if (d.termination.isPresent() || in.revision() != d.media.revision()) {
      return;
    }
    switch (in.answer()) {
      case MediaAnswer.Held held -> {
        d.stop(TimerId.of(Kind.MEDIA));
        reanchoring.held(d);
        reanchoring.tellMoved(d);
        d.media = d.media.holding(held.revision(), held.addresses());
        d.note();
        resume(d);
      }
      case MediaAnswer.Refused refused -> {
        if (!reanchoring.refused(d, refused)) {
          mediaRefused(d);
        }
      }
      case MediaAnswer.Unreachable unreachable -> {
        if (reanchoring.refused(d, unreachable)) {
          return;
        }
        if (!isWaitedFor(d)) {
          d.start(TimerId.of(Kind.MEDIA), MEDIA_RETRY);
        } else {
          mediaRefused(d);
        }
      }
    }
  }

  /** Whether something can go on only with the answer of the media node. */
  private static boolean isWaitedFor(Draft d) {
    return d.legs.isEmpty()
        ? d.callees.isEmpty() || d.pendingAnswer.isPresent()
        : d.reinvite.filter(r -> r.waiting().isPresent() || r.sent().isEmpty()).isPresent();
  }

  private void resume(Draft d) {
    if (!d.media.hasAllAddresses()) {
      mediaRefused(d);
    } else if (d.pendingAnswer.isPresent()) {
      setup.resumeAnswer(d, d.pendingAnswer.get());
    } else if (d.legs.isEmpty() && d.callees.isEmpty()) {
      setup.mediaOpened(d);
    } else if (d.reinvite.isPresent()) {
      reinviting.resume(d);
    }
  }

  private void mediaRefused(Draft d) {
    if (d.legs.isEmpty()) {
      caller.noMedia(d);
    } else if (isWaitedFor(d)) {
      reinviting.mediaRefused(d);
    } else {
      ending.end(d, new Termination(Result.COMPLETED, Reason.MEDIA_LOST, 200));
    }
  }

  private void applyAgain(Draft d) {
    if (d.termination.isEmpty() && d.media.node().isPresent()) {
      d.effect(negotiation.apply(d));
    }
  }

  private static void renewLease(Draft d) {
    d.effect(new Effect.RenewLease(Lease.RENEWED));
    d.start(TimerId.of(Kind.LEASE), Lease.RENEWED.dividedBy(2));
  }

  private void mediaHappened(Draft d, MediaEvent event) {
    if (d.termination.isPresent()) {
      return;
    }
    switch (event) {
      case MediaEvent.FirstPacket first -> {}
      case MediaEvent.MediaTimeout timeout -> {
        if (timeout.revision() == d.media.revision()) {
          hangUp(d, Reason.MEDIA_TIMEOUT);
        } else if (timeout.revision() > d.media.revision() && d.media.node().isPresent()) {
          reanchoring.heardOfLater(d, timeout.revision());
        }
      }
      case MediaEvent.Expired expired -> {
        if (d.media.isOn(expired.node())) {
          hangUp(d, Reason.MEDIA_LOST);
        }
      }
      case MediaEvent.SessionLost lost -> reanchoring.sessionLost(d, lost.node());
      case MediaEvent.NodeLost lost -> reanchoring.nodeLost(d, lost.node());
      case MediaEvent.NodeDraining draining -> reanchoring.draining(d, draining.node());
    }
  }

  private void hangUp(Draft d, Reason reason) {
    if (d.legs.isPresent()) {
      ending.end(d, new Termination(Result.COMPLETED, reason, 200));
    } else {
      caller.rejectWith(
          d,
          503,
          new Termination(Result.FAILED, reason, 503),
          builder -> builder.header(HeaderName.RETRY_AFTER, "10"));
    }
  }

  private static Optional<CalleeLeg> legOf(Draft d, Branch branch) {
    for (CalleeLeg leg : d.callees) {
      if (leg.branch().equals(branch)) {
        return Optional.of(leg);
      }
    }
    return Optional.empty();
  }

  /** The leg whose INVITE this answers in a transaction that was given up. */
  private static Optional<CalleeLeg> legOfFormerBranch(Draft d, SipResponse response) {
    for (CalleeLeg leg : d.callees) {
      SipRequest invite = leg.invite();
      if (invite.callId().equals(response.callId())
          && invite.cSeq().equals(response.cSeq())
          && invite.fromTag().equals(response.fromTag())) {
        return Optional.of(leg);
      }
    }
    return Optional.empty();
  }

  private static Optional<Call.Bye> byeOf(Draft d, Branch branch) {
    for (Call.Bye bye : d.byes) {
      if (bye.branch().equals(branch)) {
        return Optional.of(bye);
      }
    }
    return Optional.empty();
  }

  private static Optional<Call.Relayed> relayedOf(Draft d, Branch branch) {
    for (Call.Relayed relayed : d.relayed) {
      if (relayed.branch().equals(branch)) {
        return Optional.of(relayed);
      }
    }
    return Optional.empty();
  }
}
