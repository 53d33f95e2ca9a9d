package io.sippbx.media.port;

import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Lends the node's port pairs. Each pair is at any time in exactly one of four places:
 *
 * <pre>
 * free      -- lend -------> lent
 * lent      -- giveBack ---> resting    -- rest over ------> free
 * lent      -- unlend -----> free
 * lent      -- setAside ---> set aside  -- time over ------> free
 * resting, set aside -- lendPinned --> lent
 * </pre>
 *
 * <p>A pair rests after use so that late packets of the old call do not reach a new one. One that
 * another program holds is left alone for a while, so that it is not tried for each call.
 *
 * <p>Free pairs are lent in the order in which they became free, and at first in random order: a
 * port that can be foretold invites strangers to send to it (RFC 6056 says why).
 *
 * <p>Not for use by several threads at once. All operations take constant time, but for the pairs
 * whose rest is over.
 */
public final class PortPool {

  private final Duration rest;
  private final List<Addressed> addresses;

  /**
   * A pool with everything free.
   *
   * @param addresses at most one of each IP version, and at least one in all
   * @param rest how long a pair is not lent after it was given back
   * @param aside how long a pair that another program holds is left alone
   */
  public PortPool(
      PortRange range,
      List<LocalAddress> addresses,
      Duration rest,
      Duration aside,
      RandomGenerator random) {
    if (addresses.isEmpty()
        || addresses.size() > 2
        || addresses.size() == 2 && addresses.get(0).isV6() == addresses.get(1).isV6()) {
      throw new IllegalArgumentException(
          "Expected an IPv4 address, an IPv6 address or one of each, but got " + addresses);
    }
    if (rest.isNegative() || aside.isNegative()) {
      throw new IllegalArgumentException(
          "Expected no negative times, but got " + rest + " and " + aside);
    }
    this.rest = rest;
    this.addresses =
        addresses.stream().map(a -> new Addressed(range, a, rest, aside, random)).toList();
  }

  /** How long a pair is not lent after it was given back. */
  public Duration rest() {
    return rest;
  }

  /** Whether the node has an address of the IP version. */
  public boolean has(boolean v6) {
    return find(v6) != null;
  }

  /** A free pair of the IP version. */
  public Lending lend(boolean v6, long nowNs) {
    Addressed pairs = find(v6);
    return pairs == null ? new Lending.NoSuchFamily(v6) : pairs.lend(nowNs);
  }

  /**
   * The pair that begins at {@code rtpPort}, even while it rests: who asks for a certain port had
   * it before, and its late packets are meant for this session.
   */
  public Lending lendPinned(boolean v6, int rtpPort, long nowNs) {
    Addressed pairs = find(v6);
    return pairs == null ? new Lending.NoSuchFamily(v6) : pairs.lendPinned(rtpPort, nowNs);
  }

  /**
   * Takes a pair back, to rest.
   *
   * @throws IllegalStateException if it is not lent
   */
  public void giveBack(PortPair pair, long nowNs) {
    of(pair).moveLent(pair, Place.RESTING, nowNs);
  }

  /**
   * Takes a pair back that was never bound; it need not rest.
   *
   * @throws IllegalStateException if it is not lent
   */
  public void unlend(PortPair pair, long nowNs) {
    of(pair).moveLent(pair, Place.FREE, nowNs);
  }

  /**
   * Takes back a pair that could not be bound because another program holds one of its ports.
   *
   * @throws IllegalStateException if it is not lent
   */
  public void setAside(PortPair pair, long nowNs) {
    of(pair).moveLent(pair, Place.ASIDE, nowNs);
  }

  /** Where the pairs of both IP versions are. */
  public PortLedger ledger(long nowNs) {
    PortLedger sum = new PortLedger(0, 0, 0, 0);
    for (Addressed pairs : addresses) {
      sum = sum.plus(pairs.ledger(nowNs));
    }
    return sum;
  }

  /** Where the pairs of one IP version are; all zero when the node has no such address. */
  public PortLedger ledger(boolean v6, long nowNs) {
    Addressed pairs = find(v6);
    return pairs == null ? new PortLedger(0, 0, 0, 0) : pairs.ledger(nowNs);
  }

  private @Nullable Addressed find(boolean v6) {
    for (Addressed pairs : addresses) {
      if (pairs.address.isV6() == v6) {
        return pairs;
      }
    }
    return null;
  }

  private Addressed of(PortPair pair) {
    Addressed pairs = find(pair.address().isV6());
    if (pairs == null || !pairs.address.equals(pair.address())) {
      throw new IllegalStateException("Expected a pair of this pool, but got " + pair);
    }
    return pairs;
  }

