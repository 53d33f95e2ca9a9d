package io.sippbx.control.sip.auth;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The highest nonce count seen for each recent nonce of an address-of-record, so that credentials
 * are good once. Part of the stored record; immutable.
 *
 * <p>Bounded without a gap: when the oldest entry has to go, no nonce that is as old is taken any
 * more (its client is told {@code stale=true} and goes on with a new one).
 *
 * @param highest in the order of their issue, oldest first
 * @param floor nonces issued at this time or before that are not in the list are used up
 */
public record NonceCounts(List<Entry> highest, Instant floor) {

  /** No nonce was used yet. */
  public static final NonceCounts NONE = new NonceCounts(List.of(), Instant.EPOCH);

  /** Nonces that a record remembers. */
  public static final int MAX_ENTRIES = 8;

  /** Copies {@code highest}. */
  public NonceCounts {
    highest = List.copyOf(highest);
  }

  /** The highest count of one nonce. */
  public record Entry(long nonceId, Instant issuedAt, Instant expiresAt, long count) {}

  /** The highest count that was used with this nonce, 0 for none. */
  public long highest(long nonceId) {
    for (Entry entry : highest) {
      if (entry.nonceId() == nonceId) {
        return entry.count();
      }
    }
    return 0;
  }

  /** Whether this use is later than all that are known here. */
  public boolean allows(NonceUse use) {
    long known = highest(use.nonceId());
    return known > 0 ? use.count() > known : use.count() > 0 && use.issuedAt().isAfter(floor);
  }

  /** With this use taken down and what is stale left out; none if it is not allowed. */
  public Optional<NonceCounts> use(NonceUse use, Instant now) {
    if (!allows(use)) {
      return Optional.empty();
    }
    var entries = new ArrayList<Entry>(highest.size() + 1);
    for (Entry entry : highest) {
      if (entry.nonceId() != use.nonceId() && entry.expiresAt().isAfter(now)) {
        entries.add(entry);
      }
    }
    int at = entries.size();
    while (at > 0 && entries.get(at - 1).issuedAt().isAfter(use.issuedAt())) {
      at--;
    }
    entries.add(at, new Entry(use.nonceId(), use.issuedAt(), use.expiresAt(), use.count()));
    Instant newFloor = floor;
    while (entries.size() > MAX_ENTRIES) {
      Instant gone = entries.removeFirst().issuedAt();
      newFloor = gone.isAfter(newFloor) ? gone : newFloor;
    }
    return Optional.of(new NonceCounts(entries, newFloor));
  }

  /** Without what is stale at {@code now}. */
  public NonceCounts prune(Instant now) {
    var live = new ArrayList<Entry>(highest.size());
    for (Entry entry : highest) {
      if (entry.expiresAt().isAfter(now)) {
        live.add(entry);
      }
    }
    return live.size() == highest.size() ? this : new NonceCounts(live, floor);
  }

  /** When the last entry is stale; {@link Instant#EPOCH} without one. */
  public Instant expiresAt() {
    Instant last = Instant.EPOCH;
    for (Entry entry : highest) {
      last = entry.expiresAt().isAfter(last) ? entry.expiresAt() : last;
    }
    return last;
  }
}
