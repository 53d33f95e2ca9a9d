package io.sippbx.media.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.media.port.PortPool.Lending;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PortPoolTest {

  private static final LocalAddress V4 = LocalAddress.of(IpAddress.of("127.0.0.1"));
  private static final LocalAddress V6 =
      new LocalAddress(IpAddress.of("::"), IpAddress.of("2001:db8::1"));
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  // Near the overflow of the clock: only differences may count.
  private static final long T0 = Long.MAX_VALUE - 3 * SECOND;

  private static PortPool pool(int first, int last, LocalAddress... addresses) {
    return new PortPool(
        new PortRange(first, last),
        List.of(addresses),
        Duration.ofSeconds(5),
        Duration.ofSeconds(60),
        new Random(1));
  }

  private static PortPair lent(Lending lending) {
    return ((Lending.Lent) lending).pair();
  }

  @Test
  void lendsEachPairOnceAndThenRefusesWithTheLedger() {
    PortPool pool = pool(10_001, 10_008, V4);
    var ports = new ArrayList<Integer>();
    for (int i = 0; i < 3; i++) {
      ports.add(lent(pool.lend(false, T0)).rtpPort());
    }
    assertThat(ports).containsExactlyInAnyOrder(10_002, 10_004, 10_006);
    assertThat(pool.lend(false, T0)).isEqualTo(new Lending.Exhausted(new PortLedger(3, 3, 0, 0)));
  }

  @Test
  void startsAtAnotherPortForEachSeed() {
    var firsts = new java.util.TreeSet<Integer>();
    for (int seed = 0; seed < 50; seed++) {
      var pool =
          new PortPool(
              new PortRange(10_000, 20_000),
              List.of(V4),
              Duration.ZERO,
              Duration.ZERO,
              new Random(seed));
      firsts.add(lent(pool.lend(false, T0)).rtpPort());
    }
    assertThat(firsts).hasSizeGreaterThan(40);
  }

  @Test
  void restsAPairAfterUse() {
    PortPool pool = pool(10_000, 10_001, V4);
    PortPair pair = lent(pool.lend(false, T0));
    pool.giveBack(pair, T0);
    assertThat(pool.ledger(T0)).isEqualTo(new PortLedger(1, 0, 1, 0));
    assertThat(pool.lend(false, T0 + 5 * SECOND - 1)).isInstanceOf(Lending.Exhausted.class);
    assertThat(lent(pool.lend(false, T0 + 5 * SECOND))).isEqualTo(pair);
  }

  @Test
  void lendsAtOnceWhatWasNeverBound() {
    PortPool pool = pool(10_000, 10_001, V4);
    PortPair pair = lent(pool.lend(false, T0));
    pool.unlend(pair, T0);
    assertThat(lent(pool.lend(false, T0))).isEqualTo(pair);
  }

  @Test
  void leavesAloneForAWhileWhatAnotherProgramHolds() {
    PortPool pool = pool(10_000, 10_001, V4);
    PortPair pair = lent(pool.lend(false, T0));
    pool.setAside(pair, T0);
    assertThat(pool.ledger(T0)).isEqualTo(new PortLedger(1, 0, 0, 1));
    assertThat(pool.lend(false, T0 + 59 * SECOND)).isInstanceOf(Lending.Exhausted.class);
    assertThat(lent(pool.lend(false, T0 + 60 * SECOND))).isEqualTo(pair);
  }

  @Test
  void lendsThePinnedPairEvenFromItsRest() {
    PortPool pool = pool(10_000, 10_009, V4);
    PortPair pair = lent(pool.lendPinned(false, 10_004, T0));
    assertThat(pair.rtpPort()).isEqualTo(10_004);
    assertThat(pool.lendPinned(false, 10_004, T0)).isEqualTo(new Lending.Taken(10_004));
    pool.giveBack(pair, T0);
    assertThat(lent(pool.lendPinned(false, 10_004, T0))).isEqualTo(pair);
    pool.setAside(pair, T0);
    assertThat(lent(pool.lendPinned(false, 10_004, T0))).isEqualTo(pair);
    assertThat(pool.ledger(T0)).isEqualTo(new PortLedger(5, 1, 0, 0));
  }

  @Test
  void refusesPinsThatAreNoPairsOfItsOwn() {
    PortPool pool = pool(10_000, 10_009, V4);
    for (int port : new int[] {10_001, 9_998, 10_010, 0, -2, Integer.MIN_VALUE, 65_536}) {
      assertThat(pool.lendPinned(false, port, T0))
          .isEqualTo(new Lending.NotInRange(port, new PortRange(10_000, 10_009)));
    }
  }

  @Test
  void keepsBothIpVersionsApart() {
    PortPool pool = pool(10_000, 10_001, V4, V6);
    assertThat(lent(pool.lend(false, T0)).advertisedRtp()).hasToString("127.0.0.1:10000");
    PortPair v6 = lent(pool.lend(true, T0));
    assertThat(v6.advertisedRtcp()).hasToString("[2001:db8::1]:10001");
    assertThat(v6.bindRtp()).hasToString("[::]:10000");
    assertThat(pool.ledger(true, T0)).isEqualTo(new PortLedger(1, 1, 0, 0));
    assertThat(pool.ledger(T0)).isEqualTo(new PortLedger(2, 2, 0, 0));
  }

  @Test
  void refusesAnIpVersionWithoutAddress() {
    PortPool pool = pool(10_000, 10_001, V6);
    assertThat(pool.lend(false, T0)).isEqualTo(new Lending.NoSuchFamily(false));
    assertThat(pool.lendPinned(false, 10_000, T0)).isEqualTo(new Lending.NoSuchFamily(false));
    assertThat(pool.has(false)).isFalse();
  }

  @Test
  void refusesToTakeBackWhatIsNotLent() {
    PortPool pool = pool(10_000, 10_003, V4);
    PortPair pair = lent(pool.lend(false, T0));
    pool.giveBack(pair, T0);
    assertThatThrownBy(() -> pool.giveBack(pair, T0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> pool.setAside(pair, T0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> pool.giveBack(new PortPair(V6, 10_000), T0))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> pool.giveBack(new PortPair(V4, 40_000), T0))
        .isInstanceOf(IllegalStateException.class);
    assertThat(pool.ledger(T0)).isEqualTo(new PortLedger(2, 0, 1, 0));
  }

  @Test
  void refusesTwoAddressesOfOneIpVersion() {
    LocalAddress other = LocalAddress.of(IpAddress.of("192.0.2.1"));
    assertThatThrownBy(() -> pool(10_000, 10_001, V4, other))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> pool(10_000, 10_001)).isInstanceOf(IllegalArgumentException.class);
  }

  private enum Where {
    FREE,
    LENT,
    RESTING,
    ASIDE
  }

  /** Random lending against a model that looks at every pair: the ledger is exact at all times. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void agreesWithAModel(long seed) {
    var random = new Random(seed);
    int pairs = 1 + random.nextInt(12);
    PortPool pool = pool(20_000, 20_000 + 2 * pairs - 1, V4);
    Map<Integer, Where> where = new HashMap<>();
    Map<Integer, Long> until = new HashMap<>();
    for (int i = 0; i < pairs; i++) {
      where.put(20_000 + 2 * i, Where.FREE);
    }
    long now = T0;
    for (int step = 0; step < 2_000; step++) {
      now += random.nextInt(3) == 0 ? random.nextLong(8 * SECOND) : 0;
      for (var entry : where.entrySet()) {
        boolean over = until.getOrDefault(entry.getKey(), now) - now <= 0;
        if (over && (entry.getValue() == Where.RESTING || entry.getValue() == Where.ASIDE)) {
          entry.setValue(Where.FREE);
        }
      }
      int port = 20_000 + 2 * random.nextInt(pairs);
      var pair = new PortPair(V4, port);
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          if (pool.lend(false, now) instanceof Lending.Lent(PortPair got)) {
            assertThat(where.put(got.rtpPort(), Where.LENT)).isEqualTo(Where.FREE);
          } else {
            assertThat(where).doesNotContainValue(Where.FREE);
          }
        }
        case 2 -> {
          if (pool.lendPinned(false, port, now) instanceof Lending.Lent) {
            assertThat(where.put(port, Where.LENT)).isNotEqualTo(Where.LENT);
          } else {
            assertThat(where.get(port)).isEqualTo(Where.LENT);
          }
        }
        case 3 -> {
          if (where.get(port) == Where.LENT) {
            pool.giveBack(pair, now);
            where.put(port, Where.RESTING);
            until.put(port, now + 5 * SECOND);
          }
        }
        default -> {
          if (where.get(port) == Where.LENT) {
            boolean aside = random.nextBoolean();
            if (aside) {
              pool.setAside(pair, now);
              until.put(port, now + 60 * SECOND);
            } else {
              pool.unlend(pair, now);
            }
            where.put(port, aside ? Where.ASIDE : Where.FREE);
          }
        }
      }
      assertThat(pool.ledger(now))
          .isEqualTo(
              new PortLedger(
                  pairs,
                  count(where, Where.LENT),
                  count(where, Where.RESTING),
                  count(where, Where.ASIDE)));
    }
  }

  private static int count(Map<Integer, Where> where, Where which) {
    return (int) where.values().stream().filter(w -> w == which).count();
  }
}
