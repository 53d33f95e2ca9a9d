package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RecentSetTest {

  private static final long SECOND_NS = 1_000_000_000L;

  private final RecentSet<String> set = new RecentSet<>(2, Duration.ofSeconds(10));

  @Test
  void forgetsInTime() {
    set.add("a", 0);
    assertThat(set.contains("a", 10 * SECOND_NS - 1)).isTrue();
    assertThat(set.contains("a", 10 * SECOND_NS)).isFalse();
    assertThat(set.size()).isZero();
  }

  @Test
  void forgetsTheOldestAboveTheLimit() {
    set.add("a", 0);
    set.add("b", 1);
    set.add("a", 2);
    set.add("c", 3);
    assertThat(set.contains("b", 4)).isFalse();
    assertThat(set.contains("a", 4)).isTrue();
    assertThat(set.contains("c", 4)).isTrue();
    assertThat(set.size()).isEqualTo(2);
  }

  @Test
  void worksWhereTheClockWraps() {
    set.add("a", Long.MAX_VALUE - SECOND_NS);
    assertThat(set.contains("a", Long.MIN_VALUE)).isTrue();
    set.remove("a");
    assertThat(set.contains("a", Long.MIN_VALUE)).isFalse();
  }
}
