package io.sippbx.control.call;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import java.util.Optional;

/**
 * The caller's side while the call is being set up.
 *
 * @param transaction the server transaction of the INVITE; a later one after the caller's fail-over
 * @param invite as it was received
 * @param hop where requests to the caller go, resolved
 * @param lastResponse the last response to the INVITE, given again to a repeat
 */
public record CallerLeg(
    ServerTransactionId transaction,
    SipRequest invite,
    Flow flow,
    Destination hop,
    IncomingInvite.State state,
    Optional<SipResponse> lastResponse) {

  CallerLeg with(IncomingInvite.State next) {
    return new CallerLeg(transaction, invite, flow, hop, next, lastResponse);
  }

  CallerLeg withLastResponse(SipResponse response) {
    return new CallerLeg(transaction, invite, flow, hop, state, Optional.of(response));
  }

  CallerLeg withTransaction(ServerTransactionId next, SipRequest repeated, Flow from) {
    return new CallerLeg(next, repeated, from, hop, state, lastResponse);
  }
}