  /** What became of a wish for a pair. */
  public sealed interface Lending {
    /** It is the caller's until given back. */
    record Lent(PortPair pair) implements Lending {}

    /** No pair is free. */
    record Exhausted(PortLedger ledger) implements Lending {}

    /** The pinned pair is in use by another stream. */
    record Taken(int rtpPort) implements Lending {}

    /** The pinned port is odd or not in the range. */
    record NotInRange(int rtpPort, PortRange range) implements Lending {}

    /** The node has no address of the IP version. */
    record NoSuchFamily(boolean v6) implements Lending {}
  }

  private enum Place {
    FREE(0),
    LENT(1),
    RESTING(2),
    ASIDE(3);

    /** Index of its list in the arrays of heads, tails and counts. */
    final int list;

    Place(int list) {
      this.list = list;
    }
  }

  /** The pairs of one address: a doubly linked list through arrays for each place. */
  private static final class Addressed {
    private static final int NONE = -1;

    final LocalAddress address;
    private final PortRange range;
    private final long restNs;
    private final long asideNs;
    private final Place[] place;
    private final int[] next;
    private final int[] previous;
    private final long[] untilNs;
    private final int[] head = {NONE, NONE, NONE, NONE};
    private final int[] tail = {NONE, NONE, NONE, NONE};
    private final int[] count = new int[Place.values().length];

    Addressed(
        PortRange range,
        LocalAddress address,
        Duration rest,
        Duration aside,
        RandomGenerator random) {
      this.range = range;
      this.address = address;
      restNs = rest.toNanos();
      asideNs = aside.toNanos();
      int pairs = range.pairs();
      place = new Place[pairs];
      next = new int[pairs];
      previous = new int[pairs];
      untilNs = new long[pairs];
      int[] order = new int[pairs];
      for (int i = 0; i < pairs; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      for (int index : order) {
        append(index, Place.FREE);
      }
    }

    Lending lend(long nowNs) {
      free(nowNs);
      int index = head[Place.FREE.list];
      if (index == NONE) {
        return new Lending.Exhausted(counts());
      }
      return lendIndex(index);
    }

    Lending lendPinned(int rtpPort, long nowNs) {
      free(nowNs);
      if (!range.holdsPair(rtpPort)) {
        return new Lending.NotInRange(rtpPort, range);
      }
      int index = (rtpPort - range.firstRtpPort()) / 2;
      return place[index] == Place.LENT ? new Lending.Taken(rtpPort) : lendIndex(index);
    }

    void moveLent(PortPair pair, Place to, long nowNs) {
      int index = (pair.rtpPort() - range.firstRtpPort()) / 2;
      if (!range.holdsPair(pair.rtpPort()) || place[index] != Place.LENT) {
        throw new IllegalStateException("Expected a pair that is lent, but got " + pair);
      }
      unlink(index);
      untilNs[index] = nowNs + (to == Place.RESTING ? restNs : asideNs);
      append(index, to);
    }

    PortLedger ledger(long nowNs) {
      free(nowNs);
      return counts();
    }

    private PortLedger counts() {
      return new PortLedger(
          place.length, count[Place.LENT.list], count[Place.RESTING.list], count[Place.ASIDE.list]);
    }

    private Lending lendIndex(int index) {
      unlink(index);
      append(index, Place.LENT);
      return new Lending.Lent(new PortPair(address, range.firstRtpPort() + 2 * index));
    }

    /** What has rested enough becomes free; each list is in the order of its deadlines. */
    private void free(long nowNs) {
      freeFrom(Place.RESTING, nowNs);
      freeFrom(Place.ASIDE, nowNs);
    }

    private void freeFrom(Place from, long nowNs) {
      int index = head[from.list];
      while (index != NONE && untilNs[index] - nowNs <= 0) {
        unlink(index);
        append(index, Place.FREE);
        index = head[from.list];
      }
    }

    private void unlink(int index) {
      int list = place[index].list;
      if (previous[index] == NONE) {
        head[list] = next[index];
      } else {
        next[previous[index]] = next[index];
      }
      if (next[index] == NONE) {
        tail[list] = previous[index];
      } else {
        previous[next[index]] = previous[index];
      }
      count[list]--;
    }

    private void append(int index, Place to) {
      int list = to.list;
      place[index] = to;
      previous[index] = tail[list];
      next[index] = NONE;
      if (tail[list] == NONE) {
        head[list] = index;
      } else {
        next[tail[list]] = index;
      }
      tail[list] = index;
      count[list]++;
    }
  }
}
