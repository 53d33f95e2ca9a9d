package io.sippbx.control.edge;

import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Received;
import io.sippbx.control.call.Target;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.routing.Router;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * What lies between a caller's INVITE and its call: who sends it, whether there is room, whom it
 * calls, which media node takes it. All refusals here leave no state (law 2). Confined to one loop.
 */
final class CallArrivals {

  /** Refused INVITEs that are remembered: some seconds of thousands a second. */
  private static final int REFUSED = 20_000;

  private final EdgeShared shared;
  private final EdgeServices services;
  private final TransactionLayer transactions;
  private final CallRuntime calls;
  private final Map<CallKey, Arrival> arriving = new LinkedHashMap<>();
  private final RefusedInvites refused;

  /** An INVITE on its way to its call. */
  private static final class Arrival {
    private final ServerTransactionId transaction;
    private final SipRequest invite;
    private final Received received;
    private boolean cancelled;
    private boolean leased;

    Arrival(ServerTransactionId transaction, SipRequest invite, Received received) {
      this.transaction = transaction;
      this.invite = invite;
      this.received = received;
    }
  }

  CallArrivals(
      Loop loop,
      EdgeShared shared,
      EdgeServices services,
      TransactionLayer transactions,
      CallRuntime calls) {
    this.refused = new RefusedInvites(loop, REFUSED);
    this.shared = shared;
    this.services = services;
    this.transactions = transactions;
    this.calls = calls;
  }

  /** An INVITE without To tag in a new transaction. */
  void invite(ServerTransactionId id, SipRequest invite, Received received) {
    Flow flow = received.flow();
    CallKey key = services.keys().derive(invite);
    if (arriving.containsKey(key)) {
      // The same INVITE by another way while the first is being looked at: what comes again later
      // finds the call; this copy is repeated by who sent it.
      transactions.forget(id);
      return;
    }
    if (calls.call(key).isPresent()) {
      arrived(key, new Arrival(id, invite, received), flow, List.of());
      return;
    }
    var arrival = new Arrival(id, invite, received);
    if (refused.contains(key)) {
      overloaded(key, arrival, flow);
      return;
    }
    if (arriving.size() >= shared.arrivals()) {
      shared.counters().overArrivalLimit.increment();
      overloaded(key, arrival, flow);
      return;
    }
    arriving.put(key, arrival);
    services.access().authenticate(invite, flow, decision -> decided(key, arrival, flow, decision));
  }

  private void decided(CallKey key, Arrival arrival, Flow flow, AccessDecision decision) {
    Optional<SipResponse> refusal =
        AccessResponses.of(arrival.invite, decision, shared.retryAfter());
    if (refusal.isPresent()) {
      refuse(key, arrival, flow, refusal.get());
      return;
    }
    if (decision instanceof AccessDecision.Accepted accepted
        && !accepted.mayUse(identity(arrival.invite))) {
      refuse(key, arrival, flow, 403);
    } else if (shared.draining().getAsBoolean()) {
      unserved(key, arrival, flow, shared.counters().whileDraining);
    } else if (!shared.active().tryTake(key)) {
      unserved(key, arrival, flow, shared.counters().overCallLimit);
    } else {
      shared.leases().take(key, taken -> leased(key, arrival, flow, taken));
    }
  }

  /** This node takes no more calls. */
  private void unserved(CallKey key, Arrival arrival, Flow flow, LongAdder counter) {
    unlessFound(
        key,
        arrival,
        flow,
        () -> {
          counter.increment();
          overloaded(key, arrival, flow);
        });
  }

  /**
   * What this node would refuse, another may have accepted a copy of: a refusal would be the end of
   * that call for its caller.
   */
  private void unlessFound(CallKey key, Arrival arrival, Flow flow, Runnable refuse) {
    calls.find(
        key,
        found -> {
          if (arrival.cancelled) {
            return;
          }
          if (found == CallRuntime.Found.YES) {
            copyArrived(key, arrival, flow, refuse);
          } else {
            refuse.run();
          }
        });
  }

  private void copyArrived(CallKey key, Arrival arrival, Flow flow, Runnable absent) {
    services
        .nextHops()
        .of(
            arrival.invite,
            flow,
            true,
            hop -> {
              if (arrival.cancelled) {
                return;
              }
              arriving.remove(key);
              calls.offerOrRead(
                  key,
                  new Input.InviteArrived(
                      arrival.transaction,
                      arrival.invite,
                      flow,
                      hop,
                      List.of(),
                      Optional.empty(),
                      false),
                  arrival.received,
                  none -> absent.run());
            });
  }

  private void leased(CallKey key, Arrival arrival, Flow flow, CallLeases.Taken taken) {
    arrival.leased = taken == CallLeases.Taken.HELD;
    if (cameToNothing(key, arrival)) {
      return;
    }
    switch (taken) {
      case NOT_NEEDED, HELD ->
          services.router().route(arrival.invite, route -> routed(key, arrival, flow, route));
      case REFUSED -> {
        shared.counters().overClusterLimit.increment();
        giveUp(key, arrival);
        overloaded(key, arrival, flow);
      }
      case UNAVAILABLE -> {
        giveUp(key, arrival);
        overloaded(key, arrival, flow);
      }
    }
  }

