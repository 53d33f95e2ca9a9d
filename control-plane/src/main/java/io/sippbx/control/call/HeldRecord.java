package io.sippbx.control.call;

import io.sippbx.control.cluster.Fence;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.Member;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The record of a call as it stands in the store as far as this node knows, with the term of the
 * lease in which it was asked for: what is this node's own is sent for in no other term. Lives on
 * the call's loop.
 */
final class HeldRecord {

  private final Member self;
  private final Fence fence;
  private Optional<Versioned<Call>> current = Optional.empty();
  private long term = SendLease.NONE;

  HeldRecord(Member self, Fence fence) {
    this.self = self;
    this.fence = fence;
  }

  /** It was read or committed; that was asked for in {@code asked}. */
  void stands(Optional<Versioned<Call>> known, long asked) {
    current = known;
    term = asked;
  }

  /** It was found as it was known. */
  void standsStill(long asked) {
    term = asked;
  }

  void forget() {
    current = Optional.empty();
  }

  Optional<Versioned<Call>> current() {
    return current;
  }

  /** Whether nothing was committed since. */
  boolean isStill(Versioned<Call> read) {
    return current
        .filter(known -> known.version() == read.version() && known.commit().equals(read.commit()))
        .isPresent();
  }

  /** Whether it says just what {@code call} says. */
  boolean says(Call call) {
    return current.filter(known -> known.record().equals(call)).isPresent();
  }

  /** Whether it names this node. */
  boolean isOurs() {
    return current.flatMap(Versioned::owner).filter(self::equals).isPresent();
  }

  /** The timers of {@code call}, which follows on this record, that run in this node's memory. */
  Map<TimerId, Instant> timers(Call call) {
    if (current.isEmpty() || isOurs() || call.isTombstone()) {
      return call.timers();
    }
    // Nobody owns it: those of the record come from the store, whoever has it in memory.
    var own = new TreeMap<>(call.timers());
    own.entrySet().removeAll(current.get().record().timers().entrySet());
    return Collections.unmodifiableSortedMap(own);
  }

  /** Whether it is known, and names nobody. */
  boolean isNobodys() {
    return current.isPresent() && current.get().owner().isEmpty();
  }

  /** Whether this node may go on with the call now. */
  boolean mayAct(boolean tombstone) {
    if (isOurs() && !tombstone) {
      return fence.isOpenFor(term);
    }
    // A tombstone only repeats what was said.
    return tombstone || fence.term() != SendLease.NONE;
  }

  /** Whether something may be sent for the call now; what may not be is counted. */
  boolean maySend() {
    return !isOurs() || fence.allows(term);
  }
}
