package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The tombstones of a loop that nobody owns, folded: most are never asked for again. No more of
 * them than a limit: of more the oldest is in the store only. Lives on its loop; its timer runs
 * only while there are such calls.
 */
final class EndedCalls {

  private static final Duration TURN = Duration.ofSeconds(1);

  private final Loop loop;
  private final int limit;

  /** The one that was put in first is first. */
  private final Map<CallKey, Ended> calls = new LinkedHashMap<>();

  private Loop.@Nullable Timer timer;

  /** A tombstone, and when its record in the store is over. */
  private record Ended(FoldedCall call, Instant until) {}

  EndedCalls(Loop loop, int limit) {
    this.loop = loop;
    this.limit = limit;
  }

  /**
   * Keeps a call that has ended.
   *
   * @param until when the time of its tombstone is over
   */
  void put(CallKey call, FoldedCall folded, Instant until) {
    calls.remove(call);
    calls.put(call, new Ended(folded, until));
    if (calls.size() > limit) {
      calls.remove(calls.keySet().iterator().next());
    }
    arm();
  }

  boolean contains(CallKey call) {
    return find(call) != null;
  }

  /** The call as it was when it ended. */
  Optional<FoldedCall> get(CallKey call) {
    Ended found = find(call);
    return found == null ? Optional.empty() : Optional.of(found.call());
  }

  /** The same, and it is none of these any more. */
  Optional<FoldedCall> take(CallKey call) {
    Optional<FoldedCall> found = get(call);
    calls.remove(call);
    return found;
  }

  private @Nullable Ended find(CallKey call) {
    Ended found = calls.get(call);
    return found == null || isOver(found) ? null : found;
  }

  void clear() {
    calls.clear();
  }

  int size() {
    return calls.size();
  }

  private boolean isOver(Ended ended) {
    return !loop.now().isBefore(ended.until());
  }

  private void arm() {
    if (timer == null && !calls.isEmpty()) {
      timer = loop.schedule(TURN, this::turn);
    }
  }

  private void turn() {
    timer = null;
    // One that was asked for and put back stands behind some that are over later, and waits.
    Iterator<Ended> oldest = calls.values().iterator();
    while (oldest.hasNext() && isOver(oldest.next())) {
      oldest.remove();
    }
    arm();
  }
}
