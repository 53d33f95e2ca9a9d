package io.sippbx.control.call;

import io.sippbx.control.event.Termination;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Optional;

/** What can happen to a call. */
public sealed interface Input {

  /**
   * An INVITE without To tag in a new server transaction: the first one sets the call up, a later
   * one is the caller's fail-over or a merged request.
   *
   * @param hop where requests to the caller shall go
   * @param route whom to call: groups in the order in which they are tried, the targets of a group
   *     at the same time; empty: nobody is there
   * @param mediaNode where its session shall be
   * @param leased whether a lease of the cluster's limit was taken for it
   */
  record InviteArrived(
      ServerTransactionId transaction,
      SipRequest invite,
      Flow flow,
      Destination hop,
      List<List<Target>> route,
      Optional<NodeId> mediaNode,
      boolean leased)
      implements Input {

    /** Where the cluster has no limit. */
    public InviteArrived(
        ServerTransactionId transaction,
        SipRequest invite,
        Flow flow,
        Destination hop,
        List<List<Target>> route,
        Optional<NodeId> mediaNode) {
      this(transaction, invite, flow, hop, route, mediaNode, false);
    }
  }

  /**
   * Any other request but ACK, in a new server transaction.
   *
   * @param hop the resolved next hop of the dialog if the request refreshes its target
   */
  record RequestArrived(
      ServerTransactionId transaction, SipRequest request, Flow flow, Destination hop)
      implements Input {}

  /**
   * An ACK for a 2xx, or, of the caller's INVITE, for a final response that is not in the record.
   */
  record AckArrived(SipRequest ack) implements Input {}

  /** The ACK for the final response of 300 to 699 with which the caller was refused. */
  record RefusalAcknowledged(ServerTransactionId transaction) implements Input {}

  /**
   * A response to a request of ours, or a 2xx to an INVITE of ours again.
   *
   * @param hop the resolved next hop of the dialog that the response makes or refreshes
   * @param redirect the Contacts of a 3xx, resolved, best first
   */
  record ResponseArrived(
      Branch branch, SipResponse response, Destination hop, List<Target> redirect)
      implements Input {
    /** Copies {@code redirect}. */
    public ResponseArrived {
      redirect = List.copyOf(redirect);
    }
  }

  /** A request of ours will get no response. */
  record RequestFailed(Branch branch, Method method, boolean timedOut) implements Input {}

  /** A timer ran out. */
  record TimerFired(TimerId timer) implements Input {}

  /** The media node answered an Apply. */
  record MediaApplied(long revision, MediaAnswer answer) implements Input {}

  /**
   * The media node answered a Release.
   *
   * @param revision of the Release
   */
  record MediaReleased(NodeId node, long revision, MediaAnswer answer) implements Input {}

  /**
   * Another place was looked for.
   *
   * @param from where the session was then
   * @param lost whether it cannot stay there
   * @param to empty: no node takes it now
   */
  record MediaPlaced(NodeId from, boolean lost, Optional<NodeId> to) implements Input {}

  /** The lease of the cluster's limit was given back, or will end by itself. */
  record LeaseGivenBack() implements Input {}

  /** The media node saw something. */
  record MediaHappened(MediaEvent event) implements Input {}

  /**
   * The record was read with something open that nobody has open any more: the node that had it is
   * dead, or was started again.
   */
  record TakenOver() implements Input {}

  /**
   * The caller was refused with this while nothing could be committed: whatever stands in the
   * record, it sees no answer any more.
   */
  record RefusedAhead(SipResponse refusal) implements Input {}

  /** End the call for a reason of ours: shutting down, an administrator. */
  record HangUp(Termination.Reason reason) implements Input {}
}
