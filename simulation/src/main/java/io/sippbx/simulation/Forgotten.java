package io.sippbx.simulation;

import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * What a double failure has taken from everybody: a fail-over has lost what was committed of a
 * call, and each start of a node that had committed it is no more, before it could write it back.
 * The store that acknowledged it is gone and so is all memory of it; a cluster that is to keep it
 * sets {@code redis.wait_replicas}. Where that was all of a call nobody knows of it; where it was
 * the last of it the call goes on as it was before, and tells anew what the lost commits had told.
 */
final class Forgotten {

  private final Predicate<String> runs;

  /** Of which nothing is left, and who could write it back. */
  private final Map<CallKey, Set<String>> absent = new TreeMap<>();

  private final Set<CallKey> begunAnew = new TreeSet<>();

  /** What was told of calls in commits that are lost, each with who could tell it again. */
  private final Map<CallKey, Map<String, String>> untold = new TreeMap<>();

  /** By whom the last commit of a call was that is lost. */
  private final Map<CallKey, String> latest = new TreeMap<>();

  private final Set<CallKey> setBack = new TreeSet<>();

  /** Of these, those after which the call went on as if they had never been. */
  private final Set<String> events = new TreeSet<>();

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

  /** A commit of {@code by} is lost that had told this; later ones come later. */
  void lost(CallKey call, String by, List<String> told) {
    latest.put(call, by);
    told.forEach(event -> untold.computeIfAbsent(call, key -> new TreeMap<>()).put(event, by));
  }

  /** Something stands of the call: written back, or begun anew. */
  void stands(CallKey call) {
    if (isForgotten(call)) {
      begunAnew.add(call);
    }
    absent.remove(call);
    String last = latest.remove(call);
    if (last != null && !runs.test(last)) {
      setBack.add(call);
    }
    Map<String, String> of = untold.remove(call);
    if (of != null) {
      of.forEach(
          (event, by) -> {
            if (!runs.test(by)) {
              events.add(event);
            }
          });
    }
  }

  /** Whether nobody knows of the call. */
  boolean isForgotten(CallKey call) {
    Set<String> starts = absent.get(call);
    return starts != null && starts.stream().noneMatch(runs);
  }

  /** Whether nobody knows that this was told, so that its number may be another's. */
  boolean isForgotten(String event) {
    return events.contains(event);
  }

  /**
   * Whether the call went on as it was before its latest commits, which nobody knew of: what its
   * peers were told then is begun once more.
   */
  boolean wasSetBack(CallKey call) {
    return setBack.contains(call);
  }

  /** Whether nobody knows, or knew, of what had been committed of the call. */
  boolean wasForgotten(CallKey call) {
    return begunAnew.contains(call) || isForgotten(call);
  }
}
