package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a loop that are up and that nobody owns (law 5). They stay in memory for a while,
 * within a bound, and then live in the store only. Those that this node still counts are looked at
 * there from time to time, since whoever ends them need not be this node. Lives on its loop; its
 * timer runs only while there are such calls.
 */
final class QuietCalls {

  private static final Duration TURN = Duration.ofSeconds(1);

  /** How long a call stays in memory after it was settled, and between two looks at its record. */
  private static final Duration KEEP = Duration.ofSeconds(60);

  private static final int LOOKS_A_TURN = 50;

  private final Loop loop;
  private final int limit;
  private final Consumer<CallKey> evict;
  private final Consumer<CallKey> look;

  /** Each with when it leaves, the first first. */
  private final Map<CallKey, Long> cached = new LinkedHashMap<>();

  /** Each with when it is looked at, the first first. */
  private final Map<CallKey, Long> away = new LinkedHashMap<>();

  private Loop.@Nullable Timer timer;

  /**
   * @param limit calls in memory at most
   * @param evict takes a call out of memory, if it is still quiet
   * @param look asks the store whether a call goes on
   */
  QuietCalls(Loop loop, int limit, Consumer<CallKey> evict, Consumer<CallKey> look) {
    this.loop = loop;
    this.limit = limit;
    this.evict = evict;
    this.look = look;
  }

  /** A call has been settled: its record has no owner. */
  void settled(CallKey call) {
    away.remove(call);
    cached.remove(call);
    cached.put(call, loop.nowNs() + KEEP.toNanos());
    if (cached.size() > limit) {
      leave(cached.keySet().iterator().next());
    }
    arm();
  }

  /** A call that is counted here is in the store only; it is looked at there after a while. */
  void isAway(CallKey call) {
    away.remove(call);
    away.put(call, loop.nowNs() + KEEP.toNanos());
    arm();
  }

  /** A call is over, or another's: it is none of these any more. */
  void forget(CallKey call) {
    cached.remove(call);
    away.remove(call);
  }

  private void leave(CallKey call) {
    cached.remove(call);
    evict.accept(call);
  }

  private void arm() {
    if (timer == null && !(cached.isEmpty() && away.isEmpty())) {
      timer = loop.schedule(TURN, this::turn);
    }
  }

  private void turn() {
    timer = null;
    long nowNs = loop.nowNs();
    while (!cached.isEmpty() && isDue(cached, nowNs)) {
      leave(cached.keySet().iterator().next());
    }
    for (int i = 0; i < LOOKS_A_TURN && !away.isEmpty() && isDue(away, nowNs); i++) {
      CallKey call = away.keySet().iterator().next();
      away.remove(call);
      look.accept(call);
    }
    arm();
  }

  private static boolean isDue(Map<CallKey, Long> calls, long nowNs) {
    return calls.values().iterator().next() - nowNs <= 0;
  }
}
