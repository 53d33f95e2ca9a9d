package io.sippbx.control.edge;

import io.sippbx.control.call.Lease;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.LimitStore;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * The calls of all nodes against {@code sip.max_cluster_calls}: each holds a lease in the store
 * from before its first commit to its end. Any thread; answers come on the loop of the call's key.
 */
public final class CallLeases {

  /** The limit's name in the store. */
  static final String NAME = "calls";

  /** How often a lease is tried to be given back before it is left to end by itself. */
  static final int ATTEMPTS = 5;

  /** Between two attempts. */
  static final Duration RETRY = Duration.ofMillis(500);

  private final LimitStore store;
  private final Loops loops;
  private final int limit;
  private final AtomicInteger held = new AtomicInteger();
  private final LongAdder leftToEnd = new LongAdder();

  /** What became of a call that wants to begin. */
  enum Taken {
    /** There is no limit. */
    NOT_NEEDED,
    HELD,
    /** The cluster has as many calls as it may. */
    REFUSED,
    /** The store did not answer. */
    UNAVAILABLE
  }

  /**
   * @param loops the store's
   * @param limit calls of the whole cluster; 0: no limit
   */
  public CallLeases(LimitStore store, Loops loops, int limit) {
    if (limit < 0) {
      throw new IllegalArgumentException("Expected a limit of 0 or more, but got " + limit);
    }
    this.store = store;
    this.loops = loops;
    this.limit = limit;
  }

  /** Takes a lease for a call that is about to begin; inline where there is no limit. */
  void take(CallKey call, Consumer<Taken> answer) {
    if (limit == 0) {
      answer.accept(Taken.NOT_NEEDED);
      return;
    }
    store.take(
        NAME,
        call,
        limit,
        Lease.FIRST,
        said ->
            answer.accept(
                switch (said) {
                  case LimitStore.Held ours -> {
                    held.set(ours.leases());
                    yield Taken.HELD;
                  }
                  case LimitStore.Refused refused -> {
                    held.set(refused.leases());
                    yield Taken.REFUSED;
                  }
                  case LimitStore.Released released -> Taken.UNAVAILABLE;
                  case LimitStore.Unavailable unavailable -> Taken.UNAVAILABLE;
                }));
  }

  /** Keeps the lease of a call that lasts; one that cannot be renewed now is with its next turn. */
  void renew(CallKey call, Duration lasting) {
    // Whatever the limit is by now: the call is there.
    store.take(NAME, call, Integer.MAX_VALUE, lasting, said -> {});
  }

  /** Gives a lease back; where there is none nothing happens. */
  void giveBack(CallKey call, Runnable done) {
    giveBack(call, 1, done);
  }

  private void giveBack(CallKey call, int attempt, Runnable done) {
    store.release(
        NAME,
        call,
        said -> {
          if (!(said instanceof LimitStore.Unavailable)) {
            done.run();
          } else if (attempt < ATTEMPTS) {
            loops.of(call.hashCode()).schedule(RETRY, () -> giveBack(call, attempt + 1, done));
          } else {
            leftToEnd.increment();
            done.run();
          }
        });
  }

  /** Leases that all nodes held when this one asked last; 0 where there is no limit. */
  public int held() {
    return held.get();
  }

  /** Leases that could not be given back and end by themselves, in hours. */
  public long leftToEnd() {
    return leftToEnd.sum();
  }
}
