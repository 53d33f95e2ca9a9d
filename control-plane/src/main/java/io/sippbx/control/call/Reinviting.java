package io.sippbx.control.call;

import io.sippbx.control.call.MediaPart.Anchor;
import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Re-INVITEs, one at a time, passed from one side to the other, and the ACKs of both kinds of
 * INVITE.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-14">RFC 3261 14</a>
 */
final class Reinviting {

  private final CallSettings settings;
  private final Messages messages;
  private final Negotiation negotiation;
  private final Ending ending;

  Reinviting(CallSettings settings, Messages messages, Negotiation negotiation, Ending ending) {
    this.settings = settings;
    this.messages = messages;
    this.negotiation = negotiation;
    this.ending = ending;
  }

  /** A re-INVITE from the peer of {@code leg}. */
  void begin(Draft d, Input.RequestArrived in, Leg leg) {
    SipRequest request = in.request();
    Optional<Integer> refusal = leg.refusesInvite(request.hasBody());
    if (refusal.isPresent() || d.reinvite.isPresent() || Reanchoring.isAsking(d)) {
      refuseForNow(d, in, leg, refusal.orElse(491));
      return;
    }
    Negotiation.Body body = negotiation.read(request);
    if (body instanceof Negotiation.Body.Refused refused) {
      refuseAtOnce(
          d,
          in,
          leg,
          refused.explain(messages.respond(request, refused.status(), InDialog.localTag(leg))));
      return;
    }
    Optional<NameAddr> contact = request.contacts().stream().findFirst();
    Leg asking = leg.hears(Message.INVITE, request.hasBody());
    d.replace(
        contact.isPresent()
            ? asking.with(leg.dialog().withRemoteTarget(contact.get().uri(), in.hop()))
            : asking);
    var reinvite =
        new Reinvite(
            d.nextReinviteOrdinal(),
            leg.side(),
            in.transaction(),
            request,
            in.flow(),
            IncomingInvite.State.PROCEEDING,
            OutgoingInvite.State.CALLING,
            Optional.empty(),
            body instanceof Negotiation.Body.None,
            false,
            new Reinvite.Before(d.leg(Side.CALLER).sdp(), d.leg(Side.CALLEE).sdp()),
            Optional.empty(),
            Optional.empty());
    d.reinvite = Optional.of(reinvite);
    d.change();
    d.respond(
        in.transaction(),
        SipResponse.to(request, 100).header(HeaderName.SERVER, settings.serverName()).build());
    if (body instanceof Negotiation.Body.Session session) {
      switch (negotiation.reoffer(d, leg.side(), session.description())) {
        case READY -> passOn(d);
        case WAIT_FOR_MEDIA ->
            d.start(new TimerId(Kind.REINVITE, reinvite.ordinal()), settings.noAnswer());
        case UNUSABLE -> refuse(d, 488, UnaryOperator.identity());
      }
    } else {
      passOn(d);
    }
  }

  /**
   * RFC 3261 14.2: 500 with Retry-After while an earlier one of the same peer is open, 491 while
   * one of ours towards it is.
   */
  private void refuseForNow(Draft d, Input.RequestArrived in, Leg leg, int status) {
    SipResponse.Builder response = messages.respond(in.request(), status, InDialog.localTag(leg));
    if (status == 500) {
      // The RFC asks for a value from 0 to 10 drawn at random; the sequence number is random
      // enough.
      response.header(HeaderName.RETRY_AFTER, Long.toString(1 + in.request().cSeq().number() % 10));
    }
    refuseAtOnce(d, in, leg, response);
  }

  /** Its repeat is refused in the same way, whichever node hears it. */
  private static void refuseAtOnce(
      Draft d, Input.RequestArrived in, Leg leg, SipResponse.Builder response) {
    SipResponse refusal = response.build();
    d.replace(leg.withAnswered(in.request(), refusal));
    d.change();
    d.respond(in.transaction(), refusal);
  }

