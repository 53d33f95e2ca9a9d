package io.sippbx.control.edge;

import io.sippbx.control.call.BranchName;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallTag;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Received;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ClientTransactionId;
import io.sippbx.control.sip.transaction.Failure;
import io.sippbx.control.sip.transaction.ServerEnd;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transaction.TransactionUser;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What stands above the transactions of one loop: refuses what cannot be served, answers OPTIONS,
 * gives REGISTER to the registrar and everything else to the call that it belongs to. Confined to
 * its loop.
 */
public final class Edge implements TransactionUser {

  private final EdgeShared shared;
  private final EdgeServices services;
  private final TransactionLayer transactions;
  private final CallRuntime calls;
  private final CallArrivals arrivals;
  private final Redirects redirects;

  /** Hops of the message that is being received. */
  private int receiving;

  /**
   * @param transactions makes the loop's transactions, whose user this edge is
   * @param calls makes the loop's calls on top of them
   */
  public Edge(
      Loop loop,
      EdgeShared shared,
      EdgeServices services,
      Function<TransactionUser, TransactionLayer> transactions,
      Function<TransactionLayer, CallRuntime> calls) {
    this.shared = shared;
    this.services = services;
    this.transactions = transactions.apply(this);
    this.calls = calls.apply(this.transactions);
    this.arrivals = new CallArrivals(loop, shared, services, this.transactions, this.calls);
    this.redirects = new Redirects(services.locator(), loop);
  }

  /** The calls of this loop. */
  public CallRuntime calls() {
    return calls;
  }

  /** The transactions of this loop. */
  public TransactionLayer transactions() {
    return transactions;
  }

  /** INVITEs of this loop on their way to their calls. */
  int arriving() {
    return arrivals.pending();
  }

  /**
   * A message from the network, on this edge's loop.
   *
   * @param hops how often it was handed on between nodes before it came here
   */
  void receive(SipMessage message, Flow flow, int hops) {
    receiving = hops;
    if (message instanceof SipResponse response && hops == 0) {
      receive(response, flow);
    } else if (message instanceof SipResponse response && isRefusalOfOurs(response)) {
      refusedAhead(response, flow);
    } else {
      transactions.receive(message, flow);
    }
  }

  /** Whether it is no answer to us, but what a node of this cluster has told a caller. */
  private static boolean isRefusalOfOurs(SipResponse response) {
    return response.status() >= 300
        && response.cSeq().method().equals(Method.INVITE)
        && response.topVia().branch().flatMap(BranchName::of).isEmpty()
        && response.toTag().flatMap(CallTag::of).isPresent();
  }

  /** The node that refused the caller could not write it down, and this one has the call. */
  private void refusedAhead(SipResponse refusal, Flow flow) {
    CallKey key = refusal.toTag().flatMap(CallTag::of).map(CallTag::call).orElseThrow();
    calls.offerOrRead(key, new Input.RefusedAhead(refusal), received(refusal, flow), absent -> {});
  }

  /** Where the branch names another node that lives, the response is its business, or it knows. */
  private void receive(SipResponse response, Flow flow) {
    Optional<BranchName> name = response.topVia().branch().flatMap(BranchName::of);
    Optional<ClientTransactionId> id = ClientTransactionId.of(response);
    if (name.isPresent() && id.isPresent() && !transactions.holds(id.get())) {
      Member sender = name.get().sender();
      if (calls.isElsewhere(name.get().call(), sender)) {
        calls.give(
            sender,
            received(response, flow),
            () -> {
              receiving = 0;
              transactions.receive(response, flow);
            });
        return;
      }
    }
    transactions.receive(response, flow);
  }

  private Received received(SipMessage message, Flow flow) {
    return new Received(message, flow, receiving);
  }

  /** Answers what did not parse, as far as that can be. Any thread. */
  void refuseMalformed(SipRequest request, ParseResult.Malformed malformed, Flow flow) {
    shared
        .stateless()
        .answer(request, flow, malformed.status(), response -> response.reason(malformed.reason()));
  }