  /** The INVITE becomes no call: its place, here and in the cluster, is for another. */
  private void giveUp(CallKey key, Arrival arrival) {
    shared.active().note(key, false);
    if (arrival.leased) {
      arrival.leased = false;
      shared.leases().giveBack(key, () -> {});
    }
  }

  private static String identity(SipRequest invite) {
    return invite.from().uri() instanceof SipUri uri ? uri.userText().orElse("") : "";
  }

  private void routed(CallKey key, Arrival arrival, Flow flow, Router.Route route) {
    if (cameToNothing(key, arrival)) {
      return;
    }
    switch (route) {
      case Router.Route.Found found -> arrived(key, arrival, flow, found.groups());
      case Router.Route.Refused refused ->
          unlessFound(
              key,
              arrival,
              flow,
              () -> {
                giveUp(key, arrival);
                refuse(key, arrival, flow, refused.status());
              });
      case Router.Route.Unavailable unavailable -> {
        giveUp(key, arrival);
        overloaded(key, arrival, flow);
      }
    }
  }

  private void arrived(CallKey key, Arrival arrival, Flow flow, List<List<Target>> groups) {
    services
        .nextHops()
        .of(
            arrival.invite,
            flow,
            true,
            hop -> {
              if (cameToNothing(key, arrival)) {
                return;
              }
              arriving.remove(key);
              MediaNeed need = SessionNeed.of(arrival.invite, flow, groups);
              Optional<NodeId> node = shared.media().place(need);
              calls.begin(
                  key,
                  new Input.InviteArrived(
                      arrival.transaction, arrival.invite, flow, hop, groups, node, arrival.leased),
                  arrival.received);
            });
  }

  /** Whether its caller has been told its end meanwhile; then its place is given back. */
  private boolean cameToNothing(CallKey key, Arrival arrival) {
    if (arrival.cancelled) {
      giveUp(key, arrival);
    }
    return arrival.cancelled;
  }

  /** Whether this is the CANCEL of an INVITE that has not become a call of this node yet. */
  boolean isOf(CallKey key, ServerTransactionId cancel) {
    Arrival arrival = arriving.get(key);
    return arrival != null && arrival.transaction.branch().equals(cancel.branch());
  }

  /**
   * Answers the CANCEL of an INVITE that has not become a call yet, here or elsewhere, and the
   * INVITE.
   *
   * @return false if there is none any more: it is the call's business
   */
  boolean cancel(CallKey key, ServerTransactionId id, SipRequest cancel) {
    if (!isOf(key, id)) {
      return false;
    }
    Arrival arrival = Objects.requireNonNull(arriving.remove(key));
    arrival.cancelled = true;
    transactions.respond(
        id, SipResponse.to(cancel, 200).toTag(AccessResponses.tag(arrival.invite)).build());
    transactions.respond(
        arrival.transaction,
        SipResponse.to(arrival.invite, 487).toTag(AccessResponses.tag(arrival.invite)).build());
    return true;
  }

  /**
   * Drops an INVITE that has not become a call yet, and whose caller has acknowledged another
   * node's refusal of it.
   *
   * @return false if there is none
   */
  boolean refusedElsewhere(CallKey key, SipRequest ack) {
    Arrival arrival = arriving.get(key);
    if (arrival == null || !arrival.transaction.equals(ServerTransactionId.of(ack))) {
      return false;
    }
    arriving.remove(key);
    arrival.cancelled = true;
    transactions.forget(arrival.transaction);
    return true;
  }

  private void overloaded(CallKey key, Arrival arrival, Flow flow) {
    if (gone(key, arrival)) {
      return;
    }
    refused(key);
    shared.stateless().overloaded(arrival.invite, flow, shared.retryAfter());
  }

  /** An INVITE is refused though it might not be a moment later. */
  void refused(CallKey key) {
    refused.add(key);
  }

  private void refuse(CallKey key, Arrival arrival, Flow flow, int status) {
    if (gone(key, arrival)) {
      return;
    }
    shared.stateless().answer(arrival.invite, flow, status);
  }

  private void refuse(CallKey key, Arrival arrival, Flow flow, SipResponse response) {
    if (gone(key, arrival)) {
      return;
    }
    shared.stateless().answer(arrival.invite, flow, response);
  }

  /** Forgets the arrival; true if it was cancelled, and so answered, before. */
  private boolean gone(CallKey key, Arrival arrival) {
    if (arrival.cancelled) {
      return true;
    }
    arriving.remove(key);
    transactions.forget(arrival.transaction);
    shared.counters().refused.increment();
    return false;
  }

  /** INVITEs that have not become calls yet. */
  int pending() {
    return arriving.size();
  }
}