  /** The media node has opened what a re-INVITE was waiting for. */
  void resume(Draft d) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    if (reinvite.waiting().isPresent()) {
      SipResponse response = reinvite.waiting().get();
      d.reinvite = Optional.of(reinvite.withWaiting(Optional.empty()));
      deliver(d, response, negotiation.resumedReoffer(d, reinvite, response));
    } else if (reinvite.sent().isEmpty() && reinvite.in() == IncomingInvite.State.PROCEEDING) {
      passOn(d);
    }
  }

  private void passOn(Draft d) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    Side other = reinvite.from().other();
    Leg to = d.leg(other);
    Optional<Endpoint> local = messages.local(to.dialog().hop());
    if (local.isEmpty() || to.end() != LegEnd.State.UP) {
      refuse(d, 480, UnaryOperator.identity());
      return;
    }
    Dialog dialog = to.dialog().withNextCSeq();
    d.replace(to.with(dialog));
    Branch branch = ending.nextBranch(d);
    SipRequest.Builder builder =
        messages
            .inDialog(dialog, Method.INVITE, branch, local.get())
            .contact(dialog.contact())
            .header(HeaderName.ALLOW, Messages.ALLOW);
    negotiation.reofferFor(d, other).ifPresent(sdp -> builder.body(Messages.SDP, sdp));
    SipRequest request = builder.build();
    d.replace(d.leg(other).tells(Message.INVITE, request.hasBody()));
    d.reinvite = Optional.of(d.reinvite.orElseThrow().withSent(request));
    d.request(request, dialog.hop());
    d.start(new TimerId(Kind.REINVITE, reinvite.ordinal()), settings.noAnswer());
  }

  /** Whether this branch is that of the re-INVITE that was passed on. */
  static boolean isSent(Draft d, Branch branch) {
    return d.reinvite
        .flatMap(Reinvite::sent)
        .flatMap(sent -> sent.topVia().branch())
        .filter(branch::equals)
        .isPresent();
  }

  /** A response to the re-INVITE that was passed on. */
  void response(Draft d, Input.ResponseArrived in) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    int status = in.response().status();
    if (status < 200) {
      OutgoingInvite.State before = reinvite.out();
      OutgoingInvite.State now =
          OutgoingInvite.next(before, OutgoingInvite.Event.PROVISIONAL).state();
      d.reinvite = Optional.of(reinvite.withOut(now));
      d.note();
      if (before == OutgoingInvite.State.CALLING && reinvite.cancelWanted()) {
        sendCancel(d);
      }
    } else if (status < 300) {
      success(d, reinvite, in);
    } else {
      failed(d, status, Optional.of(in.response()));
    }
  }

  private void success(Draft d, Reinvite reinvite, Input.ResponseArrived in) {
    Side other = reinvite.from().other();
    Leg leg = d.leg(other);
    SipRequest sent = reinvite.sent().orElseThrow();
    if (reinvite.out() == OutgoingInvite.State.ANSWERED) {
      ending.acknowledgeAgain(d, other, sent.cSeq().number(), reinvite.delayed());
      return;
    }
    d.reinvite =
        Optional.of(
            reinvite.withOut(
                OutgoingInvite.next(reinvite.out(), OutgoingInvite.Event.SUCCESS).state()));
    d.change();
    d.stop(new TimerId(Kind.REINVITE, reinvite.ordinal()));
    SipResponse response = in.response();
    Leg heard = leg.hears(Message.SUCCESS, response.hasBody());
    Optional<NameAddr> contact = response.contacts().stream().findFirst();
    d.replace(
        contact.isPresent()
            ? heard.with(leg.dialog().withRemoteTarget(contact.get().uri(), in.hop()))
            : heard);
    if (reinvite.in() != IncomingInvite.State.PROCEEDING) {
      // The call is being ended: the 2xx is acknowledged all the same.
      ending.sendAck(d, other, sent.cSeq().number(), Optional.empty());
      Edits.forgetReinviteIfOver(d);
      return;
    }
    switch (negotiation.reanswer(d, response)) {
      case Negotiation.Reanswer.Ready ready -> deliver(d, response, ready);
      case Negotiation.Reanswer.WaitForMedia wait ->
          d.reinvite = Optional.of(d.reinvite.orElseThrow().withWaiting(Optional.of(response)));
      case Negotiation.Reanswer.Unusable unusable -> {
        ending.sendAck(d, other, sent.cSeq().number(), Optional.empty());
        rejectRequest(d, 488, UnaryOperator.identity());
        ending.end(d, new Termination(Result.COMPLETED, Reason.NOT_ACCEPTABLE, 200));
      }
    }
  }

  private void deliver(Draft d, SipResponse received, Negotiation.Reanswer.Ready ready) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    Leg leg = d.leg(reinvite.from());
    IncomingInvite.Step step = IncomingInvite.next(reinvite.in(), IncomingInvite.Event.ANSWER);
    SipResponse.Builder builder =
        messages
            .respondInDialog(
                reinvite.request(),
                received.status(),
                InDialog.localTag(leg),
                InDialog.contact(leg))
            .reason(received.reason());
    ready.body().ifPresent(sdp -> builder.body(Messages.SDP, sdp));
    d.replace(leg.tells(Message.SUCCESS, ready.body().isPresent()));
    SipResponse answer = builder.build();
    d.reinvite = Optional.of(reinvite.withAnswer(step.state(), answer));
    d.effect(new Effect.RespondUntilAck(reinvite.transaction(), answer, reinvite.flow()));
    d.start(new TimerId(Kind.REINVITE_ACK, reinvite.ordinal()), ending.transactionTime());
    if (!reinvite.delayed()) {
      negotiation.tellHold(d);
    }
  }

  /** The re-INVITE that was passed on gets no response. */
  void requestFailed(Draft d) {
    failed(d, 408, Optional.empty());
  }

  private void failed(Draft d, int status, Optional<SipResponse> response) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    if (!reinvite.out().isOpen()) {
      return;
    }
    d.reinvite = Optional.of(reinvite.withOut(OutgoingInvite.State.FAILED));
    d.replace(d.leg(reinvite.from().other()).hears(Message.FAILURE, false));
    d.change();
    refuse(
        d,
        // Its sender has not cancelled it: we have, since both are to be told something else first.
        status == 487 && d.media.anchor() != Anchor.FIRM ? 491 : Refusals.towardsCaller(status),
        builder -> {
          response.ifPresent(failure -> Messages.passOnFailure(failure, builder));
          return builder;
        });
    if (status == 408 || status == 481) {
      // RFC 3261 12.2.1.2
      ending.end(d, new Termination(Result.COMPLETED, Reason.DIALOG_LOST, 200));
    }
  }

  /** The media node will not open what a re-INVITE needs. */
  void mediaRefused(Draft d) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    if (reinvite.waiting().isPresent()) {
      // The other side has answered already and cannot be told any more.
      Side other = reinvite.from().other();
      ending.sendAck(d, other, reinvite.sent().orElseThrow().cSeq().number(), Optional.empty());
      refuse(d, 503, UnaryOperator.identity());
      ending.end(d, new Termination(Result.COMPLETED, Reason.NO_MEDIA, 200));
    } else {
      refuse(d, 503, builder -> builder.header(HeaderName.RETRY_AFTER, "10"));
    }
  }

  /** Refuses the re-INVITE; what was agreed before goes on. */
  private void refuse(Draft d, int status, UnaryOperator<SipResponse.Builder> more) {
    negotiation.restore(d);
    rejectRequest(d, status, more);
    Edits.forgetReinviteIfOver(d);
  }

  private void rejectRequest(Draft d, int status, UnaryOperator<SipResponse.Builder> more) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    IncomingInvite.Step step = IncomingInvite.next(reinvite.in(), IncomingInvite.Event.REJECT);
    if (step.actions().contains(IncomingInvite.Action.SEND_FINAL)) {
      Leg leg = d.leg(reinvite.from());
      SipResponse refusal =
          more.apply(messages.respond(reinvite.request(), status, InDialog.localTag(leg))).build();
      d.replace(leg.tells(Message.FAILURE, false).withAnswered(reinvite.request(), refusal));
      d.respond(reinvite.transaction(), refusal);
    }
    d.reinvite = Optional.of(reinvite.withIn(step.state()));
    d.stop(new TimerId(Kind.REINVITE, reinvite.ordinal()));
    d.change();
  }

  /**
   * Its sender cancels the re-INVITE: so is what was passed on, and the sender hears how that ends.
   * A 2xx that crosses the CANCEL is passed on, as both sides have then agreed.
   */
  void cancel(Draft d) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    if (reinvite.in() != IncomingInvite.State.PROCEEDING || reinvite.cancelWanted()) {
      return;
    }
    d.reinvite = Optional.of(reinvite.withCancelWanted());
    d.change();
    if (reinvite.sent().isEmpty()) {
      refuse(d, 487, UnaryOperator.identity());
    } else if (reinvite.out() == OutgoingInvite.State.PROCEEDING) {
      sendCancel(d);
    }
  }

  /**
   * The media node has died: what stands in the way of telling both sides another address is
   * finished. What was passed on is cancelled, and its sender told to ask again; a 2xx whose ACK is
   * held back for that of the other side is acknowledged, unless that must bring the answer.
   */
  void giveWay(Draft d) {
    if (!d.isUp()) {
      return;
    }
    if (d.reinvite.filter(r -> r.sent().isPresent() && r.out().isOpen()).isPresent()) {
      cancel(d);
    }
    boolean answerIsDue =
        d.reinvite.map(Reinvite::delayed).orElseGet(() -> !d.caller.invite().hasBody());
    if (answerIsDue || d.reinvite.filter(r -> r.waiting().isPresent()).isPresent()) {
      return;
    }
    for (Side side : Side.values()) {
      Edits.unacknowledgedInvite(d, side)
          .ifPresent(
              invite -> {
                ending.sendAck(d, side, invite.cSeq().number(), Optional.empty());
                d.change();
              });
    }
  }

  private void sendCancel(Draft d) {
    Reinvite reinvite = d.reinvite.orElseThrow();
    Leg to = d.leg(reinvite.from().other());
    d.request(Messages.cancel(reinvite.sent().orElseThrow()), to.dialog().hop());
    d.start(new TimerId(Kind.REINVITE, reinvite.ordinal()), ending.transactionTime());
  }

  /** The re-INVITE that was passed on has no final response yet: cancel it, then give up. */
  void timer(Draft d, int ordinal) {
    if (d.reinvite.filter(r -> r.ordinal() == ordinal).isEmpty()) {
      return;
    }
    Reinvite reinvite = d.reinvite.orElseThrow();
    if (reinvite.cancelWanted() || reinvite.sent().isEmpty()) {
      failed(d, 408, Optional.empty());
    } else {
      d.start(new TimerId(Kind.REINVITE, ordinal), ending.transactionTime());
      cancel(d);
    }
  }

  /** The answer to a re-INVITE was not acknowledged: the session is in doubt and ends. */
  void ackTimer(Draft d, int ordinal) {
    if (d.reinvite.filter(r -> r.ordinal() == ordinal).isEmpty()) {
      return;
    }
    Reinvite reinvite = d.reinvite.orElseThrow();
    IncomingInvite.Step step = IncomingInvite.next(reinvite.in(), IncomingInvite.Event.ACK_TIMER);
    d.reinvite = Optional.of(reinvite.withIn(step.state()));
    d.effect(new Effect.StopSuccess(reinvite.transaction()));
    d.change();
    ending.acknowledged(d, reinvite.from());
    ending.end(d, new Termination(Result.COMPLETED, Reason.NO_ACK, 200));
  }

  /** The ACK for the answer to a re-INVITE. */
  void ack(Draft d, Side side, SipRequest ack) {
    if (d.reinvite
        .filter(r -> r.from() == side && r.request().cSeq().number() == ack.cSeq().number())
        .isEmpty()) {
      return;
    }
    Reinvite reinvite = d.reinvite.orElseThrow();
    IncomingInvite.Step step = IncomingInvite.next(reinvite.in(), IncomingInvite.Event.ACK);
    if (!step.actions().contains(IncomingInvite.Action.RELAY_ACK)) {
      return;
    }
    d.reinvite = Optional.of(reinvite.withIn(step.state()));
    d.replace(d.leg(side).hears(Message.ACK, ack.hasBody()));
    d.effect(new Effect.StopSuccess(reinvite.transaction()));
    d.stop(new TimerId(Kind.REINVITE_ACK, reinvite.ordinal()));
    d.note();
    Side other = side.other();
    long number = reinvite.sent().orElseThrow().cSeq().number();
    if (reinvite.delayed()) {
      relayAnswer(d, side, number, negotiation.delayedAnswer(d, side, ack));
      negotiation.tellHold(d);
    } else if (Edits.unacknowledgedInvite(d, other).isPresent()) {
      ending.sendAck(d, other, number, Optional.empty());
    }
    Edits.forgetReinviteIfOver(d);
    ending.acknowledged(d, side);
  }

  /** The ACK for the answer to the caller's INVITE: passed on, with the answer if that was due. */
  void relayFirstAck(Draft d, SipRequest ack) {
    Optional<SipRequest> invite = Edits.unacknowledgedInvite(d, Side.CALLEE);
    if (invite.isEmpty()) {
      Edits.answeredInvite(d)
          .ifPresent(
              sent ->
                  ending.acknowledgeAgain(
                      d, Side.CALLEE, sent.cSeq().number(), !d.caller.invite().hasBody()));
      return;
    }
    long number = invite.get().cSeq().number();
    if (d.caller.invite().hasBody()) {
      ending.sendAck(d, Side.CALLEE, number, Optional.empty());
    } else {
      relayAnswer(d, Side.CALLER, number, negotiation.delayedAnswer(d, Side.CALLER, ack));
    }
  }

  private void relayAnswer(Draft d, Side from, long number, Negotiation.Reanswer answer) {
    switch (answer) {
      case Negotiation.Reanswer.Ready ready ->
          ending.sendAck(d, from.other(), number, ready.body());
      case Negotiation.Reanswer.WaitForMedia wait ->
          ending.sendAck(d, from.other(), number, Optional.empty());
      case Negotiation.Reanswer.Unusable unusable -> {
        ending.sendAck(d, from.other(), number, Optional.empty());
        ending.end(d, new Termination(Result.COMPLETED, Reason.NOT_ACCEPTABLE, 200));
      }
    }
  }
}