  @Override
  public void request(ServerTransactionId id, SipRequest request, Flow flow) {
    Optional<ServerRules.Refusal> refusal = ServerRules.check(request);
    if (refusal.isPresent()) {
      refuse(id, request, flow, refusal.get());
    } else if (request.toTag().isPresent()) {
      inDialog(id, request, flow);
    } else if (request.method().equals(Method.INVITE)) {
      arrivals.invite(id, request, received(request, flow));
    } else if (request.method().equals(Method.REGISTER)) {
      services
          .registrar()
          .register(request, flow, response -> answerRegister(id, request, flow, response));
    } else if (request.method().equals(Method.OPTIONS)) {
      transactions.respond(id, options(request));
    } else {
      // BYE and INFO without a To tag are within no dialog.
      refuseStateless(id, request, flow, 481);
    }
  }

  private void refuse(
      ServerTransactionId id, SipRequest request, Flow flow, ServerRules.Refusal refusal) {
    transactions.forget(id);
    shared.counters().refused.increment();
    shared
        .stateless()
        .answer(
            request,
            flow,
            refusal.status(),
            response -> {
              for (ServerRules.Header header : refusal.headers()) {
                response.header(header.name(), header.value());
              }
              return response;
            });
  }

  private void refuseStateless(ServerTransactionId id, SipRequest request, Flow flow, int status) {
    transactions.forget(id);
    shared.counters().refused.increment();
    shared.stateless().answer(request, flow, status);
  }

  /**
   * Challenges leave no state (law 2); what was granted or refused for good is kept for repeats.
   */
  private void answerRegister(
      ServerTransactionId id, SipRequest request, Flow flow, SipResponse response) {
    if (response.status() == 401 || response.status() == 503) {
      transactions.forget(id);
      shared.counters().refused.increment();
      shared.stateless().answer(request, flow, response);
    } else {
      transactions.respond(id, response);
    }
  }

  private SipResponse options(SipRequest request) {
    return SipResponse.to(request, 200)
        .toTag(AccessResponses.tag(request))
        .header(HeaderName.ALLOW, ServerRules.ALLOW)
        .header(HeaderName.ACCEPT, ServerRules.ACCEPT)
        .header(HeaderName.ACCEPT_ENCODING, "identity")
        .header(HeaderName.ACCEPT_LANGUAGE, "en")
        .header(HeaderName.SUPPORTED, "path")
        .header(HeaderName.SERVER, shared.serverName())
        .build();
  }

  private void inDialog(ServerTransactionId id, SipRequest request, Flow flow) {
    Optional<CallKey> key = request.toTag().flatMap(CallTag::of).map(CallTag::call);
    if (key.isEmpty()) {
      refuseStateless(id, request, flow, 481);
      return;
    }
    Received received = received(request, flow);
    services
        .nextHops()
        .of(
            request,
            flow,
            true,
            hop ->
                calls.offerOrRead(
                    key.get(),
                    new Input.RequestArrived(id, request, flow, hop),
                    received,
                    absent -> refuseStateless(id, request, flow, 481)));
  }

  @Override
  public void cancel(
      ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> invite) {
    CallKey key =
        cancel
            .toTag()
            .flatMap(CallTag::of)
            .map(CallTag::call)
            .orElseGet(() -> services.keys().derive(cancel));
    Runnable noCall = () -> refuseStateless(id, cancel, flow, 481);
    if (!arrivals.isOf(key, id)) {
      cancelCall(key, id, cancel, flow, noCall);
      return;
    }
    Runnable here =
        () -> {
          if (!arrivals.cancel(key, id, cancel)) {
            cancelCall(key, id, cancel, flow, noCall);
          }
        };
    // What is on its way may be a copy: another node has the call, and says what becomes of it.
    calls.find(
        key,
        found -> {
          switch (found) {
            case YES -> cancelCall(key, id, cancel, flow, here);
            case NO -> here.run();
            // Its repeat is another chance.
            case UNTOLD -> transactions.forget(id);
          }
        });
  }

  private void cancelCall(
      CallKey key, ServerTransactionId id, SipRequest cancel, Flow flow, Runnable absent) {
    Received received = received(cancel, flow);
    services
        .nextHops()
        .of(
            cancel,
            flow,
            true,
            hop ->
                calls.offerOrRead(
                    key,
                    new Input.RequestArrived(id, cancel, flow, hop),
                    received,
                    none -> absent.run()));
  }

