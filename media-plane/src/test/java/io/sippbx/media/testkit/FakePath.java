package io.sippbx.media.testkit;

import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.session.SessionPath;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A packet path without sockets, for sessions in one thread: it does what it is asked for when the
 * test calls {@link #next}, and throws where its caller breaks the contract: a port bound twice, a
 * second request while one is under way, an open session opened.
 */
public final class FakePath implements SessionPath {

  private final TreeMap<CallKey, Held> open = new TreeMap<>();
  private final TreeMap<String, BindFailure> failing = new TreeMap<>();
  private final TreeSet<String> bound = new TreeSet<>();
  private final LinkedHashSet<CallKey> underWay = new LinkedHashSet<>();
  private final ArrayDeque<Runnable> work = new ArrayDeque<>();
  private boolean closed;
  private int updates;

  private record Held(
      List<StreamPorts> ports, SessionPlan plan, long packets, OptionalLong lastPacketNs) {}

  /** Does the next thing that was asked for; false if nothing waits. */
  public boolean next() {
    Runnable step = work.poll();
    if (step == null) {
      return false;
    }
    step.run();
    return true;
  }

  /** Requests that wait. */
  public int waiting() {
    return work.size();
  }

  /** How often another plan was to be followed. */
  public int updates() {
    return updates;
  }

  /** From now on this endpoint cannot be bound. */
  public void fail(Endpoint endpoint, BindFailure failure) {
    failing.put(endpoint.toString(), failure);
  }

  /** Every endpoint can be bound again. */
  public void healAll() {
    failing.clear();
  }

  /** Refuses everything from now on, as a relay that was closed. */
  public void shut() {
    closed = true;
  }

  /** A packet comes from each end of a session. */
  public void packet(CallKey call, long nowNs) {
    open.computeIfPresent(
        call, (k, h) -> new Held(h.ports(), h.plan(), h.packets() + 1, OptionalLong.of(nowNs)));
  }

  /** Forgets a session, as a relay would by a fault. */
  public void lose(CallKey call) {
    Held held = open.remove(call);
    if (held != null) {
      endpoints(held.ports()).forEach(e -> bound.remove(e.toString()));
    }
  }

  /** Ports that are bound. */
  public int boundPorts() {
    return bound.size();
  }

  /** What the session is bound to; empty if it is not open. */
  public List<StreamPorts> ports(CallKey call) {
    Held held = open.get(call);
    return held == null ? List.of() : held.ports();
  }

  /** What the session follows. */
  public Optional<SessionPlan> plan(CallKey call) {
    return Optional.ofNullable(open.get(call)).map(Held::plan);
  }

  @Override
  public void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    begin(session, () -> answer.accept(bind(session, null, ports, plan)));
  }

  @Override
  public void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    begin(session, () -> answer.accept(rebind(session, ports, plan)));
  }

  private OpenResult rebind(CallKey session, List<StreamPorts> ports, SessionPlan plan) {
    Held before = open.get(session);
    return before == null
        ? new OpenResult.Refused(OpenResult.Refusal.CLOSED)
        : bind(session, before, ports, plan);
  }

  @Override
  public boolean update(CallKey session, SessionPlan plan) {
    if (underWay.contains(session)) {
      throw new IllegalStateException("Expected no request under way for " + session);
    }
    updates++;
    return open.computeIfPresent(
            session, (k, h) -> new Held(h.ports(), plan, h.packets(), h.lastPacketNs()))
        != null;
  }

  @Override
  public void close(CallKey session, Consumer<SessionCounts> lastCounts) {
    begin(
        session,
        () -> {
          SessionCounts counts = counts(session).orElse(new SessionCounts(List.of()));
          lose(session);
          lastCounts.accept(counts);
        });
  }

  @Override
  public Optional<SessionCounts> counts(CallKey session) {
    return Optional.ofNullable(open.get(session))
        .map(
            held ->
                new SessionCounts(
                    held.ports().stream()
                        .map(p -> new SessionCounts.Stream(p.index(), end(held), end(held)))
                        .toList()));
  }

  private void begin(CallKey session, Runnable step) {
    if (!underWay.add(session)) {
      throw new IllegalStateException("Expected no request under way for " + session);
    }
    work.add(
        () -> {
          underWay.remove(session);
          step.run();
        });
  }

  private OpenResult bind(
      CallKey session, @Nullable Held before, List<StreamPorts> ports, SessionPlan plan) {
    if (closed) {
      return new OpenResult.Refused(OpenResult.Refusal.CLOSED);
    }
    if (before == null && open.containsKey(session)) {
      throw new IllegalStateException("Expected no open session, but got " + session);
    }
    var old = before == null ? List.<Endpoint>of() : endpoints(before.ports());
    var wanted = endpoints(ports);
    for (Endpoint endpoint : wanted) {
      if (!old.contains(endpoint)) {
        BindFailure failure = failing.get(endpoint.toString());
        if (failure != null) {
          return new OpenResult.BindFailed(endpoint, failure, 98, "as the test wants it");
        }
        if (bound.contains(endpoint.toString())) {
          throw new IllegalStateException("Expected a free port, but got " + endpoint);
        }
      }
    }
    old.forEach(e -> bound.remove(e.toString()));
    wanted.forEach(e -> bound.add(e.toString()));
    long packets = before == null ? 0 : before.packets();
    open.put(
        session,
        new Held(
            ports, plan, packets, before == null ? OptionalLong.empty() : before.lastPacketNs()));
    return new OpenResult.Opened(ports);
  }

  private static List<Endpoint> endpoints(List<StreamPorts> ports) {
    var all = new ArrayList<Endpoint>();
    for (StreamPorts stream : ports) {
      all.addAll(List.of(stream.aRtp(), stream.aRtcp(), stream.bRtp(), stream.bRtcp()));
    }
    return all;
  }

  private static EndCounts end(Held held) {
    long n = held.packets();
    return new EndCounts(
        n,
        n * 172,
        0,
        3,
        8_000,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        n,
        n * 172,
        0,
        0,
        0,
        Optional.empty(),
        Optional.empty(),
        held.lastPacketNs());
  }
}
