package io.sippbx.control.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class VirtualLoopTest {

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop a = time.loop("a");
  private final VirtualLoop b = time.loop("b");
  private final List<String> ran = new ArrayList<>();

  @Test
  void runsTasksInTheOrderGivenAndNeverInline() {
    a.execute(
        () -> {
          a.execute(() -> ran.add("third"));
          ran.add("first");
        });
    a.execute(() -> ran.add("second"));
    assertThat(ran).isEmpty();
    time.runReady();
    assertThat(ran).containsExactly("first", "second", "third");
  }

  @Test
  void runsTimersByTimeThenByOrderGiven() {
    a.schedule(Duration.ofMillis(20), () -> ran.add("20"));
    b.schedule(Duration.ofMillis(10), () -> ran.add("10 b"));
    a.schedule(Duration.ofMillis(10), () -> ran.add("10 a"));
    a.schedule(Duration.ofMillis(-5), () -> ran.add("now"));
    time.runReady();
    assertThat(ran).containsExactly("now");
    assertThat(time.elapsed()).isZero();
    time.runAll();
    assertThat(ran).containsExactly("now", "10 b", "10 a", "20");
    assertThat(time.elapsed()).isEqualTo(Duration.ofMillis(20));
  }

  @Test
  void advancesByExactlyTheTimeAskedFor() {
    long startNs = a.nowNs();
    a.schedule(Duration.ofMillis(10), () -> ran.add("at " + time.elapsed().toMillis()));
    a.schedule(Duration.ofMillis(11), () -> ran.add("late"));
    time.advance(Duration.ofMillis(10));
    assertThat(ran).containsExactly("at 10");
    time.advance(Duration.ofNanos(999_999));
    assertThat(ran).containsExactly("at 10");
    assertThat(a.nowNs() - startNs).isEqualTo(10_999_999);
    assertThat(a.now()).isEqualTo(VirtualLoops.START.plusNanos(10_999_999));
    assertThatThrownBy(() -> time.advance(Duration.ofMillis(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void cancelledTimerNeverRunsAndIsNoLongerPending() {
    Loop.Timer timer = a.schedule(Duration.ofSeconds(32), () -> ran.add("cancelled"));
    assertThat(time.pending()).isEqualTo(1);
    timer.cancel();
    timer.cancel();
    assertThat(time.pending()).isZero();
    assertThat(time.step()).isFalse();
    assertThat(ran).isEmpty();
  }

  @Test
  void cancellingAfterTheTaskRanTouchesNoOtherTask() {
    Loop.Timer timer = a.schedule(Duration.ZERO, () -> ran.add("first"));
    time.runReady();
    a.schedule(Duration.ZERO, () -> ran.add("second"));
    timer.cancel();
    time.runReady();
    assertThat(ran).containsExactly("first", "second");
  }

  @Test
  void runsWhatIsLeftInItsOrderHoweverManyAreCancelled() {
    var random = new Random(7);
    var timers = new ArrayList<Loop.Timer>();
    var left = new TreeMap<Integer, String>();
    for (int i = 0; i < 1_000; i++) {
      int us = random.nextInt(300) * 1_000 + i;
      String name = Integer.toString(us);
      timers.add(a.schedule(Duration.ofNanos(us), () -> ran.add(name)));
      left.put(us, name);
      if (random.nextInt(3) == 0) {
        int which = random.nextInt(timers.size());
        timers.get(which).cancel();
        timers.get(which).cancel();
      }
    }
    int cancelled = 1_000 - a.pending();
    assertThat(cancelled).isBetween(100, 500);
    time.runAll();
    List<Integer> times = ran.stream().map(Integer::valueOf).toList();
    assertThat(times).hasSize(1_000 - cancelled).isSorted();
    assertThat(left.keySet()).containsAll(times);
  }

  @Test
  void knowsWhichLoopRuns() {
    a.execute(() -> ran.add(a.inLoop() + " " + b.inLoop()));
    time.runAll();
    assertThat(ran).containsExactly("true false");
    assertThat(a.inLoop()).isFalse();
  }

  @Test
  void refusesToCancelATimerFromAnotherLoop() {
    Loop.Timer timer = a.schedule(Duration.ofSeconds(1), () -> {});
    b.execute(timer::cancel);
    assertThatThrownBy(time::runReady).isInstanceOf(IllegalStateException.class);
    assertThat(a.pending()).isEqualTo(1);
  }

  @Test
  void refusesToRunWithinATask() {
    a.execute(time::runReady);
    assertThatThrownBy(time::runAll).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void whatATaskThrowsComesOutAndTheRestGoesOn() {
    a.execute(
        () -> {
          throw new IllegalArgumentException("on purpose");
        });
    a.execute(() -> ran.add("next"));
    assertThatThrownBy(time::runAll).hasMessage("on purpose");
    time.runAll();
    assertThat(ran).containsExactly("next");
  }

  @Test
  void pausedLoopRunsNothingAndCatchesUpInOrder() {
    a.schedule(Duration.ofMillis(10), () -> ran.add("a10 at " + time.elapsed().toMillis()));
    a.schedule(Duration.ofMillis(5), () -> ran.add("a5 at " + time.elapsed().toMillis()));
    b.schedule(Duration.ofMillis(50), () -> ran.add("b"));
    a.pause();
    time.advance(Duration.ofMillis(100));
    assertThat(ran).containsExactly("b");
    a.resume();
    time.runReady();
    assertThat(ran).containsExactly("b", "a5 at 100", "a10 at 100");
  }

  @Test
  void stoppedLoopForgetsItsTasks() {
    a.execute(() -> ran.add("before"));
    a.stop();
    a.execute(() -> ran.add("after"));
    time.runAll();
    assertThat(ran).isEmpty();
    assertThat(time.pending()).isZero();
  }

  @Test
  void runsUntilTheConditionHoldsOrTheLimitHasPassed() {
    a.schedule(Duration.ofMillis(10), () -> ran.add("x"));
    a.schedule(Duration.ofMillis(20), () -> ran.add("y"));
    assertThat(time.runUntil(() -> ran.contains("x"), Duration.ofSeconds(1))).isTrue();
    assertThat(time.elapsed()).isEqualTo(Duration.ofMillis(10));
    assertThat(time.runUntil(() -> ran.contains("y"), Duration.ofMillis(9))).isFalse();
    assertThat(time.elapsed()).isEqualTo(Duration.ofMillis(19));
  }

  @Test
  void endlessRepetitionIsAnError() {
    a.execute(
        new Runnable() {
          @Override
          public void run() {
            a.execute(this);
          }
        });
    assertThatThrownBy(time::runReady).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void shuffledRunsDifferBetweenSeedsOnlyAndKeepEachLoopsOrder() {
    var runs = new TreeSet<String>();
    for (long seed = 0; seed < 500; seed++) {
      String run = shuffledRun(seed);
      assertThat(shuffledRun(seed)).isEqualTo(run);
      assertThat(run.replaceAll("[^a]1|[^a]2|[^a]3", "")).isEqualTo("a1a2a3");
      assertThat(run.replaceAll("[^b]1|[^b]2|[^b]3", "")).isEqualTo("b1b2b3");
      runs.add(run);
    }
    assertThat(runs).hasSize(20);
  }

  private static String shuffledRun(long seed) {
    VirtualLoops time = VirtualLoops.shuffled(seed);
    Loops loops = time.loops("node", 2);
    var run = new StringBuilder();
    for (int i = 1; i <= 3; i++) {
      String number = Integer.toString(i);
      loops.all().get(0).execute(() -> run.append("a").append(number));
      loops.all().get(1).execute(() -> run.append("b").append(number));
    }
    time.runAll();
    return run.toString();
  }
}
