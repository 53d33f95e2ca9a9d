package io.sippbx.control.edge;

import io.sippbx.control.call.BranchName;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallTag;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipReceiver;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gives each message to the loop that its call is pinned to: a request by the call key in its To
 * tag, or by derivation; a response by the call key in our branch. What belongs to no call goes by
 * its Call-ID. Called on the transport's threads.
 */
public final class Dispatcher implements SipReceiver {

  private final Loops loops;
  private final List<Edge> edges;
  private final List<AtomicInteger> waiting = new ArrayList<>();
  private final int limit;
  private final EdgeCounters counters;
  private final ThreadLocal<CallKeys> keys;

  /**
   * @param edges one for each loop, in the order of the loops
   * @param clusterSecret of the call keys
   * @param limit messages that may wait for one loop; more are dropped and counted: peers repeat
   */
  public Dispatcher(
      Loops loops, List<Edge> edges, byte[] clusterSecret, int limit, EdgeCounters counters) {
    if (edges.size() != loops.all().size()) {
      throw new IllegalArgumentException("Expected one edge a loop, but got " + edges.size());
    }
    this.loops = loops;
    this.edges = List.copyOf(edges);
    this.limit = limit;
    this.counters = counters;
    this.keys = ThreadLocal.withInitial(() -> new CallKeys(clusterSecret));
    for (int i = 0; i < edges.size(); i++) {
      waiting.add(new AtomicInteger());
    }
  }

  @Override
  public void received(SipMessage message, Flow flow) {
    handedOn(message, flow, 0);
  }

  /**
   * A message that came to another node and is to be handled here.
   *
   * @param hops how often it was handed on between nodes
   * @return false if it is not taken: too much waits
   */
  public boolean handedOn(SipMessage message, Flow flow, int hops) {
    int index = Math.floorMod(hash(message), edges.size());
    AtomicInteger depth = waiting.get(index);
    if (depth.incrementAndGet() > limit) {
      depth.decrementAndGet();
      counters.overloaded.increment();
      return false;
    }
    Loop loop = loops.all().get(index);
    loop.execute(
        () -> {
          depth.decrementAndGet();
          edges.get(index).receive(message, flow, hops);
        });
    return true;
  }

  private int hash(SipMessage message) {
    return switch (message) {
      case SipRequest request -> hash(request);
      case SipResponse response ->
          response
              .topVia()
              .branch()
              .flatMap(BranchName::of)
              .map(BranchName::call)
              // One of ours, that another node hands on.
              .or(() -> response.toTag().flatMap(CallTag::of).map(CallTag::call))
              .map(CallKey::hashCode)
              .orElseGet(() -> response.callId().hashCode());
    };
  }

  private int hash(SipRequest request) {
    Optional<CallKey> ours = request.toTag().flatMap(CallTag::of).map(CallTag::call);
    if (ours.isPresent()) {
      return ours.get().hashCode();
    }
    boolean ofInvite =
        request.method().equals(Method.INVITE)
            || request.method().equals(Method.CANCEL)
            || request.method().equals(Method.ACK);
    return ofInvite ? keys.get().derive(request).hashCode() : request.callId().hashCode();
  }

  @Override
  public void malformed(ParseResult.Malformed malformed, Flow flow) {
    counters.malformed.increment();
    malformed
        .answerable()
        .ifPresent(request -> edges.getFirst().refuseMalformed(request, malformed, flow));
  }
}
