package io.sippbx.control.edge;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.InMemoryLimitStore;
import io.sippbx.control.store.LimitStore;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.function.Consumer;

/** Leases in memory, and a store that may be away. */
final class FaultyLimitStore implements LimitStore {

  private final Loops loops;
  private final InMemoryLimitStore memory;

  /** Nothing is done, and nobody is told but that. */
  boolean away;

  /** How often a lease was to be given back. */
  int releases;

  FaultyLimitStore(Loops loops) {
    this.loops = loops;
    this.memory = new InMemoryLimitStore(loops);
  }

  int held() {
    return memory.held(CallLeases.NAME);
  }

  @Override
  public void take(
      String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> answer) {
    if (away) {
      loops.of(call.hashCode()).execute(() -> answer.accept(new Unavailable("away")));
    } else {
      memory.take(name, call, limit, lease, answer);
    }
  }

  @Override
  public void release(String name, CallKey call, Consumer<LeaseAnswer> answer) {
    releases++;
    if (away) {
      loops.of(call.hashCode()).execute(() -> answer.accept(new Unavailable("away")));
    } else {
      memory.release(name, call, answer);
    }
  }
}
