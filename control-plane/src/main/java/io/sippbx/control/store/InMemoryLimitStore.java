package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Leases in the memory of one process. For any thread; the loops' clock is the store's time. */
public final class InMemoryLimitStore implements LimitStore {

  private final Loops loops;
  private final Map<String, Map<CallKey, Instant>> limits;

  /**
   * @param loops where answers are given: each call's on the loop of its key
   */
  public InMemoryLimitStore(Loops loops) {
    this(loops, new TreeMap<>());
  }

  private InMemoryLimitStore(Loops loops, Map<String, Map<CallKey, Instant>> limits) {
    this.loops = loops;
    this.limits = limits;
  }

  /** The same leases for the loops of another node, or of this one after it was started again. */
  public InMemoryLimitStore on(Loops others) {
    return new InMemoryLimitStore(others, limits);
  }

  /** Leases that are held now. */
  public int held(String name) {
    synchronized (limits) {
      Map<CallKey, Instant> held = limits.get(name);
      Instant now = loops.all().getFirst().now();
      return held == null
          ? 0
          : (int) held.values().stream().filter(end -> end.isAfter(now)).count();
    }
  }

  /** What puts all back as it is now, as a fail-over does that loses writes; for tests of one. */
  public Runnable checkpoint() {
    synchronized (limits) {
      Map<String, Map<CallKey, Instant>> then = copy(limits);
      return () -> {
        synchronized (limits) {
          limits.clear();
          limits.putAll(copy(then));
        }
      };
    }
  }

  private static Map<String, Map<CallKey, Instant>> copy(Map<String, Map<CallKey, Instant>> all) {
    var copy = new TreeMap<String, Map<CallKey, Instant>>();
    all.forEach((name, held) -> copy.put(name, new TreeMap<>(held)));
    return copy;
  }

  @Override
  public void take(
      String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> answer) {
    LimitStore.check(name, limit, lease);
    Loop loop = loops.of(call.hashCode());
    LeaseAnswer said = take(name, call, limit, lease, loop.now());
    loop.execute(() -> answer.accept(said));
  }

  private LeaseAnswer take(String name, CallKey call, int limit, Duration lease, Instant now) {
    synchronized (limits) {
      return taken(name, call, limit, lease, now);
    }
  }

  private LeaseAnswer taken(String name, CallKey call, int limit, Duration lease, Instant now) {
    Map<CallKey, Instant> held = limits.computeIfAbsent(name, each -> new TreeMap<>());
    held.values().removeIf(end -> !end.isAfter(now));
    if (!held.containsKey(call) && held.size() >= limit) {
      int others = held.size();
      if (held.isEmpty()) {
        limits.remove(name);
      }
      return new Refused(others);
    }
    held.put(call, now.plus(lease));
    return new Held(held.size());
  }

  @Override
  public void release(String name, CallKey call, Consumer<LeaseAnswer> answer) {
    LimitStore.check(name, 0, Duration.ofSeconds(1));
    release(name, call);
    loops.of(call.hashCode()).execute(() -> answer.accept(new Released()));
  }

  private void release(String name, CallKey call) {
    synchronized (limits) {
      Map<CallKey, Instant> held = limits.get(name);
      if (held != null) {
        held.remove(call);
        if (held.isEmpty()) {
          limits.remove(name);
        }
      }
    }
  }
}
