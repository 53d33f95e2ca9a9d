package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BeatTest {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final List<Long> beats = new ArrayList<>();
  private final Beat beat = new Beat(loop, () -> beats.add(sinceStart()));

  private long sinceStart() {
    return clock.elapsed().toMillis();
  }

  @Test
  void comesAtTheSameMomentForAllThatAwaitIt() {
    var other = new Beat(loop, () -> beats.add(sinceStart()));
    clock.advance(Duration.ofMillis(20));
    beat.await();
    clock.advance(Duration.ofMillis(20));
    other.await();
    other.await();
    clock.advance(Duration.ofMillis(9));
    assertThat(beats).isEmpty();
    clock.advance(Duration.ofMillis(100));
    assertThat(beats).as("once each").containsExactly(50L, 50L);
    assertThat(beat.isAwaited()).isFalse();
  }

  @Test
  void isNowForAFewMillisecondsAndWhileItIsDoneHoweverLate() {
    var now = new ArrayList<Boolean>();
    var late = new ArrayList<Beat>();
    late.add(new Beat(loop, () -> now.add(late.getFirst().isNow())));
    assertThat(beat.isNow()).isTrue();
    clock.advance(Duration.ofMillis(5));
    assertThat(beat.isNow()).isFalse();
    late.getFirst().await();
    loop.pause();
    clock.advance(Duration.ofMillis(70));
    loop.resume();
    clock.runReady();
    assertThat(now).containsExactly(true);
    assertThat(late.getFirst().isNow()).isFalse();
  }

  @Test
  void doesNotComeWhereItWasStopped() {
    clock.advance(Duration.ofMillis(10));
    beat.await();
    beat.stop();
    clock.advance(Duration.ofMillis(100));
    assertThat(beats).isEmpty();
  }
}
