package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The counts of a record and the memory of a node keep the same promise. */
class NonceCountsTest {

  private static final Instant NOW = Instant.parse("2026-03-04T05:06:07Z");
  private static final Duration LIFETIME = Duration.ofMinutes(5);

  private static NonceUse use(long nonce, Instant issuedAt, long count) {
    return new NonceUse(nonce, issuedAt, issuedAt.plus(LIFETIME), count);
  }

  @Nested
  class OfARecord {
    @Test
    void takesEachCountOnceAndOnlyUpwards() {
      NonceCounts counts = NonceCounts.NONE.use(use(7, NOW, 1), NOW).orElseThrow();
      assertThat(counts.use(use(7, NOW, 1), NOW)).isEmpty();
      counts = counts.use(use(7, NOW, 5), NOW).orElseThrow();
      assertThat(counts.use(use(7, NOW, 4), NOW)).isEmpty();
      assertThat(counts.highest(7)).isEqualTo(5);
      assertThat(counts.use(use(8, NOW, 1), NOW)).isPresent();
    }

    @Test
    void refusesACountOfZero() {
      assertThat(NonceCounts.NONE.use(use(7, NOW, 0), NOW)).isEmpty();
    }

    @Test
    void forgetsWhatIsStale() {
      NonceCounts counts = NonceCounts.NONE.use(use(7, NOW, 1), NOW).orElseThrow();
      assertThat(counts.expiresAt()).isEqualTo(NOW.plus(LIFETIME));
      assertThat(counts.prune(NOW.plus(LIFETIME).minusMillis(1))).isSameAs(counts);
      assertThat(counts.prune(NOW.plus(LIFETIME))).isEqualTo(NonceCounts.NONE);
    }

    @Test
    void refusesOldNoncesOnceItHadToForgetOne() {
      NonceCounts counts = NonceCounts.NONE;
      for (int i = 0; i <= NonceCounts.MAX_ENTRIES; i++) {
        counts = counts.use(use(i, NOW.plusSeconds(i), 1), NOW).orElseThrow();
      }
      assertThat(counts.highest()).hasSize(NonceCounts.MAX_ENTRIES);
      assertThat(counts.highest(0)).isZero();
      assertThat(counts.allows(use(0, NOW, 1))).isFalse();
      assertThat(counts.allows(use(0, NOW, 2))).isFalse();
      assertThat(counts.allows(use(1, NOW.plusSeconds(1), 2))).isTrue();
      assertThat(counts.allows(use(99, NOW.plusMillis(1), 1))).isTrue();
    }
  }

  @Nested
  class OfANode {
    @Test
    void takesEachCountOnceAndOnlyUpwards() {
      var memory = new NonceMemory(10);
      assertThat(memory.use(use(7, NOW, 2), NOW)).isTrue();
      assertThat(memory.use(use(7, NOW, 2), NOW)).isFalse();
      assertThat(memory.use(use(7, NOW, 1), NOW)).isFalse();
      assertThat(memory.use(use(7, NOW, 3), NOW)).isTrue();
      assertThat(memory.size()).isEqualTo(1);
    }

    @Test
    void makesRoomByForgettingWhatIsStale() {
      var memory = new NonceMemory(3);
      for (int i = 0; i < 3; i++) {
        assertThat(memory.use(use(i, NOW, 1), NOW)).isTrue();
      }
      Instant later = NOW.plus(LIFETIME);
      assertThat(memory.use(use(9, later, 1), later)).isTrue();
      assertThat(memory.size()).isEqualTo(1);
      // Nothing that matters was forgotten, so nothing has to be refused.
      assertThat(memory.use(use(10, NOW.plusMillis(1), 1), later)).isTrue();
    }

    @Test
    void refusesOldNoncesOnceItHadToForgetOne() {
      var memory = new NonceMemory(2);
      assertThat(memory.use(use(1, NOW, 1), NOW)).isTrue();
      assertThat(memory.use(use(2, NOW.plusSeconds(1), 1), NOW)).isTrue();
      assertThat(memory.use(use(3, NOW.plusSeconds(2), 1), NOW)).isTrue();
      assertThat(memory.size()).isEqualTo(2);
      assertThat(memory.use(use(1, NOW, 1), NOW)).isFalse();
      assertThat(memory.use(use(1, NOW, 2), NOW)).isFalse();
      assertThat(memory.use(use(2, NOW.plusSeconds(1), 2), NOW)).isTrue();
    }
  }

  /** Whatever comes in whatever order: nothing is taken twice, and the bound holds. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void neverTakesTheSameCredentialsTwice(long seed) {
    var random = new Random(seed);
    var counts = NonceCounts.NONE;
    var memory = new NonceMemory(1 + random.nextInt(12));
    var takenByRecord = new TreeSet<String>();
    var takenByNode = new TreeSet<String>();
    var known = new ArrayList<NonceUse>();
    Instant now = NOW;
    int accepted = 0;
    for (int i = 0; i < 2000; i++) {
      now = now.plusSeconds(random.nextInt(20));
      NonceUse use;
      int what = random.nextInt(4);
      if (known.isEmpty() || what == 0) {
        use = use(i, now, 1);
      } else {
        NonceUse old = known.get(Math.max(0, known.size() - 1 - random.nextInt(30)));
        use = use(old.nonceId(), old.issuedAt(), old.count() + (what == 1 ? 1 : 0));
      }
      if (!use.expiresAt().isAfter(now)) {
        continue; // stale: refused before it gets here
      }
      known.add(use);
      String name = use.nonceId() + ":" + use.count();
      var next = counts.use(use, now);
      if (next.isPresent()) {
        counts = next.get();
        accepted++;
        assertThat(takenByRecord.add(name)).as("seed %d, use %s", seed, name).isTrue();
      }
      if (memory.use(use, now)) {
        assertThat(takenByNode.add(name)).as("seed %d, use %s", seed, name).isTrue();
      }
      assertThat(counts.highest().size()).isLessThanOrEqualTo(NonceCounts.MAX_ENTRIES);
      assertThat(memory.size()).isLessThanOrEqualTo(12);
    }
    assertThat(accepted).isGreaterThan(200);
  }
}
