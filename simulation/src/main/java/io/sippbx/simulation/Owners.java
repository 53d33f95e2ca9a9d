package io.sippbx.simulation;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which start of which node has a call in flight, as the call's record says; and who may be right
 * to think otherwise for a while.
 */
final class Owners {

  /** How long a start may wait for the answer to its commit, and carries out then what it tells. */
  static final Duration LATE = Store.TIME_OUT;

  private final Map<CallKey, String> owners = new TreeMap<>();
  private final Map<CallKey, String> lost = new TreeMap<>();
  private final Map<CallKey, GivenUp> givenUp = new TreeMap<>();

  private record GivenUp(String by, Duration at) {}

  /** A commit of {@code by} stands. */
  void committed(CallKey call, String by, Optional<String> owner, Duration now) {
    if (owner.isEmpty()) {
      givenUp.put(call, new GivenUp(by, now));
    }
    stands(call, owner);
  }

  /** A record stands by which this start has the call in flight, or nobody. */
  void stands(CallKey call, Optional<String> owner) {
    owner.ifPresentOrElse(start -> owners.put(call, start), () -> owners.remove(call));
    lost.remove(call);
  }

  /** There was a fail-over: by the record that stands now the call is this start's, or nobody's. */
  void failedOver(CallKey call, Optional<String> owner) {
    Optional<String> before = of(call);
    if (!before.equals(owner)) {
      stands(call, owner);
      before.ifPresent(start -> lost.put(call, start));
    }
  }

  Optional<String> of(CallKey call) {
    return Optional.ofNullable(owners.get(call));
  }

  /**
   * Whether a fail-over has lost the commit by which this start has the call in flight, and nobody
   * has committed since: it is to write it back, and goes on meanwhile.
   */
  boolean hasLost(CallKey call, String start) {
    return start.equals(lost.get(call));
  }

  /**
   * Whether this start has given the call up so short a time ago that it may hear of it only now,
   * and say what that commit told it to.
   */
  boolean hasJustGivenUp(CallKey call, String start, Duration now) {
    GivenUp last = givenUp.get(call);
    return last != null && last.by().equals(start) && now.minus(last.at()).compareTo(LATE) <= 0;
  }
}
