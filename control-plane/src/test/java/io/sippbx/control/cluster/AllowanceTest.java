package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AllowanceTest {

  private static final long MS = 1_000_000;
  private final Allowance allowance = new Allowance(100, 5 * MS);

  @Test
  void hasHalfASecondsWorthAtFirst() {
    assertThat(allowance.take(30, 5 * MS)).isEqualTo(30);
    assertThat(allowance.take(30, 5 * MS)).isEqualTo(20);
    assertThat(allowance.take(30, 5 * MS)).isZero();
    assertThat(allowance.take(-1, 5 * MS)).isZero();
  }

  @Test
  void growsByTheRateAndNoMoreThanHalfASecondsWorth() {
    allowance.take(50, 5 * MS);
    assertThat(allowance.take(50, 105 * MS)).isEqualTo(10);
    assertThat(allowance.take(50, 109 * MS)).isZero();
    assertThat(allowance.take(50, 115 * MS)).as("what did not make one is kept").isEqualTo(1);
    assertThat(allowance.take(500, 1_000_000 * MS)).isEqualTo(50);
  }

  @Test
  void takesBackWhatWasNotUsed() {
    allowance.take(50, 5 * MS);
    allowance.giveBack(20);
    assertThat(allowance.take(50, 5 * MS)).isEqualTo(20);
    allowance.giveBack(1_000);
    assertThat(allowance.take(1_000, 5 * MS)).isEqualTo(50);
  }

  @Test
  void aRateOfOneASecondIsOne() {
    var slow = new Allowance(1, 0);
    assertThat(slow.take(5, 0)).isEqualTo(1);
    assertThat(slow.take(5, 999 * MS)).isZero();
    assertThat(slow.take(5, 1_000 * MS)).isEqualTo(1);
  }

  @Test
  void aClockThatSeemsToGoBackGivesNothing() {
    allowance.take(50, 5 * MS);
    assertThat(allowance.take(50, 0)).isZero();
  }
}
