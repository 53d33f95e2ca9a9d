package io.sippbx.control.call;

import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/** What peers ask for within their dialogs: BYE, CANCEL, requests that are passed on. */
final class InDialog {

  private final Messages messages;
  private final CallerSide caller;
  private final Reinviting reinviting;
  private final Ending ending;

  InDialog(Messages messages, CallerSide caller, Reinviting reinviting, Ending ending) {
    this.messages = messages;
    this.caller = caller;
    this.reinviting = reinviting;
    this.ending = ending;
  }

  /** Any request but ACK and an INVITE without To tag. */
  void request(Draft d, Input.RequestArrived in) {
    if (in.request().method().equals(Method.CANCEL)) {
      cancel(d, in);
      return;
    }
    Optional<Leg> leg = legOf(d, in.request());
    if (leg.isPresent()) {
      onLeg(d, in, leg.get());
    } else if (in.request().method().equals(Method.BYE) && isDiscarded(d, in.request())) {
      refuse(d, in, 200);
    } else if (in.request().method().equals(Method.BYE) && isEarlyDialogOfCaller(d, in.request())) {
      // RFC 3261 15: the caller may end an early dialog with BYE.
      refuse(d, in, 200);
      caller.cancelled(d);
    } else {
      refuse(d, in, 481);
    }
  }

  private void cancel(Draft d, Input.RequestArrived in) {
    Branch branch = in.transaction().branch();
    if (branch.equals(d.caller.transaction().branch())) {
      // RFC 3261 9.2: the tag is that of the response to the INVITE.
      d.respond(in.transaction(), messages.respond(in.request(), 200, d.callerTag(0)).build());
      caller.cancelled(d);
    } else if (d.reinvite.filter(r -> r.transaction().branch().equals(branch)).isPresent()) {
      refuse(d, in, 200);
      reinviting.cancel(d);
    } else {
      refuse(d, in, 481);
    }
  }

  private void onLeg(Draft d, Input.RequestArrived in, Leg leg) {
    SipRequest request = in.request();
    if (request.cSeq().number() <= leg.dialog().remoteCSeq()) {
      repeatedOrOld(d, in, leg);
      return;
    }
    Leg current = leg.with(leg.dialog().withRemoteCSeq(request.cSeq().number()));
    d.replace(current);
    d.note();
    if (request.method().equals(Method.BYE)) {
      bye(d, in, current);
    } else if (current.end() != LegEnd.State.UP) {
      refuse(d, in, 481);
    } else if (request.method().equals(Method.INVITE)) {
      reinviting.begin(d, in, current);
    } else if (request.method().equals(Method.OPTIONS)) {
      respond(
          d,
          in,
          messages
              .respond(request, 200, localTag(current))
              .header(HeaderName.ALLOW, Messages.ALLOW)
              .header(HeaderName.ACCEPT, Messages.SDP));
    } else if (request.method().equals(Method.INFO)) {
      passOn(d, in, current);
    } else {
      respond(
          d,
          in,
          messages
              .respond(request, request.method().isKnown() ? 405 : 501, localTag(current))
              .header(HeaderName.ALLOW, Messages.ALLOW));
    }
  }

  /** A number that was used already: a request again, or one out of order (12.2.2). */
  private void repeatedOrOld(Draft d, Input.RequestArrived in, Leg leg) {
    Optional<SipResponse> again =
        leg.answered()
            .filter(answered -> answered.cSeq().equals(in.request().cSeq()))
            .map(answered -> CallerSide.withViasOf(answered.response(), in.request()));
    if (again.isPresent()) {
      d.respond(in.transaction(), again.get());
    } else if (in.request().method().equals(Method.INVITE)) {
      copyOfReinvite(d, in, leg);
    } else {
      refuse(d, in, leg.end() == LegEnd.State.GONE ? 481 : 500);
    }
  }

