package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.util.Optional;

/**
 * What stands above the transactions: told of each request once, and of each client transaction's
 * end once.
 *
 * <p>Called on the layer's loop, never from within a call into the layer other than {@link
 * TransactionLayer#receive}. It may call the layer back at once.
 */
public interface TransactionUser {

  /**
   * A new request, neither ACK nor CANCEL, which waits for {@link TransactionLayer#respond}. No 100
   * is sent to an INVITE but by that.
   */
  void request(ServerTransactionId id, SipRequest request, Flow flow);

  /**
   * A new CANCEL, a transaction of its own that waits for its response.
   *
   * @param invite the INVITE transaction of this layer that it is about, whatever its state; empty
   *     if there is none (481, unless the user knows better). A CANCEL of another method has none:
   *     it would have no effect (RFC 3261 9.2)
   */
  void cancel(
      ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> invite);

  /**
   * An ACK that no INVITE transaction of this layer took: it is for a 2xx, for another final
   * response whose transaction is gone, or for one that was given elsewhere, be it that the INVITE
   * is open here too. Each repeat comes up too.
   */
  void ack(SipRequest ack, Flow flow);

  /**
   * A final response of 300 to 699 to INVITE was acknowledged: once, and while its transaction
   * lives. That absorbs repeats for a while before it is {@linkplain #serverTransactionEnded over}.
   */
  default void refusalAcknowledged(ServerTransactionId id, SipRequest ack) {}

  /**
   * A response to an open client transaction: each provisional one, the first final one, and for an
   * INVITE that was accepted each further 2xx, be it a repeat or of another fork.
   */
  void response(ClientTransactionId id, SipResponse response, Flow flow);

  /**
   * Whether the ACK for a final response of 300 to 699 to an INVITE waits for {@link
   * TransactionLayer#acknowledge}, so that the peer repeats its response until this user will not
   * forget it. Each repeat comes up until then.
   */
  default boolean acknowledgesLater() {
    return false;
  }

  /** There will be no final response. */
  void failed(ClientTransactionId id, Failure failure);

  /** A response that matches no open client transaction; a 2xx to INVITE still wants its ACK. */
  void strayResponse(SipResponse response, Flow flow);

  /** A server transaction is over, by itself. Not told after {@link TransactionLayer#forget}. */
  void serverTransactionEnded(ServerTransactionId id, ServerEnd end);

  /** A response could not be sent. The transaction goes on, so that repeats are answered. */
  void responseNotSent(ServerTransactionId id, SendFailure failure);

  /**
   * A new request for which there is no room. To be answered with 503 and Retry-After without state
   * ({@link StatelessResponder}), or dropped.
   */
  void refused(SipRequest request, Flow flow);
}
