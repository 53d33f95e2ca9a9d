package io.sippbx.control.sip.auth;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The highest nonce count that this node has seen for each recent nonce in requests that leave no
 * record (INVITE and others): credentials are good once on a node.
 *
 * <p>What is left open: the same credentials at <em>another</em> node, within the life of the
 * nonce, as long as no REGISTER with a higher count was committed. docs/rfc/7616.md says what it
 * means.
 *
 * <p>Bounded as {@link NonceCounts} is: when an entry has to go, nonces as old as it are refused.
 * For any thread; holds its lock for a look-up only.
 */
public final class NonceMemory {

  private final int capacity;
  // In the order of the last use, so that the first is the one to go.
  private final Map<Long, Seen> seen = new LinkedHashMap<>(16, 0.75f, true);
  private Instant floor = Instant.EPOCH;

  private record Seen(Instant issuedAt, Instant expiresAt, long count) {}

  /**
   * @param capacity nonces remembered, at least 1; each costs about 150 bytes
   */
  public NonceMemory(int capacity) {
    if (capacity < 1) {
      throw new IllegalArgumentException("Expected a capacity of 1 or more, but got " + capacity);
    }
    this.capacity = capacity;
  }

  /** Takes the use down if it is later than all that are known; false if it is not. */
  public synchronized boolean use(NonceUse use, Instant now) {
    var known = seen.get(use.nonceId());
    if (known == null ? !use.issuedAt().isAfter(floor) : use.count() <= known.count()) {
      return false;
    }
    seen.put(use.nonceId(), new Seen(use.issuedAt(), use.expiresAt(), use.count()));
    if (seen.size() > capacity) {
      forget(now);
    }
    return true;
  }

  /** Nonces remembered now. */
  public synchronized int size() {
    return seen.size();
  }

  /** Forgets what is stale, and if nothing is, the least recently used. */
  private void forget(Instant now) {
    var entries = seen.entrySet().iterator();
    var first = entries.next().getValue();
    entries.remove();
    if (first.expiresAt().isAfter(now)) {
      floor = first.issuedAt().isAfter(floor) ? first.issuedAt() : floor;
      return;
    }
    while (entries.hasNext() && !entries.next().getValue().expiresAt().isAfter(now)) {
      entries.remove();
    }
  }
}
