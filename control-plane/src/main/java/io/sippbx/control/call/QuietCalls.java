package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a loop that are up and that nobody owns (law 5). They stay in memory for a while,
 * folded and within a bound, and then live in the store only. Those that this node still counts are
 * looked at there from time to time, since whoever ends them need not be this node. Lives on its
 * loop; its timer runs only while there are such calls.
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

  /** Of these, those that have no mailbox. */
  private final Map<CallKey, Settled> folded = new LinkedHashMap<>();

  /** Each with when it is looked at, the first first. */
  private final Map<CallKey, Long> away = new LinkedHashMap<>();

  private Loop.@Nullable Timer timer;

  /**
   * A call without a mailbox.
   *
   * @param readNs when the record was asked for, or later: another may have taken it up since
   */
  record Settled(FoldedCall call, long readNs) {}

  /**
   * @param limit calls in memory at most
   * @param evict takes a call with a mailbox out of memory, if it is still quiet
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
    forget(call);
    cached.put(call, loop.nowNs() + KEEP.toNanos());
    leaveRoom();
    arm();
  }

  /** The same, of a call whose mailbox is closed. */
  void settled(CallKey call, Settled as) {
    forget(call);
    folded.put(call, as);
    cached.put(call, loop.nowNs() + KEEP.toNanos());
    leaveRoom();
    arm();
  }

  private void leaveRoom() {
    if (cached.size() > limit) {
      leave(cached.keySet().iterator().next());
    }
  }

  /** Whether the call is folded here. */
  boolean contains(CallKey call) {
    return folded.containsKey(call);
  }

  /** The call, if it is folded here. */
  Optional<Settled> get(CallKey call) {
    return Optional.ofNullable(folded.get(call));
  }

  /** The same, and it is none of these any more. */
  Optional<Settled> take(CallKey call) {
    Optional<Settled> taken = get(call);
    if (taken.isPresent()) {
      forget(call);
    }
    return taken;
  }

  /** Those that are folded here. */
  List<CallKey> folded() {
    return List.copyOf(folded.keySet());
  }

  /** How many those are. */
  int size() {
    return folded.size();
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
    folded.remove(call);
    away.remove(call);
  }

  private void leave(CallKey call) {
    cached.remove(call);
    if (folded.remove(call) == null) {
      evict.accept(call);
    } else {
      isAway(call);
    }
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
