package io.sippbx.simulation;

import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.session.SessionPath;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** The sockets of a media node as a ledger: which endpoint is bound for whom. */
final class Relay implements SessionPath {

  private final VirtualLoop loop;
  private final RandomGenerator random;
  private final TreeMap<CallKey, Held> open = new TreeMap<>();
  private final TreeMap<String, CallKey> bound = new TreeMap<>();
  private final List<String> violations = new ArrayList<>();
  private final Set<CallKey> refused;

  private record Held(List<StreamPorts> ports, SessionPlan plan) {}

  /**
   * @param refused calls for which nothing can be bound
   */
  Relay(VirtualLoop loop, RandomGenerator random, Set<CallKey> refused) {
    this.loop = loop;
    this.random = random;
    this.refused = refused;
  }

  /** Whether it would tell that nothing comes for this call. */
  boolean watches(CallKey call) {
    Held held = open.get(call);
    return held != null && held.plan().mediaTimeout().isPositive();
  }

  int boundPorts() {
    return bound.size();
  }

  List<String> violations() {
    return List.copyOf(violations);
  }

  private void later(Runnable task) {
    loop.schedule(Duration.ofNanos(50_000L + random.nextInt(2_000_000)), task);
  }

  @Override
  public void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    later(
        () -> {
          if (refused.contains(session)) {
            answer.accept(
                new OpenResult.BindFailed(
                    endpoints(ports).getFirst(),
                    OpenResult.BindFailure.NOT_PERMITTED,
                    13,
                    "simulated"));
            return;
          }
          if (open.containsKey(session)) {
            violations.add("session " + session + " is opened twice");
          }
          answer.accept(bind(session, ports, plan));
        });
  }

  @Override
  public void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    later(
        () -> {
          if (!open.containsKey(session)) {
            answer.accept(new OpenResult.Refused(OpenResult.Refusal.CLOSED));
          } else {
            answer.accept(bind(session, ports, plan));
          }
        });
  }

  private OpenResult bind(CallKey session, List<StreamPorts> ports, SessionPlan plan) {
    unbind(session);
    for (Endpoint endpoint : endpoints(ports)) {
      CallKey other = bound.put(endpoint.toString(), session);
      if (other != null && !other.equals(session)) {
        violations.add(endpoint + " of " + other + " is bound for " + session);
      }
    }
    open.put(session, new Held(ports, plan));
    return new OpenResult.Opened(ports);
  }

  private void unbind(CallKey session) {
    Held held = open.remove(session);
    if (held != null) {
      endpoints(held.ports()).forEach(endpoint -> bound.remove(endpoint.toString()));
    }
  }

  @Override
  public boolean update(CallKey session, SessionPlan plan) {
    return open.computeIfPresent(session, (key, held) -> new Held(held.ports(), plan)) != null;
  }

  @Override
  public void close(CallKey session, Consumer<SessionCounts> lastCounts) {
    later(
        () -> {
          unbind(session);
          lastCounts.accept(new SessionCounts(List.of()));
        });
  }

  @Override
  public Optional<SessionCounts> counts(CallKey session) {
    return open.containsKey(session) ? Optional.of(new SessionCounts(List.of())) : Optional.empty();
  }

  private static List<Endpoint> endpoints(List<StreamPorts> ports) {
    var all = new ArrayList<Endpoint>();
    for (StreamPorts stream : ports) {
      all.add(stream.aRtp());
      all.add(stream.aRtcp());
      all.add(stream.bRtp());
      all.add(stream.bRtcp());
    }
    return all;
  }
}
