package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SendLeaseTest {

  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private final SendLease lease = new SendLease(LeaseSettings.DEFAULT);

  private boolean holdsAt(long monotonicMs, long wallMs) {
    return lease.holds(monotonicMs * 1_000_000, START.plusMillis(wallMs));
  }

  @Test
  void isNotHeldBeforeTheFirstHeartbeat() {
    assertThat(holdsAt(0, 0)).isFalse();
    assertThat(lease.holds(Long.MIN_VALUE, START)).isFalse();
  }

  @Test
  void endsAMarginBeforeTheLeaseDoes() {
    lease.acknowledged(0, START);
    assertThat(holdsAt(2_499, 2_499)).isTrue();
    assertThat(holdsAt(2_500, 2_500)).isFalse();
  }

  @Test
  void aMachineThatWasSuspendedHoldsNone() {
    lease.acknowledged(0, START);
    // The monotonic clock stood still meanwhile.
    assertThat(holdsAt(10, 60_000)).isFalse();
  }

  @Test
  void anEarlierHeartbeatThatIsAcknowledgedLaterShortensNothing() {
    lease.acknowledged(1_000_000_000, START.plusMillis(1_000));
    lease.acknowledged(0, START);
    assertThat(holdsAt(3_400, 3_400)).isTrue();
  }

  @Test
  void holdsAcrossTheOverflowOfTheMonotonicClock() {
    lease.acknowledged(Long.MAX_VALUE - 1_000_000, START);
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
}