  /**
   * An INVITE of which it is not written down that it was refused. A node that could not read the
   * record may have kept it for long, and its sender have another's answer, of another kind.
   */
  private void copyOfReinvite(Draft d, Input.RequestArrived in, Leg leg) {
    Optional<Reinvite> open =
        d.reinvite.filter(
            r -> r.from() == leg.side() && r.request().cSeq().equals(in.request().cSeq()));
    boolean isLast = in.request().cSeq().number() == leg.dialog().remoteCSeq();
    if (open.filter(r -> r.in() != IncomingInvite.State.CONFIRMED).isPresent()) {
      if (!open.get().transaction().equals(in.transaction())) {
        refuse(d, in, 500);
      }
      // Else it is answered by what is done with the first.
    } else if (isLast || leg.end() == LegEnd.State.GONE) {
      // It was answered and acknowledged; or its sender, who has hung up, may have heard so.
      d.effect(new Effect.ForgetServer(in.transaction()));
    } else {
      refuse(d, in, 500);
    }
  }

  private void bye(Draft d, Input.RequestArrived in, Leg leg) {
    SipResponse ok = messages.respond(in.request(), 200, localTag(leg)).build();
    d.respond(in.transaction(), ok);
    LegEnd.Step step = LegEnd.next(leg.end(), LegEnd.Event.BYE);
    d.replace(leg.with(step.state()).withAnswered(in.request(), ok));
    d.change();
    if (leg.side() == Side.CALLER) {
      IncomingInvite.Step invite = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.BYE);
      stopAnswer(d, invite);
    }
    ending.end(d, new Termination(Result.COMPLETED, Reason.NORMAL, 200));
  }

  /** Carries out what a step of the caller's INVITE says about its 2xx. */
  void stopAnswer(Draft d, IncomingInvite.Step step) {
    d.caller = d.caller.with(step.state());
    d.note();
    for (IncomingInvite.Action action : step.actions()) {
      if (action == IncomingInvite.Action.STOP_SUCCESS) {
        d.effect(new Effect.StopSuccess(d.caller.transaction()));
      } else if (action == IncomingInvite.Action.STOP_ACK_TIMER) {
        d.stop(TimerId.of(TimerId.Kind.ACK));
      }
    }
  }

  private void passOn(Draft d, Input.RequestArrived in, Leg from) {
    Side other = from.side().other();
    Leg to = d.leg(other);
    Optional<Endpoint> local = messages.local(to.dialog().hop());
    if (to.end() != LegEnd.State.UP || local.isEmpty()) {
      refuse(d, in, 480);
      return;
    }
    Dialog dialog = to.dialog().withNextCSeq();
    d.replace(to.with(dialog));
    Branch branch = ending.nextBranch(d);
    SipRequest.Builder request =
        messages.inDialog(dialog, in.request().method(), branch, local.get());
    for (HeaderName name : PASSED_ON) {
      for (String value : in.request().headers(name)) {
        request.addHeader(name, value);
      }
    }
    if (in.request().hasBody()) {
      request.body(in.request().contentType().orElse(""), in.request().body());
    }
    SipRequest passedOn = request.build();
    d.relayed.add(
        new Call.Relayed(
            from.side(),
            in.transaction(),
            in.request(),
            in.flow(),
            branch,
            passedOn,
            dialog.hop()));
    d.request(passedOn, dialog.hop());
  }

  private static final java.util.List<HeaderName> PASSED_ON =
      java.util.List.of(HeaderName.CONTENT_DISPOSITION, HeaderName.of("Info-Package"));

  /** A response to a request that was passed on. */
  void relayedResponse(Draft d, Call.Relayed relayed, SipResponse response) {
    if (response.status() < 200) {
      return;
    }
    int status = Refusals.towardsCaller(response.status());
    SipResponse.Builder builder =
        messages.respond(relayed.request(), status, localTag(d.leg(relayed.from())));
    if (status == response.status()) {
      builder.reason(response.reason());
    }
    if (response.hasBody()) {
      builder.body(response.contentType().orElse(""), response.body());
    }
    finishRelayed(d, relayed, builder, status == 481);
  }

  /** A request that was passed on gets no response. */
  void relayedFailed(Draft d, Call.Relayed relayed, boolean timedOut) {
    finishRelayed(
        d,
        relayed,
        messages.respond(relayed.request(), timedOut ? 408 : 480, localTag(d.leg(relayed.from()))),
        true);
  }

  /** Whether it was done is not known, and it must not be done twice: its sender decides. */
  void relayedLost(Draft d, Call.Relayed relayed) {
    finishRelayed(
        d,
        relayed,
        messages.respond(relayed.request(), 500, localTag(d.leg(relayed.from()))),
        false);
  }

  private void finishRelayed(
      Draft d, Call.Relayed relayed, SipResponse.Builder response, boolean dialogLost) {
    d.relayed.remove(relayed);
    SipResponse answer = response.build();
    // A repeat may come to another node, and is not to be passed on once more.
    d.replace(d.leg(relayed.from()).withAnswered(relayed.request(), answer));
    d.change();
    d.respond(relayed.transaction(), answer);
    if (dialogLost) {
      // RFC 3261 12.2.1.2: 481, or no response at all, ends the dialog.
      ending.end(d, new Termination(Result.COMPLETED, Reason.DIALOG_LOST, 200));
    }
  }

  /** An ACK for a 2xx of ours, or for what another node has said to the caller. */
  void ack(Draft d, SipRequest ack) {
    Optional<Leg> leg = legOf(d, ack);
    if (leg.isEmpty()) {
      caller.refusedElsewhere(d, ack);
      return;
    }
    Side side = leg.get().side();
    long number = ack.cSeq().number();
    if (side == Side.CALLER && number == d.caller.invite().cSeq().number()) {
      IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.ACK);
      stopAnswer(d, step);
      d.replace(leg.get().hears(OfferAnswer.Message.ACK, ack.hasBody()));
      if (step.actions().contains(IncomingInvite.Action.RELAY_ACK)) {
        reinviting.relayFirstAck(d, ack);
      }
      ending.acknowledged(d, Side.CALLER);
    } else {
      reinviting.ack(d, side, ack);
    }
  }

  private static Optional<Leg> legOf(Draft d, SipRequest request) {
    Optional<CallTag> tag = request.toTag().flatMap(CallTag::of);
    if (tag.isEmpty() || d.legs.isEmpty()) {
      return Optional.empty();
    }
    Leg leg = d.leg(tag.get().side());
    Dialog dialog = leg.dialog();
    return dialog.callId().equals(request.callId())
            && dialog.local().tag().equals(request.toTag())
            && dialog.remoteTag().equals(request.fromTag())
        ? Optional.of(leg)
        : Optional.empty();
  }

  private static boolean isDiscarded(Draft d, SipRequest request) {
    return d.callees.stream()
        .filter(leg -> leg.invite().callId().equals(request.callId()))
        .flatMap(leg -> leg.fork(request.fromTag()).stream())
        .anyMatch(fork -> fork.ack().isPresent());
  }

  private static boolean isEarlyDialogOfCaller(Draft d, SipRequest request) {
    Optional<CallTag> tag = request.toTag().flatMap(CallTag::of);
    return d.legs.isEmpty()
        && tag.filter(t -> t.side() == Side.CALLER).isPresent()
        && request.callId().equals(d.caller.invite().callId())
        && request.fromTag().equals(d.caller.invite().fromTag());
  }

  private void refuse(Draft d, Input.RequestArrived in, int status) {
    respond(d, in, messages.respond(in.request(), status, d.callerTag(0)));
  }

  private static void respond(Draft d, Input.RequestArrived in, SipResponse.Builder response) {
    d.respond(in.transaction(), response.build());
  }

  static Tag localTag(Leg leg) {
    return leg.dialog().local().tag().orElseThrow();
  }

  static NameAddr contact(Leg leg) {
    return leg.dialog().contact();
  }
}
