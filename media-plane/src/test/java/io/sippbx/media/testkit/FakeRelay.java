package io.sippbx.media.testkit;

import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.RelayCounts;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A relay without sockets: ports are names in a table. It refuses what the real one refuses, and
 * throws where its caller breaks the contract: a port bound twice, a session opened twice, a
 * request while another is under way. Answers come at once, or when the test says so. Safe for use
 * by several threads.
 */
public final class FakeRelay implements Relay {

  private final TreeMap<CallKey, Held> open = new TreeMap<>();
  private final TreeMap<String, BindFailure> foreign = new TreeMap<>();
  private final TreeSet<String> bound = new TreeSet<>();
  private final TreeSet<CallKey> underWay = new TreeSet<>();
  private final ArrayDeque<Runnable> answers = new ArrayDeque<>();
  private final boolean delayed;
  private boolean closed;

  private static final class Held {
    final List<StreamPorts> ports;
    SessionPlan plan;
    long packets;
    OptionalLong lastPacketNs = OptionalLong.empty();

    Held(List<StreamPorts> ports, SessionPlan plan) {
      this.ports = new ArrayList<>(ports);
      this.plan = plan;
    }
  }

  private FakeRelay(boolean delayed) {
    this.delayed = delayed;
  }

  /** Answers within the call. */
  public static FakeRelay prompt() {
    return new FakeRelay(false);
  }

  /** Answers when {@link #answerNext} is called. */
  public static FakeRelay delayed() {
    return new FakeRelay(true);
  }

  /** Gives the oldest answer that waits; false if none does. */
  public boolean answerNext() {
    Runnable answer;
    synchronized (this) {
      answer = answers.poll();
    }
    if (answer == null) {
      return false;
    }
    answer.run();
    return true;
  }

  /** From now on another program holds this endpoint, or it fails otherwise. */
  public synchronized void fail(Endpoint endpoint, BindFailure failure) {
    foreign.put(endpoint.toString(), failure);
  }

  /** The endpoint can be bound again. */
  public synchronized void heal(Endpoint endpoint) {
    foreign.remove(endpoint.toString());
  }

  /** As if a packet had come from each end of a session just now. */
  public synchronized void packet(CallKey session, long nowNs) {
    Held held = open.get(session);
    if (held != null) {
      held.packets++;
      held.lastPacketNs = OptionalLong.of(nowNs);
    }
  }

  /** As if the relay had lost the session. */
  public synchronized void lose(CallKey session) {
    Held held = open.remove(session);
    if (held != null) {
      unbind(held.ports);
    }
  }

  /** Endpoints that are bound now. */
  public synchronized int boundPorts() {
    return bound.size();
  }

  /** What the session was told last. */
  public synchronized Optional<SessionPlan> plan(CallKey session) {
    return Optional.ofNullable(open.get(session)).map(h -> h.plan);
  }

  /** What the session is bound to. */
  public synchronized List<StreamPorts> ports(CallKey session) {
    Held held = open.get(session);
    return held == null ? List.of() : List.copyOf(held.ports);
  }

  @Override
  public void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    OpenResult result;
    synchronized (this) {
      if (open.containsKey(session)) {
        throw new IllegalStateException("Expected no open session, but got " + session);
      }
      result = bind(ports, List.of());
      if (result instanceof OpenResult.Opened) {
        open.put(session, new Held(ports, plan));
      }
    }
    answer(session, () -> answer.accept(result));
  }

  @Override
  public void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    OpenResult result;
    synchronized (this) {
      Held held = open.get(session);
      if (held == null) {
        result = new OpenResult.Refused(OpenResult.Refusal.CLOSED);
      } else {
        List<StreamPorts> before = List.copyOf(held.ports);
        unbind(before);
        result = bind(ports, endpoints(before));
        if (result instanceof OpenResult.Opened) {
          held.ports.clear();
          held.ports.addAll(ports);
          held.plan = plan;
        } else {
          endpoints(before).forEach(endpoint -> bound.add(endpoint.toString()));
        }
      }
    }
    answer(session, () -> answer.accept(result));
  }

  @Override
  public synchronized boolean update(CallKey session, SessionPlan plan) {
    Held held = open.get(session);
    if (held == null) {
      return false;
    }
    held.plan = plan;
    return true;
  }

  @Override
  public void close(CallKey session, Consumer<SessionCounts> lastCounts) {
    SessionCounts counts;
    synchronized (this) {
      counts = counts(session).orElse(new SessionCounts(List.of()));
      Held held = open.remove(session);
      if (held != null) {
        unbind(held.ports);
      }
    }
    answer(session, () -> lastCounts.accept(counts));
  }

  @Override
  public synchronized Optional<SessionCounts> counts(CallKey session) {
    return Optional.ofNullable(open.get(session))
        .map(
            held ->
                new SessionCounts(
                    held.ports.stream()
                        .map(p -> new SessionCounts.Stream(p.index(), end(held), end(held)))
                        .toList()));
  }

  @Override
  public synchronized RelayCounts counts() {
    return new RelayCounts(open.size(), bound.size(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Override
  public synchronized int sessions() {
    return open.size();
  }

  @Override
  public String adapter() {
    return "fake";
  }

  @Override
  public synchronized void close() {
    closed = true;
    open.clear();
    bound.clear();
  }

  private void answer(CallKey session, Runnable answer) {
    if (!delayed) {
      answer.run();
      return;
    }
    synchronized (this) {
      if (!underWay.add(session)) {
        throw new IllegalStateException("Expected one request at a time for " + session);
      }
      answers.add(
          () -> {
            synchronized (this) {
              underWay.remove(session);
            }
            answer.run();
          });
    }
  }

  private OpenResult bind(List<StreamPorts> ports, List<Endpoint> held) {
    if (closed) {
      return new OpenResult.Refused(OpenResult.Refusal.CLOSED);
    }
    for (Endpoint endpoint : endpoints(ports)) {
      BindFailure failure = foreign.get(endpoint.toString());
      if (failure != null && !held.contains(endpoint)) {
        return new OpenResult.BindFailed(endpoint, failure, 98, "as the test wants it");
      }
      if (bound.contains(endpoint.toString())) {
        throw new IllegalStateException("Expected a free port, but got " + endpoint);
      }
    }
    for (Endpoint endpoint : endpoints(ports)) {
      bound.add(endpoint.toString());
    }
    return new OpenResult.Opened(ports);
  }

  private void unbind(List<StreamPorts> ports) {
    for (Endpoint endpoint : endpoints(ports)) {
      bound.remove(endpoint.toString());
    }
  }

  private static List<Endpoint> endpoints(List<StreamPorts> ports) {
    var all = new ArrayList<Endpoint>();
    for (StreamPorts stream : ports) {
      all.addAll(List.of(stream.aRtp(), stream.aRtcp(), stream.bRtp(), stream.bRtcp()));
    }
    return all;
  }

  private static EndCounts end(Held held) {
    long n = held.packets;
    boolean latched = n > 0 && held.plan.streams().stream().anyMatch(s -> isKnown(s.a()));
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
        latched ? held.plan.streams().getFirst().a().remoteRtp() : Optional.empty(),
        Optional.empty(),
        held.lastPacketNs);
  }

  private static boolean isKnown(EndPlan end) {
    return end.remoteRtp().isPresent();
  }
}
