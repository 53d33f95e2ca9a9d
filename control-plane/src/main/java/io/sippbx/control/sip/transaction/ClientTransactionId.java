package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import java.util.Optional;

/**
 * What a response is matched to its request by: the branch of the topmost Via and the method of
 * CSeq, "since a CANCEL request constitutes a different transaction, yet shares the same value of
 * the branch parameter".
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.1.3">RFC 3261 17.1.3</a>
 */
public record ClientTransactionId(Branch branch, Method method) {

  /** The transaction of a request of ours, or of a response to it; empty without a branch. */
  public static Optional<ClientTransactionId> of(SipMessage message) {
    return message
        .topVia()
        .branch()
        .map(branch -> new ClientTransactionId(branch, message.cSeq().method()));
  }

  @Override
  public String toString() {
    return method + " " + branch;
  }
}
