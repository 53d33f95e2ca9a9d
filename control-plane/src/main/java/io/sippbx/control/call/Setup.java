package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Party;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** From the caller's INVITE to the answer, or to the last failure. */
final class Setup {

  /** Dialogs of one INVITE, of which each costs state here and a dialog towards the caller. */
  private static final int MAX_FORKS = 20;

  private final CallSettings settings;
  private final Messages messages;
  private final Negotiation negotiation;
  private final CallerSide caller;
  private final Launching launching;
  private final Ending ending;

  Setup(
      CallSettings settings,
      Messages messages,
      Negotiation negotiation,
      CallerSide caller,
      Launching launching,
      Ending ending) {
    this.settings = settings;
    this.messages = messages;
    this.negotiation = negotiation;
    this.caller = caller;
    this.launching = launching;
    this.ending = ending;
  }

  /** The first INVITE of a call. */
  void begin(Draft d) {
    d.happening(new CallHappening.Started(d.facts.caller(), d.facts.callee()));
    if (d.untried.isEmpty()) {
      caller.reject(d, 404);
      return;
    }
    switch (negotiation.read(d.caller.invite())) {
      case Negotiation.Body.Refused refused -> caller.reject(d, refused.status(), refused::explain);
      case Negotiation.Body.None none -> {
        if (d.media.node().isEmpty()) {
          // The offer will be a callee's: too late then to find that nobody can relay it.
          caller.noMedia(d);
        } else {
          begin(d, Optional.empty());
        }
      }
      case Negotiation.Body.Session session -> {
        Optional<Negotiation.Body.Refused> refused =
            negotiation.openForOffer(d, session.description());
        if (refused.isPresent()) {
          caller.reject(d, refused.get().status(), refused.get()::explain);
        } else if (d.media.plan().streams().isEmpty()) {
          begin(d, Optional.empty());
        } else if (d.media.node().isEmpty()) {
          caller.noMedia(d);
        } else {
          // Beside the commit: the node drops by itself what is never confirmed.
          begin(d, Optional.of(d.media));
        }
      }
    }
  }

  private void begin(Draft d, Optional<MediaPart> media) {
    caller.trying(d);
    d.start(TimerId.of(Kind.NO_ANSWER), settings.noAnswer());
    if (media.isPresent()) {
      d.effectBesideCommit(negotiation.apply(d));
    } else {
      launching.nextGroup(d);
    }
  }

  /** The media node has opened the ports for the first offer: callees are called. */
  void mediaOpened(Draft d) {
    launching.nextGroup(d);
    if (d.termination.isEmpty()) {
      negotiation.keep(d);
    }
  }

  /** A response to an INVITE of ours. */
  void response(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    int status = in.response().status();
    if (status > 100 && status < 300 && isOneForkTooMany(leg, in.response())) {
      return;
    }
    if (status < 200) {
      provisional(d, leg, in);
    } else if (status < 300) {
      success(d, leg, in);
    } else {
      failure(d, leg, status, Optional.of(in.response()), in.redirect());
    }
  }

  /**
   * Whether a dialog that was not heard of before is above the limit. The answer to an INVITE that
   * has none yet is always taken.
   */
  private static boolean isOneForkTooMany(CalleeLeg leg, SipResponse response) {
    boolean answers = response.isSuccess() && leg.state().isOpen();
    return !answers && leg.forks().size() >= MAX_FORKS && leg.fork(response.toTag()).isEmpty();
  }

