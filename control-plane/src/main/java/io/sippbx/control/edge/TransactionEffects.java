package io.sippbx.control.edge;

import io.sippbx.control.call.CallEffects;
import io.sippbx.control.event.EventSink;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ClientTransactionId;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Carries out what calls decide: through the loop's transactions, the media plane and the sink. */
public final class TransactionEffects implements CallEffects {

  private final Loop loop;
  private final TransactionLayer transactions;
  private final MediaPlane media;
  private final CallLeases leases;
  private final EventSink events;

  /** For the calls of {@code loop}. */
  public TransactionEffects(
      Loop loop,
      TransactionLayer transactions,
      MediaPlane media,
      CallLeases leases,
      EventSink events) {
    this.loop = loop;
    this.transactions = transactions;
    this.media = media;
    this.leases = leases;
    this.events = events;
  }

  @Override
  public void respond(ServerTransactionId transaction, SipResponse response, SendPermit permit) {
    transactions.respond(transaction, response, permit);
  }

  @Override
  public void request(SipRequest request, Destination to, SendPermit permit) {
    transactions.request(request, to, permit);
  }

  @Override
  public void resumeServer(
      ServerTransactionId transaction,
      Flow flow,
      Optional<SipResponse> lastResponse,
      SendPermit permit) {
    transactions.resumeServer(transaction, flow, lastResponse, permit);
  }

  @Override
  public void resumeClient(
      SipRequest request, Destination to, Duration remaining, SendPermit permit) {
    transactions.resumeClient(request, to, remaining, permit);
  }

  @Override
  public void awaitFinal(SipRequest invite, Destination to, SendPermit permit) {
    transactions.awaitFinal(invite, to, permit);
  }

  @Override
  public boolean receiveAgain(SipResponse response, Flow flow) {
    if (ClientTransactionId.of(response).filter(transactions::holds).isEmpty()) {
      return false;
    }
    loop.execute(() -> transactions.receive(response, flow));
    return true;
  }

  @Override
  public void forget(ServerTransactionId transaction) {
    transactions.forget(transaction);
  }

  @Override
  public void forgetAll(SendPermit permit) {
    transactions.forgetAll(permit);
  }

  @Override
  public void abandon(SipRequest request) {
    ClientTransactionId.of(request).ifPresent(transactions::forget);
  }

  @Override
  public void ack(SipRequest ack, Destination to) {
    transactions.sendStateless(ack, to);
  }

  @Override
  public void ackFailure(SipResponse response, Optional<SipRequest> invite, Destination to) {
    transactions.acknowledge(response, invite, to);
  }

  @Override
  public void applyMedia(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
    media.apply(node, spec, said -> loop.execute(() -> answer.accept(said)));
  }

  @Override
  public void placeMedia(MediaNeed need, List<NodeId> except, Consumer<Optional<NodeId>> answer) {
    loop.execute(() -> answer.accept(media.place(need, except)));
  }

  @Override
  public void releaseMedia(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    media.release(node, call, revision, said -> loop.execute(() -> answer.accept(said)));
  }

  @Override
  public void renewLease(CallKey call, Duration lasting) {
    leases.renew(call, lasting);
  }

  @Override
  public void giveLeaseBack(CallKey call, Runnable done) {
    leases.giveBack(call, done);
  }

  @Override
  public void publish(List<CallEvent> committed) {
    events.publish(committed);
  }
}
