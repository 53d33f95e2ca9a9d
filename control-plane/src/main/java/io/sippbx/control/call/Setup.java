package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Party;
import io.sippbx.control.event.Termination;
import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** From the caller's INVITE to the answer, or to the last failure. */
final class Setup {

  private final CallSettings settings;
  private final Messages messages;
  private final Negotiation negotiation;
  private final Ending ending;

  Setup(CallSettings settings, Messages messages, Negotiation negotiation, Ending ending) {
    this.settings = settings;
    this.messages = messages;
    this.negotiation = negotiation;
    this.ending = ending;
  }

  /** The first INVITE of a call. */
  void begin(Draft d) {
    d.happening(new CallHappening.Started(d.facts.caller(), d.facts.callee()));
    if (d.untried.isEmpty()) {
      reject(d, 404);
      return;
    }
    switch (negotiation.read(d.caller.invite())) {
      case Negotiation.Body.Refused refused -> reject(d, refused.status(), refused::explain);
      case Negotiation.Body.None none -> begin(d, Optional.empty());
      case Negotiation.Body.Session session -> {
        Optional<Negotiation.Body.Refused> refused =
            negotiation.openForOffer(d, session.description());
        if (refused.isPresent()) {
          reject(d, refused.get().status(), refused.get()::explain);
        } else if (d.media.plan().streams().isEmpty()) {
          begin(d, Optional.empty());
        } else if (d.media.node().isEmpty()) {
          noMedia(d);
        } else {
          // Beside the commit: the node drops by itself what is never confirmed.
          begin(d, Optional.of(d.media));
        }
      }
    }
  }

  private void begin(Draft d, Optional<MediaPart> media) {
    trying(d);
    d.start(TimerId.of(Kind.NO_ANSWER), settings.noAnswer());
    if (media.isPresent()) {
      d.effectBesideCommit(negotiation.apply(d));
    } else {
      launchNextGroup(d);
    }
  }

  /** No media node takes the session. */
  void noMedia(Draft d) {
    rejectWith(
        d,
        503,
        new Termination(Termination.Result.FAILED, Termination.Reason.NO_MEDIA, 503),
        builder -> builder.header(HeaderName.RETRY_AFTER, "10"));
  }

  private void trying(Draft d) {
    SipResponse trying =
        SipResponse.to(d.caller.invite(), 100)
            .header(HeaderName.SERVER, settings.serverName())
            .build();
    answerCaller(d, trying);
  }

  private void answerCaller(Draft d, SipResponse response) {
    d.caller = d.caller.withLastResponse(response);
    d.respond(d.caller.transaction(), response);
  }

  /**
   * The INVITE again in another transaction. From the same source and sent-by, before a final
   * response was acknowledged, it is the caller's own fail-over (RFC 3263 4.3) and takes the place
   * of the first; else it is a merged request (RFC 3261 8.2.2.2).
   */
  void again(Draft d, ServerTransactionId transaction, SipRequest invite, Flow flow) {
    boolean same = transaction.equals(d.caller.transaction());
    boolean failOver =
        invite.topVia().sentBy().equals(d.caller.invite().topVia().sentBy())
            && flow.remote().ip().equals(d.caller.flow().remote().ip())
            && d.caller.state() != IncomingInvite.State.CONFIRMED;
    if (!same && !failOver) {
      d.respond(transaction, messages.respond(invite, 482, d.callerTag(0)).build());
      return;
    }
    if (!same) {
      d.caller = d.caller.withTransaction(transaction, invite, flow);
      d.change();
    }
    if (d.caller.lastResponse().isPresent() && d.caller.state() != IncomingInvite.State.CONFIRMED) {
      SipResponse last = d.caller.lastResponse().get();
      SipResponse again = same ? last : withViasOf(last, invite);
      d.caller = d.caller.withLastResponse(again);
      if (d.caller.state() == IncomingInvite.State.ANSWERED) {
        d.effect(new Effect.RespondUntilAck(transaction, again, flow));
      } else {
        d.respond(transaction, again);
      }
    }
  }

