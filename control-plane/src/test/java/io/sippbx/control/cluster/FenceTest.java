package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("who may send for calls in flight")
class FenceTest {

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop beats = time.loop("beats");
  private final VirtualLoop loop = time.loop("calls");
  private final SendLease lease = new SendLease(LeaseSettings.DEFAULT);
  private final List<Long> reopened = new ArrayList<>();
  private final Fence fence = new Fence(loop, lease, this::reopened);

  private void reopened(long term) {
    assertThat(loop.inLoop()).isTrue();
    reopened.add(term);
  }

  private void beat() {
    beats.execute(
        () -> {
          long nowNs = beats.nowNs();
          Instant now = beats.now();
          lease.acknowledged(nowNs, now, nowNs, now);
        });
    time.runReady();
  }

  /** It is back after it was away: others have had the time to see it. */
  private void beatAgain() {
    for (int i = 0; i <= SendLease.RETURN_BEATS; i++) {
      beat();
      if (i < SendLease.RETURN_BEATS) {
        pass(500);
      }
    }
  }

  private void pass(long ms) {
    time.advance(Duration.ofMillis(ms));
  }

  @Test
  void isShutBeforeTheFirstHeartbeat() {
    assertThat(fence.term()).isEqualTo(SendLease.NONE);
    assertThat(fence.allows(fence.term())).isFalse();
    assertThat(fence.withheld()).isEqualTo(1);
  }

  @Test
  void letsThroughWhatWasReadInTheTermForAsLongAsItLasts() {
    beat();
    long term = fence.term();
    for (int i = 0; i < 10; i++) {
      pass(2_000);
      assertThat(fence.allows(term)).isTrue();
      beat();
    }
    pass(2_499);
    assertThat(fence.allows(term)).isTrue();
    assertThat(fence.withheld()).isZero();
    pass(1);
    assertThat(fence.allows(term)).isFalse();
    assertThat(fence.withheld()).isEqualTo(1);
    assertThat(reopened).containsExactly(1L);
    assertThat(fence.openings()).isZero();
  }

  @Test
  void tellsOnItsLoopThatItIsOpenAgainAndHoldsBackWhatWasReadBefore() {
    beat();
    long before = fence.term();
    pass(3_000);
    assertThat(fence.allows(before)).isFalse();
    beatAgain();
    assertThat(reopened).containsExactly(1L, 2L);
    assertThat(fence.openings()).isEqualTo(1);
    assertThat(fence.allows(before)).as("a record of the term before").isFalse();
    assertThat(fence.allows(fence.term())).as("a record that was read anew").isTrue();
    assertThat(fence.withheld()).isEqualTo(2);
  }

  /** The heartbeat is renewed before the calls' loop has run at all. */
  @Test
  void aNodeThatWasPausedSendsNothingOfBeforeThoughNothingSawThatItWasShut() {
    beat();
    long before = fence.term();
    loop.pause();
    pass(10_000);
    beatAgain();
    var sent = new ArrayList<Boolean>();
    loop.execute(() -> sent.add(fence.allows(before)));
    loop.resume();
    time.runReady();
    assertThat(sent).containsExactly(false);
    assertThat(reopened).containsExactly(1L, 2L);
  }

  @Test
  void whatWasReadWhileItWasShutDoesNotPassLater() {
    long term = fence.term();
    beat();
    assertThat(fence.allows(term)).isFalse();
  }
}
