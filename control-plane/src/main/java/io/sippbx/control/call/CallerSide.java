package io.sippbx.control.call;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** What the caller hears while its call is being set up, but for the answer. */
final class CallerSide {

  private static final Duration PROGRESS_INTERVAL = Duration.ofMinutes(1);

  private final CallSettings settings;
  private final Messages messages;
  private final Ending ending;

  CallerSide(CallSettings settings, Messages messages, Ending ending) {
    this.settings = settings;
    this.messages = messages;
    this.ending = ending;
  }

  /** The INVITE has arrived and is being looked after. */
  void trying(Draft d) {
    SipResponse trying =
        SipResponse.to(d.caller.invite(), 100)
            .header(HeaderName.SERVER, settings.serverName())
            .build();
    answer(d, trying);
    d.start(TimerId.of(Kind.PROGRESS), PROGRESS_INTERVAL);
  }

  private static void answer(Draft d, SipResponse response) {
    d.caller = d.caller.withLastResponse(response);
    d.respond(d.caller.transaction(), response);
  }

  /**
   * The caller has heard nothing for a minute: it gets the last provisional response again. "To
   * prevent cancellation, the UAS MUST send a non-100 provisional response at every minute" (RFC
   * 3261 13.3.1.1).
   */
  void progress(Draft d) {
    ring(d, d.caller.lastResponse().filter(said -> said.status() > 100).orElseGet(() -> noNews(d)));
  }

  private SipResponse noNews(Draft d) {
    return messages.respondInDialog(d.caller.invite(), 183, finalTag(d), contact(d)).build();
  }

  /** Passes a provisional response on, if it is not too late. */
  boolean ring(Draft d, SipResponse response) {
    IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.RING);
    boolean sends = step.actions().contains(IncomingInvite.Action.SEND_PROVISIONAL);
    if (sends) {
      answer(d, response);
      d.startAgain(TimerId.of(Kind.PROGRESS), PROGRESS_INTERVAL);
    }
    return sends;
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
    if (d.caller.state() == IncomingInvite.State.CONFIRMED) {
      // A copy that came late, or waited here for long: its caller has acknowledged the answer.
      d.effect(new Effect.ForgetServer(transaction));
      return;
    }
    if (!same) {
      d.caller = d.caller.withTransaction(transaction, invite, flow);
      d.change();
    }
    if (d.caller.lastResponse().isPresent()) {
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

  /** Our Contact towards the caller. */
  NameAddr contact(Draft d) {
    Flow flow = d.caller.flow();
    var self = new Member(settings.node(), settings.incarnation());
    boolean elsewhere = flow.holder().filter(holder -> !holder.equals(self)).isPresent();
    // Where each node has an address of its own, that of one that is gone is of no use.
    Endpoint local = elsewhere ? messages.local(d.caller.hop()).orElse(flow.local()) : flow.local();
    return messages.contact(d.key, Side.CALLER, flow.protocol(), local);
  }

  /** The caller sent CANCEL (or, in an early dialog, BYE). */
  void cancelled(Draft d) {
    IncomingInvite.Step step =
        IncomingInvite.next(d.caller.state(), IncomingInvite.Event.CANCELLED);
    if (!step.actions().contains(IncomingInvite.Action.SEND_487)) {
      return;
    }
    answer(d, messages.respond(d.caller.invite(), 487, finalTag(d)).build());
    d.caller = d.caller.with(step.state());
    ending.end(d, Refusals.termination(487));
  }

  /** An answer stands in the record that the caller, who was refused before it, will not see. */
  void refusedAhead(Draft d, SipResponse refusal) {
    if (d.termination.isPresent()) {
      return;
    }
    switch (d.caller.state()) {
      case PROCEEDING -> {
        answer(d, refusal);
        d.caller = d.caller.with(IncomingInvite.State.REJECTED);
      }
      case ANSWERED -> {
        d.caller = d.caller.withLastResponse(refusal);
        forgetAnswer(d, IncomingInvite.State.REJECTED);
      }
      case CONFIRMED, REJECTED -> {
        return;
      }
    }
    ending.end(d, Refusals.termination(refusal.status()));
  }

  /**
   * The caller has acknowledged a final response to its INVITE that the call knows nothing of:
   * another node has refused a copy without a look at the record, which it could not have. The
   * caller hears no answer any more.
   */
  void refusedElsewhere(Draft d, SipRequest ack) {
    if (d.termination.isPresent() || !ServerTransactionId.of(ack).equals(d.caller.transaction())) {
      return;
    }
    switch (d.caller.state()) {
      case PROCEEDING -> {
        d.effect(new Effect.ForgetServer(d.caller.transaction()));
        d.caller = d.caller.with(IncomingInvite.State.CONFIRMED);
      }
      case ANSWERED -> forgetAnswer(d, IncomingInvite.State.CONFIRMED);
      case CONFIRMED, REJECTED -> {
        return;
      }
    }
    ending.end(d, Refusals.termination(503));
  }

  private static void forgetAnswer(Draft d, IncomingInvite.State state) {
    d.effect(new Effect.StopSuccess(d.caller.transaction()));
    d.stop(TimerId.of(Kind.ACK));
    d.caller = d.caller.with(state);
    d.replace(d.leg(Side.CALLER).with(LegEnd.State.GONE));
  }

  /**
   * The caller has heard its refusal: nobody need say it again, and so nobody own what remains of
   * the call. That is written down with the end if it is still to be told, else at once.
   */
  void refusalAcknowledged(Draft d, ServerTransactionId transaction) {
    if (d.caller.state() != IncomingInvite.State.REJECTED
        || !transaction.equals(d.caller.transaction())) {
      return;
    }
    d.caller =
        d.caller.with(IncomingInvite.next(d.caller.state(), IncomingInvite.Event.ACK).state());
    if (d.endPublished) {
      d.change();
    } else {
      d.note();
    }
  }

  /** No media node takes the session. */
  void noMedia(Draft d) {
    rejectWith(
        d,
        503,
        new Termination(Result.FAILED, Reason.NO_MEDIA, 503),
        builder -> builder.header(HeaderName.RETRY_AFTER, "10"));
  }

  /** Ends the set-up with what a callee said, or with what that means to a caller. */
  void refuse(Draft d, Call.Refusal refusal) {
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

  /** Ends the set-up with this final response, to which {@code more} adds. */
  void reject(Draft d, int status, UnaryOperator<SipResponse.Builder> more) {
    rejectWith(d, status, Refusals.termination(status), more);
  }

  /** Ends the set-up with this final response, and the call as {@code termination} says. */
  void rejectWith(
      Draft d, int status, Termination termination, UnaryOperator<SipResponse.Builder> more) {
    IncomingInvite.Step step = IncomingInvite.next(d.caller.state(), IncomingInvite.Event.REJECT);
    if (!step.actions().contains(IncomingInvite.Action.SEND_FINAL)) {
      return;
    }
    SipResponse.Builder builder = messages.respond(d.caller.invite(), status, finalTag(d));
    answer(d, more.apply(builder).build());
    d.caller = d.caller.with(step.state());
    ending.end(d, termination);
  }

  private static Tag finalTag(Draft d) {
    return d.callerTag(0);
  }
}
