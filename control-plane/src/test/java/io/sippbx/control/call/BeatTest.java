package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BeatTest {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final List<String> done = new ArrayList<>();
  private final Beat beat = new Beat(loop, 3);

  private Runnable does(String what) {
    return () -> done.add(clock.elapsed().toMillis() + " " + what);
  }

  @Test
  void comesAtTheSameMomentForAllThatAwaitIt() {
    Runnable one = does("one");
    Runnable other = does("other");
    clock.advance(Duration.ofMillis(20));
    beat.await(one);
    clock.advance(Duration.ofMillis(20));
    beat.await(other);
    beat.await(other);
    assertThat(beat.isAwaited(other)).isTrue();
    clock.advance(Duration.ofMillis(9));
    assertThat(done).isEmpty();
    clock.advance(Duration.ofMillis(100));
    assertThat(done).as("once each").containsExactly("50 one", "50 other");
    assertThat(beat.isAwaited(other)).isFalse();
  }

  @Test
  void comesAtOnceWhereEnoughAwaitIt() {
    clock.advance(Duration.ofMillis(20));
    for (String each : List.of("one", "two", "three", "four")) {
      beat.await(does(each));
    }
    assertThat(done).as("not within the method").isEmpty();
    clock.runReady();
    assertThat(done).containsExactly("20 one", "20 two", "20 three", "20 four");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).hasSize(4);
  }

  @Test
  void isNowForAFewMillisecondsAndWhileItIsDoneHoweverLate() {
    var now = new ArrayList<Boolean>();
    assertThat(beat.isNow()).isTrue();
    clock.advance(Duration.ofMillis(5));
    assertThat(beat.isNow()).isFalse();
    beat.await(() -> now.add(beat.isNow()));
    loop.pause();
    clock.advance(Duration.ofMillis(70));
    loop.resume();
    clock.runReady();
    assertThat(now).containsExactly(true);
    assertThat(beat.isNow()).isFalse();
  }

  @Test
  void doesNotComeForWhatWasStopped() {
    Runnable stopped = does("stopped");
    clock.advance(Duration.ofMillis(10));
    beat.await(stopped);
    beat.await(does("another"));
    beat.stop(stopped);
    clock.advance(Duration.ofMillis(100));
    assertThat(done).containsExactly("50 another");
  }

  @Test
  void whatFailsTakesNoOtherWithIt() {
    beat.await(
        () -> {
          throw new IllegalStateException("planted");
        });
    beat.await(does("another"));
    assertThatThrownBy(() -> clock.advance(Duration.ofMillis(60))).hasMessage("planted");
    clock.advance(Duration.ofMillis(60));
    assertThat(done).hasSize(1);
  }
}
