package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A client transaction in the layer's table. */
abstract sealed class OpenClient extends OpenTransaction
    permits OpenInviteClient, OpenNonInviteClient {

  final ClientTransactionId id;
  final Destination destination;

  /** Held while it may have to be sent again, or to be acknowledged. */
  @Nullable SipRequest request;

  OpenClient(
      TransactionLayer layer,
      Counters.Kind kind,
      int timerNames,
      ClientTransactionId id,
      SipRequest request,
      Destination destination) {
    super(layer, kind, timerNames);
    this.id = id;
    this.request = request;
    this.destination = destination;
  }

  abstract void start();

  abstract void resume(Duration remaining);

  abstract void response(SipResponse response, Flow flow);

  /** Unless it may not be sent now. */
  final void sendRequest() {
    if (permit.maySend()) {
      send(request);
    }
  }

  final void send(@Nullable SipRequest message) {
    if (message != null) {
      layer.send(this, message, destination);
    }
  }

  final void fail(Failure failure) {
    if (failure == Failure.TIMEOUT) {
      layer.count(Counters.Counter.TIMEOUTS);
    }
    layer.user().failed(id, failure);
  }

  final void passUp(@Nullable SipResponse response, @Nullable Flow flow) {
    if (response == null || flow == null) {
      throw new IllegalStateException("Expected a response to pass up in " + id);
    }
    layer.user().response(id, response, flow);
  }
}