  /** The same response to the same request that came by another way. */
  static SipResponse withViasOf(SipResponse response, SipRequest request) {
    SipResponse.Builder builder = response.toBuilder().removeHeaders(HeaderName.VIA);
    for (int i = request.vias().size() - 1; i >= 0; i--) {
      builder.prependVia(request.vias().get(i));
    }
    return builder.build();
  }

  /** INVITEs the targets of the next group that has one that can be reached; else it is over. */
  void launchNextGroup(Draft d) {
    while (!d.untried.isEmpty()) {
      List<Target> group = d.untried.getFirst();
      d.untried = d.untried.subList(1, d.untried.size());
      boolean sent = false;
      for (Target target : group) {
        sent |= launch(d, target, false);
      }
      if (sent) {
        return;
      }
    }
    Call.Refusal refusal = d.refusal.orElse(new Call.Refusal(480, Optional.empty()));
    refuse(d, refusal);
  }

  private boolean launch(Draft d, Target target, boolean redirected) {
    Optional<Endpoint> local = messages.local(target.hop());
    if (local.isEmpty() || d.callees.size() >= settings.maxTargets()) {
      return false;
    }
    int ordinal = d.callees.size();
    Branch branch = ending.nextBranch(d);
    SipRequest.Builder builder =
        messages.inviteToCallee(d.key, ordinal, branch, d.caller.invite(), target, local.get());
    LegSdp sdp = negotiation.offerForCallee(d, ordinal, local.get());
    sdp.told().ifPresent(offer -> builder.body(Messages.SDP, offer.toBytes()));
    SipRequest invite = builder.build();
    d.callees.add(
        new CalleeLeg(
            ordinal,
            branch,
            invite,
            target.hop(),
            sdp,
            redirected,
            OutgoingInvite.State.CALLING,
            List.of()));
    d.request(invite, target.hop());
    return true;
  }

