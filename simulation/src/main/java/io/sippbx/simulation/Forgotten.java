package io.sippbx.simulation;

import io.sippbx.shared.identity.CallKey;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Calls that a double failure has taken from everybody: a fail-over has lost all that was committed
 * of them, and each start of a node that had committed it is no more, before it could write it
 * back. The store that acknowledged it is gone and so is all memory of it; a cluster that is to
 * keep such calls sets {@code redis.wait_replicas}.
 */
final class Forgotten {

  private final Predicate<String> runs;

  /** Of which nothing is left, and who could write it back. */
  private final Map<CallKey, Set<String>> absent = new TreeMap<>();

  private final Set<CallKey> begunAnew = new TreeSet<>();

  /**
   * @param runs whether a start of a node lives, be it that it stands still
   */
  Forgotten(Predicate<String> runs) {
    this.runs = runs;
  }

  /** A commit of {@code by} is lost, and nothing stands of the call. */
  void lost(CallKey call, String by) {
    absent.computeIfAbsent(call, key -> new TreeSet<>()).add(by);
  }

  /** Something stands of the call: written back, or begun anew. */
  void stands(CallKey call) {
    if (isForgotten(call)) {
      begunAnew.add(call);
    }
    absent.remove(call);
  }

  /** Whether nobody knows of the call. */
  boolean isForgotten(CallKey call) {
    Set<String> starts = absent.get(call);
    return starts != null && starts.stream().noneMatch(runs);
  }

  /** Whether nobody knows, or knew, of what had been committed of the call. */
  boolean wasForgotten(CallKey call) {
    return begunAnew.contains(call) || isForgotten(call);
  }
}
