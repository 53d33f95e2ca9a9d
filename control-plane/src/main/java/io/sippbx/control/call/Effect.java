package io.sippbx.control.call;

import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What must be done once a decision is committed. Each may be done twice with no harm (law 3). */
public sealed interface Effect {

  /** Answer a request through its server transaction. */
  record Respond(ServerTransactionId transaction, SipResponse response) implements Effect {}

  /**
   * Answer an INVITE with a 2xx, and again at T1, 2*T1, ... T2 until {@link StopSuccess} (RFC 3261
   * 13.3.1.4).
   */
  record RespondUntilAck(ServerTransactionId transaction, SipResponse response, Flow flow)
      implements Effect {}

  /** Stop repeating the 2xx of this transaction. */
  record StopSuccess(ServerTransactionId transaction) implements Effect {}

  /** Send a request in a client transaction of its own; its branch is in the top Via. */
  record Request(SipRequest request, Destination to) implements Effect {}

  /**
   * Go on with a server transaction that another node, or this one before it was started again, had
   * open; {@code lastResponse} may have been sent.
   */
  record ResumeServer(
      ServerTransactionId transaction, Flow flow, Optional<SipResponse> lastResponse)
      implements Effect {}

  /** Drop the server transaction of a request whose answer nobody waits for, without a word. */
  record ForgetServer(ServerTransactionId transaction) implements Effect {}

  /** Go on with a client transaction likewise: the request is sent again, byte for byte. */
  record ResumeClient(SipRequest request, Destination to, Duration remaining) implements Effect {}

  /**
   * Hear and acknowledge the final response to an INVITE that another node, or this one before it
   * was started again, has cancelled; it is not sent again.
   */
  record AwaitFinal(SipRequest invite, Destination to) implements Effect {}

  /** Send a request no more, and wait no more for its response. */
  record Abandon(SipRequest request) implements Effect {}

  /** Send an ACK for a 2xx, outside of any transaction (13.2.2.4). */
  record Ack(SipRequest ack, Destination to) implements Effect {}

  /**
   * Acknowledge a final response of 300 to 699 to an INVITE (17.1.1.3): the peer may forget it now,
   * for the record says so.
   *
   * @param invite that it answers; empty if only its transaction knows
   */
  record AckFailure(SipResponse response, Optional<SipRequest> invite, Destination to)
      implements Effect {}

  /**
   * Make the media node hold this session; the answer comes as an input.
   *
   * @param soon whether nobody waits for it: on the next beat (see {@link Beat}) is soon enough,
   *     and what is said of the session before then is said in its place
   */
  record ApplyMedia(NodeId node, SessionSpec spec, boolean soon) implements Effect {}

  /**
   * Look for another place for the session; what is found comes as an input.
   *
   * @param from where it is
   * @param lost whether it cannot stay there
   * @param except where it shall not be
   */
  record PlaceMedia(NodeId from, boolean lost, MediaNeed need, List<NodeId> except)
      implements Effect {
    /** Copies {@code except}. */
    public PlaceMedia {
      except = List.copyOf(except);
    }
  }

  /** End the media session; its last counts come as an input. */
  record ReleaseMedia(NodeId node, long revision) implements Effect {}

  /** Keep the lease of the cluster's limit for so long from now on. */
  record RenewLease(Duration lasting) implements Effect {}

  /** Give the lease of the cluster's limit back; that it was comes as an input. */
  record GiveLeaseBack() implements Effect {}
}
