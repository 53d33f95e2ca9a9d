package io.sippbx.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OffsetTrackerTest {

  private final OffsetTracker tracker = new OffsetTracker(10);

  @Test
  void standsWhereTheFirstIsThatIsNotDoneWith() {
    assertThat(tracker.position()).isEqualTo(10);
    tracker.taken(10);
    tracker.taken(12);
    tracker.taken(13);
    tracker.done(12);
    assertThat(tracker.position()).isEqualTo(10);
    tracker.done(10);
    assertThat(tracker.position()).isEqualTo(13);
    tracker.done(13);
    assertThat(tracker.position()).isEqualTo(14);
    assertThat(tracker.inHand()).isZero();
  }

  @Test
  void takesAgainWhatWasGivenBack() {
    tracker.taken(10);
    tracker.givenBack(10);
    assertThat(tracker.position()).isEqualTo(10);
    tracker.taken(10);
    tracker.done(10);
    assertThat(tracker.position()).isEqualTo(11);
  }

  @Test
  void refusesToGoBack() {
    tracker.taken(11);
    assertThatIllegalArgumentException().isThrownBy(() -> tracker.taken(11));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void neverPassesAnEventThatIsNotDoneWith(long seed) {
    var random = new Random(seed);
    List<Long> open = new ArrayList<>();
    long next = 10;
    for (int step = 0; step < 2_000; step++) {
      if (open.isEmpty() || random.nextInt(5) < 2) {
        next += random.nextInt(3);
        tracker.taken(next);
        open.add(next);
        next++;
      } else {
        tracker.done(open.remove(random.nextInt(open.size())));
      }
      long expected = open.stream().min(Long::compare).orElse(next);
      assertThat(tracker.position()).isEqualTo(expected);
      assertThat(tracker.inHand()).isEqualTo(open.size());
    }
  }
}
