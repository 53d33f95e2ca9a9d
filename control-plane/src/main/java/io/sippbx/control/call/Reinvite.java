package io.sippbx.control.call;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Flow;
import java.util.Optional;

/**
 * A re-INVITE that one side sent and that is passed on to the other.
 *
 * @param ordinal counts the re-INVITEs of the call, from 1: names its timers
 * @param from who sent it
 * @param in towards who sent it
 * @param out towards the other side
 * @param sent what was passed on; empty while the media node is asked for ports
 * @param delayed whether it came without an offer
 * @param cancelWanted whether what was passed on is to be cancelled, or has been
 * @param before what to return to when it is refused
 * @param waiting a 2xx with an offer whose new streams the media node is asked for
 * @param answer our 2xx to {@code request}, repeated until its ACK; or our refusal, while what was
 *     passed on is open
 */
public record Reinvite(
    int ordinal,
    Side from,
    ServerTransactionId transaction,
    SipRequest request,
    Flow flow,
    IncomingInvite.State in,
    OutgoingInvite.State out,
    Optional<SipRequest> sent,
    boolean delayed,
    boolean cancelWanted,
    Before before,
    Optional<SipResponse> waiting,
    Optional<SipResponse> answer) {

  /**
   * What was agreed before.
   *
   * @param caller what was said of the session towards the caller
   * @param callee what was said of the session towards the callee
   */
  public record Before(SdpState caller, SdpState callee) {}

  Reinvite withIn(IncomingInvite.State next) {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        next,
        out,
        sent,
        delayed,
        cancelWanted,
        before,
        waiting,
        answer);
  }

  Reinvite withOut(OutgoingInvite.State next) {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        in,
        next,
        sent,
        delayed,
        cancelWanted,
        before,
        waiting,
        answer);
  }

  Reinvite withSent(SipRequest passedOn) {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        in,
        out,
        Optional.of(passedOn),
        delayed,
        cancelWanted,
        before,
        waiting,
        answer);
  }

  Reinvite withCancelWanted() {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        in,
        out,
        sent,
        delayed,
        true,
        before,
        waiting,
        answer);
  }

  Reinvite withWaiting(Optional<SipResponse> response) {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        in,
        out,
        sent,
        delayed,
        cancelWanted,
        before,
        response,
        answer);
  }

  /** Answered with this final response. */
  Reinvite withAnswer(IncomingInvite.State next, SipResponse response) {
    return new Reinvite(
        ordinal,
        from,
        transaction,
        request,
        flow,
        next,
        out,
        sent,
        delayed,
        cancelWanted,
        before,
        waiting,
        Optional.of(response));
  }

  /** Whether nothing more is to come: both sides have what ends their transaction. */
  boolean isOver() {
    return (in == IncomingInvite.State.CONFIRMED || in == IncomingInvite.State.REJECTED)
        && (!out.isOpen() || sent.isEmpty());
  }
}