  private void provisional(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.PROVISIONAL);
    if (step.state() != leg.state()) {
      d.replace(leg.with(step.state()));
      d.note();
    }
    for (OutgoingInvite.Action action : step.actions()) {
      if (action == OutgoingInvite.Action.SEND_CANCEL) {
        ending.sendCancel(d, leg);
      } else if (action == OutgoingInvite.Action.RELAY_PROVISIONAL
          && in.response().status() > 100) {
        relayProvisional(d, leg.ordinal(), in);
      }
    }
  }

  private void relayProvisional(Draft d, int ordinal, Input.ResponseArrived in) {
    SipResponse received = in.response();
    Fork fork = fork(d, ordinal, in);
    Optional<byte[]> body = negotiation.provisional(d, ordinal, fork, received);
    fork = d.callee(ordinal).fork(received.toTag()).orElse(fork);
    NameAddr contact = caller.contact(d);
    SipResponse.Builder response =
        messages.respondInDialog(
            d.caller.invite(), received.status(), d.callerTag(fork.ordinal()), contact);
    response.reason(received.reason());
    body.ifPresent(sdp -> response.body(Messages.SDP, sdp));
    boolean relayed = caller.ring(d, response.build());
    if (relayed && !d.facts.rang() && received.status() >= 180) {
      d.facts = Edits.rang(d.facts, d.now);
      d.happeningSoon(new CallHappening.Ringing(received.status()));
    }
    if (relayed && body.isPresent() && !d.facts.trail().earlyMedia()) {
      d.facts = d.facts.with(d.facts.trail().withEarlyMedia());
      d.happening(new CallHappening.EarlyMedia(received.status()));
    }
  }

  /** The fork that a response belongs to; a new one for a tag that was not heard before. */
  private Fork fork(Draft d, int legOrdinal, Input.ResponseArrived in) {
    CalleeLeg leg = d.callee(legOrdinal);
    SipResponse response = in.response();
    Optional<Fork> known = leg.fork(response.toTag());
    Optional<Uri> target = response.contacts().stream().findFirst().map(NameAddr::uri);
    List<NameAddr> routes = new ArrayList<>(response.recordRoutes()).reversed();
    Fork fork;
    if (known.isPresent()) {
      fork = known.get();
      if (response.isSuccess()) {
        Uri confirmed = target.orElse(fork.dialog().remoteTarget());
        fork = fork.with(fork.dialog().confirmedBy(routes, confirmed, in.hop()));
      } else if (target.isPresent() && !target.get().equals(fork.dialog().remoteTarget())) {
        fork = fork.with(fork.dialog().withRemoteTarget(target.get(), in.hop()));
      }
    } else {
      SipRequest invite = leg.invite();
      var dialog =
          new Dialog(
              invite.callId(),
              invite.from(),
              response.to(),
              invite.cSeq().number(),
              -1,
              routes,
              target.orElse(invite.uri()),
              invite.contacts().getFirst(),
              in.hop().of(leg.hop().device()));
      int ordinal = d.nextForkOrdinal();
      fork =
          new Fork(
              ordinal,
              dialog,
              SdpState.of(leg.sdp()),
              negotiation.towardsCaller(d, ordinal),
              Optional.empty());
    }
    if (!known.equals(Optional.of(fork))) {
      d.replace(leg.with(fork));
      if (isOnly(d, fork)) {
        d.note();
      } else {
        d.change();
      }
    }
    return fork;
  }

  /**
   * Whether this is all that was heard of callees: whoever goes on with the call without knowing of
   * it hears it again, for the INVITE is repeated, and gives it the same tag towards the caller.
   */
  private static boolean isOnly(Draft d, Fork fork) {
    return d.callees.size() == 1 && fork.ordinal() == 0;
  }

  private void success(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    if (isRepeat(d, leg, in)) {
      return;
    }
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.SUCCESS);
    Fork fork = fork(d, leg.ordinal(), in);
    d.replace(d.callee(leg.ordinal()).with(step.state()));
    d.stop(new TimerId(Kind.CANCEL, leg.ordinal()));
    d.change();
    for (OutgoingInvite.Action action : step.actions()) {
      if (action == OutgoingInvite.Action.ACKNOWLEDGE_AND_BYE) {
        ending.discard(d, d.callee(leg.ordinal()), fork);
      } else if (action == OutgoingInvite.Action.RELAY_SUCCESS) {
        ending.cancelAllBut(d, leg.ordinal());
        d.untried = List.of();
        d.stop(TimerId.of(Kind.NO_ANSWER));
        answered(d, leg.ordinal(), fork, in.response());
      }
    }
  }

  /** A 2xx that was heard before gets the ACK again, if that was sent, and nothing else. */
  private boolean isRepeat(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    Optional<Fork> known = leg.fork(in.response().toTag());
    if (known.isEmpty()) {
      return false;
    }
    Fork fork = known.get();
    if (d.legs.isPresent() && fork.ordinal() == d.leg(Side.CALLEE).forkOrdinal()) {
      ending.acknowledgeAgain(
          d, Side.CALLEE, leg.invite().cSeq().number(), !d.caller.invite().hasBody());
      return true;
    }
    fork.ack().ifPresent(ack -> d.effect(new Effect.Ack(ack, fork.dialog().hop())));
    return fork.ack().isPresent()
        || d.pendingAnswer.filter(pending -> pending.fork() == fork.ordinal()).isPresent();
  }

  /**
   * A 2xx from a destination that had been given up: whoever answers there must be told that nobody
   * is (RFC 3261 13.2.2.4).
   */
  void successTooLate(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    if (!isRepeat(d, leg, in) && !isOneForkTooMany(leg, in.response())) {
      Fork fork = fork(d, leg.ordinal(), in);
      ending.discard(d, d.callee(leg.ordinal()), fork);
    }
  }

  private void answered(Draft d, int legOrdinal, Fork fork, SipResponse response) {
    switch (negotiation.answer(d, fork, response)) {
      case Negotiation.Answer.Ready ready -> deliver(d, legOrdinal, ready, response);
      case Negotiation.Answer.WaitForMedia wait ->
          d.pendingAnswer =
              Optional.of(new Call.PendingAnswer(legOrdinal, fork.ordinal(), response));
      case Negotiation.Answer.Unusable unusable -> {
        ending.discard(d, d.callee(legOrdinal), fork);
        d.replace(d.callee(legOrdinal).with(OutgoingInvite.State.DISCARDED));
        caller.reject(d, 488);
      }
    }
  }

  /** The media node has opened the streams of a callee's offer: its 2xx is passed on. */
  void resumeAnswer(Draft d, Call.PendingAnswer pending) {
    d.pendingAnswer = Optional.empty();
    Optional<Fork> fork = d.callee(pending.leg()).fork(pending.response().toTag());
    fork.ifPresent(
        f ->
            deliver(
                d,
                pending.leg(),
                negotiation.resumed(d, f, pending.response()),
                pending.response()));
  }

  /** Passes a 2xx on to the caller: the call is up. */
  private void deliver(
      Draft d, int legOrdinal, Negotiation.Answer.Ready ready, SipResponse received) {
    Fork fork = ready.fork();
    d.replace(d.callee(legOrdinal).with(fork));
    IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.ANSWER);
    if (!step.actions().contains(IncomingInvite.Action.SEND_SUCCESS_UNTIL_ACK)) {
      ending.discard(d, d.callee(legOrdinal), fork);
      return;
    }
    SipRequest invite = d.caller.invite();
    Tag tag = d.callerTag(fork.ordinal());
    NameAddr contact = caller.contact(d);
    SipResponse.Builder builder =
        messages.respondInDialog(invite, received.status(), tag, contact).reason(received.reason());
    ready.body().ifPresent(sdp -> builder.body(Messages.SDP, sdp));
    SipResponse response = builder.build();
    d.caller = d.caller.withLastResponse(response).with(step.state());
    d.effect(new Effect.RespondUntilAck(d.caller.transaction(), response, d.caller.flow()));
    d.stop(TimerId.of(Kind.PROGRESS));
    d.start(TimerId.of(Kind.ACK), ending.transactionTime());
    if (!settings.maxDuration().isZero()) {
      d.start(TimerId.of(Kind.MAX_DURATION), settings.maxDuration());
    }
    var callerDialog =
        new Dialog(
            invite.callId(),
            invite.to().withTag(tag),
            invite.from(),
            0,
            invite.cSeq().number(),
            invite.recordRoutes(),
            invite.contacts().isEmpty() ? invite.from().uri() : invite.contacts().getFirst().uri(),
            contact,
            d.caller.hop());
    d.legs =
        Optional.of(
            new Call.Legs(
                new Leg(
                    Side.CALLER,
                    fork.ordinal(),
                    callerDialog,
                    fork.caller(),
                    offers(
                        new OfferAnswer.Event.Received(Message.INVITE, invite.hasBody()),
                        new OfferAnswer.Event.Sent(Message.SUCCESS, ready.body().isPresent())),
                    LegEnd.State.UP,
                    Optional.empty(),
                    Optional.empty()),
                new Leg(
                    Side.CALLEE,
                    fork.ordinal(),
                    fork.dialog(),
                    fork.callee(),
                    offers(
                        new OfferAnswer.Event.Sent(
                            Message.INVITE, d.callee(legOrdinal).invite().hasBody()),
                        new OfferAnswer.Event.Received(Message.SUCCESS, true)),
                    LegEnd.State.UP,
                    Optional.empty(),
                    Optional.empty())));
    Party callee = d.facts.callee();
    CalleeLeg leg = d.callee(legOrdinal);
    d.facts =
        Edits.answered(
            d.facts,
            new Party(
                callee.user(),
                callee.uri(),
                leg.invite().callId().value(),
                leg.hop().remote().ip().toString()),
            d.now,
            negotiation.codec(d));
    d.happening(new CallHappening.Answered(d.facts.codec()));
  }

  /** Where offer and answer of a dialog are after its INVITE and 2xx. */
  private static OfferAnswer.State offers(OfferAnswer.Event invite, OfferAnswer.Event success) {
    OfferAnswer.State asked = OfferAnswer.next(OfferAnswer.start(), invite).state();
    return OfferAnswer.next(asked, success).state();
  }

  private void failure(
      Draft d, CalleeLeg leg, int status, Optional<SipResponse> response, List<Target> redirect) {
    boolean outOfService = response.isEmpty() || status == 503;
    Optional<Target> otherWay = outOfService ? launching.otherWay(leg) : Optional.empty();
    OutgoingInvite.Step step =
        OutgoingInvite.next(
            leg.state(),
            otherWay.isPresent() ? OutgoingInvite.Event.FAIL_OVER : OutgoingInvite.Event.FAILURE);
    if (otherWay.isPresent() && step.actions().contains(OutgoingInvite.Action.SEND_AGAIN)) {
      launching.failOver(d, leg, otherWay.get());
      return;
    }
    if (step.state() == leg.state()) {
      return;
    }
    d.replace(leg.with(step.state()));
    d.stop(new TimerId(Kind.CANCEL, leg.ordinal()));
    d.change();
    if (!step.actions().contains(OutgoingInvite.Action.REPORT_FAILURE)) {
      return;
    }
    if (status < 400 && settings.followRedirects() && !leg.redirected()) {
      if (launching.follow(d, leg, redirect)) {
        return;
      }
    }
    if (d.refusal.isEmpty() || Refusals.isBetter(status, d.refusal.get().status())) {
      d.refusal = Optional.of(new Call.Refusal(status, response));
    }
    if (status >= 600) {
      d.untried = List.of();
      ending.cancelAllBut(d, -1);
    }
    if (d.callees.stream().noneMatch(each -> isUndecided(each.state()))) {
      launching.nextGroup(d);
    }
  }

  /** Whether an INVITE may still be what the call is answered by. */
  static boolean isUndecided(OutgoingInvite.State state) {
    return state == OutgoingInvite.State.CALLING
        || state == OutgoingInvite.State.PROCEEDING
        || state == OutgoingInvite.State.ANSWERED;
  }

  /** An INVITE of ours will get no response. */
  void failed(Draft d, CalleeLeg leg, boolean timedOut) {
    failure(d, leg, timedOut ? 408 : 480, Optional.empty(), List.of());
  }

  /** A cancelled callee was silent for 64*T1. */
  void cancelTimer(Draft d, CalleeLeg leg) {
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.CANCEL_TIMER);
    d.replace(leg.with(step.state()));
    d.note();
  }

  /** Nobody answered in time. */
  void noAnswer(Draft d) {
    if (d.caller.state() != IncomingInvite.State.PROCEEDING) {
      return;
    }
    ending.cancelAllBut(d, -1);
    if (d.refusal.isEmpty() || Refusals.isBetter(408, d.refusal.get().status())) {
      d.refusal = Optional.of(new Call.Refusal(408, Optional.empty()));
    }
    if (!d.untried.isEmpty()) {
      d.start(TimerId.of(Kind.NO_ANSWER), settings.noAnswer());
    }
    launching.nextGroup(d);
  }
}
