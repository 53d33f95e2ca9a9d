package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import org.jspecify.annotations.Nullable;

/** A server transaction in the layer's table. */
abstract sealed class OpenServer extends OpenTransaction
    permits OpenInviteServer, OpenNonInviteServer {

  final ServerTransactionId id;

  /** Held while it may have to be sent again. */
  @Nullable SipResponse lastResponse;

  private Flow flow;

  OpenServer(
      TransactionLayer layer,
      Counters.Kind kind,
      int timerNames,
      ServerTransactionId id,
      Flow flow) {
    super(layer, kind, timerNames);
    this.id = id;
    this.flow = flow;
  }

  /** Gives the request to the transaction user. */
  abstract void start(SipRequest request);

  abstract void resume(@Nullable SipResponse last);

  /** Whether the response was taken. */
  abstract boolean respond(SipResponse response);

  abstract void repeatReceived();

  /** The request came again. */
  final void repeated(Flow from) {
    // A peer that opened another connection, or whose NAT gave it another port, is answered there;
    // another host cannot draw the answers to itself.
    if (from.remote().ip().equals(flow.remote().ip()) && from.protocol() == flow.protocol()) {
      flow = from;
    }
    layer.count(Counters.Counter.RETRANSMISSIONS_IN);
    repeatReceived();
  }

  final Flow flow() {
    return flow;
  }

  final void passUp(@Nullable SipRequest request, @Nullable Flow from) {
    if (request == null || from == null) {
      throw new IllegalStateException("Expected a request to pass up in " + id);
    }
    layer.passUp(id, request, from);
  }

  final void sendLastResponse() {
    if (lastResponse != null) {
      layer.send(this, lastResponse, flow);
    }
  }

  final void report(@Nullable SendFailure failure) {
    if (failure != null) {
      layer.user().responseNotSent(id, failure);
    }
  }
}