  /** A response to an INVITE of ours. */
  void response(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    int status = in.response().status();
    if (status < 200) {
      provisional(d, leg, in);
    } else if (status < 300) {
      success(d, leg, in);
    } else {
      failure(d, leg, status, Optional.of(in.response()), in.redirect());
    }
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
    NameAddr contact = callerContact(d);
    SipResponse.Builder response =
        messages.respondInDialog(
            d.caller.invite(), received.status(), d.callerTag(fork.ordinal()), contact);
    response.reason(received.reason());
    body.ifPresent(sdp -> response.body(Messages.SDP, sdp));
    IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.RING);
    if (step.actions().contains(IncomingInvite.Action.SEND_PROVISIONAL)) {
      answerCaller(d, response.build());
      if (!d.facts.rang() && received.status() >= 180) {
        d.facts = Edits.rang(d.facts);
        d.happening(new CallHappening.Ringing(received.status()));
      }
    }
  }

  /** The fork that a response belongs to; a new one for a tag that was not heard before. */
  private Fork fork(Draft d, int legOrdinal, Input.ResponseArrived in) {
    CalleeLeg leg = d.callee(legOrdinal);
    SipResponse response = in.response();
    Optional<Fork> known = leg.fork(response.toTag());
    Optional<Uri> target = response.contacts().stream().findFirst().map(NameAddr::uri);
    Fork fork;
    if (known.isPresent()) {
      fork = known.get();
      if (target.isPresent() && !target.get().equals(fork.dialog().remoteTarget())) {
        fork = fork.with(fork.dialog().withRemoteTarget(target.get(), in.hop()));
      }
    } else {
      var routes = new ArrayList<>(response.recordRoutes()).reversed();
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
              in.hop());
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
      d.change();
    }
    return fork;
  }

  private void success(Draft d, CalleeLeg leg, Input.ResponseArrived in) {
    Optional<Fork> known = leg.fork(in.response().toTag());
    if (leg.state() == OutgoingInvite.State.ANSWERED
        && d.legs.isPresent()
        && known.filter(f -> f.ordinal() == d.leg(Side.CALLEE).forkOrdinal()).isPresent()) {
      // A repeated 200 gets the ACK again, and nothing else.
      Leg callee = d.leg(Side.CALLEE);
      callee
          .ack()
          .filter(ack -> ack.cSeq().number() == leg.invite().cSeq().number())
          .ifPresent(ack -> d.effect(new Effect.Ack(ack, callee.dialog().hop())));
      return;
    }
    if (known.isPresent() && known.get().ack().isPresent()) {
      d.effect(new Effect.Ack(known.get().ack().get(), known.get().dialog().hop()));
      return;
    }
    if (d.pendingAnswer.filter(p -> p.leg() == leg.ordinal()).isPresent()
        && known.filter(f -> f.ordinal() == d.pendingAnswer.get().fork()).isPresent()) {
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

  private void answered(Draft d, int legOrdinal, Fork fork, SipResponse response) {
    switch (negotiation.answer(d, fork, response)) {
      case Negotiation.Answer.Ready ready -> deliver(d, legOrdinal, ready, response);
      case Negotiation.Answer.WaitForMedia wait ->
          d.pendingAnswer =
              Optional.of(new Call.PendingAnswer(legOrdinal, fork.ordinal(), response));
      case Negotiation.Answer.Unusable unusable -> {
        ending.discard(d, d.callee(legOrdinal), fork);
        d.replace(d.callee(legOrdinal).with(OutgoingInvite.State.DISCARDED));
        reject(d, 488);
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
    NameAddr contact = callerContact(d);
    SipResponse.Builder builder =
        messages.respondInDialog(invite, received.status(), tag, contact).reason(received.reason());
    ready.body().ifPresent(sdp -> builder.body(Messages.SDP, sdp));
    SipResponse response = builder.build();
    d.caller = d.caller.withLastResponse(response).with(step.state());
    d.effect(new Effect.RespondUntilAck(d.caller.transaction(), response, d.caller.flow()));
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

  private NameAddr callerContact(Draft d) {
    Flow flow = d.caller.flow();
    return messages.contact(d.key, Side.CALLER, flow.protocol(), flow.local());
  }

  private void failure(
      Draft d, CalleeLeg leg, int status, Optional<SipResponse> response, List<Target> redirect) {
    OutgoingInvite.Step step = OutgoingInvite.next(leg.state(), OutgoingInvite.Event.FAILURE);
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
      boolean followed = false;
      for (Target target : redirect) {
        followed |= launch(d, target, true);
      }
      if (followed) {
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
      launchNextGroup(d);
    }
  }

  private static boolean isUndecided(OutgoingInvite.State state) {
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
    launchNextGroup(d);
  }

  /** The caller sent CANCEL (or, in an early dialog, BYE). */
  void cancelled(Draft d) {
    IncomingInvite.Step step =
        IncomingInvite.next(d.caller.state(), IncomingInvite.Event.CANCELLED);
    if (!step.actions().contains(IncomingInvite.Action.SEND_487)) {
      return;
    }
    answerCaller(d, messages.respond(d.caller.invite(), 487, finalTag(d)).build());
    d.caller = d.caller.with(step.state());
    ending.end(d, Refusals.termination(487));
  }

  private void refuse(Draft d, Call.Refusal refusal) {
    int status = Refusals.towardsCaller(refusal.status());
    rejectWith(
        d,
        status,
        Refusals.termination(status),
        builder -> {
          refusal
              .response()
              .ifPresent(
                  failure -> {
                    if (failure.status() == status) {
                      builder.reason(failure.reason());
                    }
                    Messages.passOnFailure(failure, builder);
                    if (status < 400) {
                      failure.contacts().forEach(builder::addContact);
                    }
                  });
          return builder;
        });
  }

  /** Ends the set-up with this final response. */
  void reject(Draft d, int status) {
    reject(d, status, UnaryOperator.identity());
  }

  void reject(Draft d, int status, UnaryOperator<SipResponse.Builder> more) {
    rejectWith(d, status, Refusals.termination(status), more);
  }

  void rejectWith(
      Draft d, int status, Termination termination, UnaryOperator<SipResponse.Builder> more) {
    IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.REJECT);
    if (!step.actions().contains(IncomingInvite.Action.SEND_FINAL)) {
      return;
    }
    SipResponse.Builder builder = messages.respond(d.caller.invite(), status, finalTag(d));
    answerCaller(d, more.apply(builder).build());
    d.caller = d.caller.with(step.state());
    ending.end(d, termination);
  }

  private static Tag finalTag(Draft d) {
    return d.callerTag(0);
  }
}
