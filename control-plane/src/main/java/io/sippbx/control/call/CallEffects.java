package io.sippbx.control.call;

import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the runtime needs of the world to carry out decisions. Methods are called on the call's loop
 * and return at once; answers are given exactly once, on that loop, never inline.
 */
public interface CallEffects {

  /**
   * Answers through the server transaction; a 2xx to an INVITE may be given again.
   *
   * @param permit of the call, asked before the transaction repeats anything by itself
   */
  void respond(ServerTransactionId transaction, SipResponse response, SendPermit permit);

  /** Sends in a client transaction of its own. */
  void request(SipRequest request, Destination to, SendPermit permit);

  /** Goes on with a server transaction that was open elsewhere, or before a restart. */
  void resumeServer(
      ServerTransactionId transaction,
      Flow flow,
      Optional<SipResponse> lastResponse,
      SendPermit permit);

  /** Goes on with a client transaction that was open elsewhere, or before a restart. */
  void resumeClient(SipRequest request, Destination to, Duration remaining, SendPermit permit);

  /** Hears the final response to an INVITE that was cancelled elsewhere, or before a restart. */
  void awaitFinal(SipRequest invite, Destination to, SendPermit permit);

  /**
   * Gives a response to the client transaction that it answers, if there is one by now; from there
   * it comes to the call once more.
   *
   * @return whether there is one
   */
  boolean receiveAgain(SipResponse response, Flow flow);

  /** Drops a server transaction without a word: repeats are another node's business. */
  void forget(ServerTransactionId transaction);

  /** Drops all transactions that ask this permit, without a word. */
  void forgetAll(SendPermit permit);

  /** Drops a client transaction without a word: its responses become stray. */
  void abandon(SipRequest request);

  /** Sends an ACK for a 2xx. */
  void ack(SipRequest ack, Destination to);

  /**
   * Acknowledges a final response of 300 to 699 to an INVITE.
   *
   * @param invite that it answers; empty if only its transaction knows
   */
  void ackFailure(SipResponse response, Optional<SipRequest> invite, Destination to);

  /** Makes the media node hold this session. */
  void applyMedia(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer);

  /** Looks for a media node with room for what is needed, other than these. */
  void placeMedia(MediaNeed need, List<NodeId> except, Consumer<Optional<NodeId>> answer);

  /** Ends the media session. */
  void releaseMedia(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer);

  /** Keeps the call's lease of the cluster's limit. */
  void renewLease(CallKey call, Duration lasting);

  /**
   * Gives the call's lease of the cluster's limit back.
   *
   * @param done it was given back, or what can be done for that in a short time was done: it ends
   *     by itself
   */
  void giveLeaseBack(CallKey call, Runnable done);

  /** Passes committed events on. */
  void publish(List<CallEvent> events);
}