  @Override
  public void ack(SipRequest ack, Flow flow) {
    Optional<CallKey> key = ack.toTag().flatMap(CallTag::of).map(CallTag::call);
    if (key.isPresent()) {
      calls.offerOrRead(
          key.get(),
          new Input.AckArrived(ack),
          received(ack, flow),
          absent -> shared.counters().stray.increment());
    } else {
      refusedElsewhere(ack, flow);
    }
  }

  /** The ACK for a refusal that left no state; a copy of the INVITE may have become a call here. */
  private void refusedElsewhere(SipRequest ack, Flow flow) {
    CallKey key = services.keys().derive(ack);
    if (arrivals.refusedElsewhere(key, ack)) {
      return;
    }
    if (calls.holds(key)) {
      calls.offerOrRead(key, new Input.AckArrived(ack), received(ack, flow), absent -> {});
    } else {
      shared.counters().stray.increment();
    }
  }

  @Override
  public void refusalAcknowledged(ServerTransactionId id, SipRequest ack) {
    // A refusal that left no state has a tag of no call.
    ack.toTag()
        .flatMap(CallTag::of)
        .map(CallTag::call)
        .ifPresent(key -> calls.offer(key, new Input.RefusalAcknowledged(id)));
  }

  /** Once the call has it in its record. */
  @Override
  public boolean acknowledgesLater() {
    return true;
  }

  @Override
  public void response(ClientTransactionId id, SipResponse response, Flow flow) {
    toCall(response, flow, calls::offerOrRead);
  }

  @Override
  public void strayResponse(SipResponse response, Flow flow) {
    boolean isSuccess = response.isSuccess() && response.cSeq().method().equals(Method.INVITE);
    // Where this node does not have the call in hand, another may wait for it, or this one will
    // when
    // it has read the record: two responses that come one after the other find it asking for that.
    if (isSuccess || isOfCallElsewhere(response)) {
      toCall(response, flow, calls::offerStray);
    } else {
      shared.counters().stray.increment();
    }
  }

  private boolean isOfCallElsewhere(SipResponse response) {
    return response
        .topVia()
        .branch()
        .flatMap(BranchName::of)
        .filter(name -> !calls.isInHand(name.call()))
        .isPresent();
  }

  /** How a response is given to its call. */
  @FunctionalInterface
  private interface Offer {
    void give(CallKey call, Input.ResponseArrived input, Received received, Consumer<Input> absent);
  }

  private void toCall(SipResponse response, Flow flow, Offer offer) {
    Optional<BranchName> name = response.topVia().branch().flatMap(BranchName::of);
    if (name.isEmpty()) {
      shared.counters().stray.increment();
      return;
    }
    CallKey key = name.get().call();
    Received received = received(response, flow);
    redirects.targets(
        response,
        targets ->
            services
                .nextHops()
                .of(
                    response,
                    flow,
                    false,
                    hop ->
                        offer.give(
                            key,
                            new Input.ResponseArrived(name.get().branch(), response, hop, targets),
                            received,
                            absent -> {
                              shared.counters().stray.increment();
                              // Nobody is there any more who could forget it.
                              transactions.acknowledge(response, Optional.empty(), hop);
                            })));
  }

  @Override
  public void failed(ClientTransactionId id, Failure failure) {
    BranchName.of(id.branch())
        .ifPresent(
            name ->
                calls.offer(
                    name.call(),
                    new Input.RequestFailed(id.branch(), id.method(), failure == Failure.TIMEOUT)));
  }

  @Override
  public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
    // Calls time their own ACKs; for the rest the transaction's end is the end of it.
  }

  @Override
  public void responseNotSent(ServerTransactionId id, SendFailure failure) {
    // The transport counts and logs it; the peer repeats its request if it still wants an answer.
  }

  @Override
  public void refused(SipRequest request, Flow flow) {
    shared.counters().refused.increment();
    if (request.method().equals(Method.INVITE) && request.toTag().isEmpty()) {
      arrivals.refused(services.keys().derive(request));
    }
    shared.stateless().overloaded(request, flow, shared.retryAfter());
  }
}
