package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class SendLeaseTest {

  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private final SendLease lease = new SendLease(LeaseSettings.DEFAULT);

  private boolean holdsAt(long monotonicMs, long wallMs) {
    return lease.holds(monotonicMs * 1_000_000, START.plusMillis(wallMs));
  }

  /** A beat of one moment that is acknowledged at another. */
  private void acknowledge(long sentMs, long nowMs) {
    lease.acknowledged(
        sentMs * 1_000_000, START.plusMillis(sentMs), nowMs * 1_000_000, START.plusMillis(nowMs));
  }

  private long termAt(long ms) {
    return lease.term(ms * 1_000_000, START.plusMillis(ms));
  }

  @Test
  void aLeaseThatIsRenewedInTimeIsOneTerm() {
    var told = new ArrayList<Long>();
    lease.onNewTerm(told::add);
    acknowledge(0, 5);
    acknowledge(2_400, 2_499);
    assertThat(termAt(2_500)).isEqualTo(1);
    assertThat(termAt(4_900)).isEqualTo(SendLease.NONE);
    assertThat(told).containsExactly(1L);
  }

  @Test
  void aLeaseThatHasEndedBeginsAnewTermThoughNobodyLookedMeanwhile() {
    var told = new ArrayList<Long>();
    lease.onNewTerm(told::add);
    acknowledge(0, 5);
    acknowledge(12_000, 12_001);
    acknowledge(12_500, 12_501);
    assertThat(termAt(12_501)).as("others may not have looked yet").isEqualTo(SendLease.NONE);
    acknowledge(13_000, 13_001);
    assertThat(termAt(13_001)).isEqualTo(2);
    assertThat(told).containsExactly(1L, 2L);
  }

  @Test
  void aNodeIsBackOnceItsBeatsHaveGoneOnWithoutABreak() {
    acknowledge(0, 5);
    acknowledge(12_000, 12_001);
    acknowledge(15_000, 15_001);
    assertThat(termAt(15_001)).as("it was away again").isEqualTo(SendLease.NONE);
    acknowledge(15_500, 15_501);
    acknowledge(16_000, 16_001);
    assertThat(termAt(16_001)).isEqualTo(2);
  }

  /** The store may have had it so late that others had claimed before. */
  @Test
  void aBeatOfTheTermThatIsAcknowledgedAfterItsEndBeginsAnother() {
    acknowledge(0, 5);
    acknowledge(2_400, 4_800);
    assertThat(termAt(4_800)).isEqualTo(SendLease.NONE);
    acknowledge(4_850, 4_851);
    assertThat(termAt(4_851)).as("the store may have had both just now").isEqualTo(SendLease.NONE);
    acknowledge(5_800, 5_801);
    assertThat(termAt(5_801)).isEqualTo(2);
  }

  @Test
  void aBeatThatIsAcknowledgedTooLateForItselfBeginsNothing() {
    var told = new ArrayList<Long>();
    lease.onNewTerm(told::add);
    acknowledge(0, 5);
    acknowledge(2_400, 12_000);
    assertThat(termAt(12_000)).isEqualTo(SendLease.NONE);
    assertThat(told).containsExactly(1L);
  }

  @Test
  void aSuspendedMachineComesBackInAnotherTerm() {
    lease.acknowledged(0, START, 0, START);
    lease.acknowledged(1_000_000, START.plusMillis(60_000), 2_000_000, START.plusMillis(60_001));
    assertThat(lease.term(2_000_000, START.plusMillis(60_001))).isEqualTo(SendLease.NONE);
    for (int i = 1; i <= 2; i++) {
      long ms = 500L * i;
      lease.acknowledged(
          ms * 1_000_000,
          START.plusMillis(60_000 + ms),
          (ms + 2) * 1_000_000,
          START.plusMillis(60_001 + ms));
    }
    assertThat(lease.term(1_100_000_000, START.plusMillis(61_100))).isEqualTo(2);
  }

  @Test
  void isNotHeldBeforeTheFirstHeartbeat() {
    assertThat(holdsAt(0, 0)).isFalse();
    assertThat(lease.holds(Long.MIN_VALUE, START)).isFalse();
  }

  @Test
  void endsAMarginBeforeTheLeaseDoes() {
    acknowledge(0, 0);
    assertThat(holdsAt(2_499, 2_499)).isTrue();
    assertThat(holdsAt(2_500, 2_500)).isFalse();
  }

  @Test
  void aMachineThatWasSuspendedHoldsNone() {
    acknowledge(0, 0);
    // The monotonic clock stood still meanwhile.
    assertThat(holdsAt(10, 60_000)).isFalse();
  }

  @Test
  void anEarlierHeartbeatThatIsAcknowledgedLaterShortensNothing() {
    acknowledge(1_000, 1_000);
    acknowledge(0, 0);
    assertThat(holdsAt(3_400, 3_400)).isTrue();
  }

  @Test
  void holdsAcrossTheOverflowOfTheMonotonicClock() {
    lease.acknowledged(Long.MAX_VALUE - 1_000_000, START, Long.MAX_VALUE, START.plusMillis(1));
    assertThat(lease.holds(Long.MIN_VALUE + 1_000_000, START.plusMillis(2))).isTrue();
    assertThat(lease.holds(Long.MIN_VALUE + 2_600_000_000L, START.plusMillis(2))).isFalse();
  }

  @Test
  void refusesALeaseThatLeavesNoTime() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new LeaseSettings(
                    Duration.ofMillis(500),
                    Duration.ofMillis(1_500),
                    Duration.ofMillis(500),
                    Duration.ofSeconds(1)))
        .withMessageContaining("PT1.5S");
  }

  @Test
  void aLeaseThatWasEndedForGoodIsNotRenewed() {
    acknowledge(0, 5);
    lease.end();
    assertThat(termAt(10)).isEqualTo(SendLease.NONE);
    acknowledge(500, 505);
    assertThat(termAt(510)).isEqualTo(SendLease.NONE);
    assertThat(lease.holds(510_000_000L, START.plusMillis(510))).isFalse();
  }
}
