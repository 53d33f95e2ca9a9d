package io.sippbx.event.webhook;

import java.time.Duration;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/** When what was not taken is posted again. */
final class RetrySchedule {

  static final Duration FIRST = Duration.ofSeconds(1);
  static final Duration LONGEST = Duration.ofMinutes(5);

  /** More than a receiver may ask for. */
  static final Duration LONGEST_ASKED = Duration.ofHours(1);

  private static final int FACTOR = 3;
  private static final double SPREAD = 0.25;

  private final int retries;
  private final DoubleSupplier random;

  /**
   * A schedule.
   *
   * @param retries after the first attempt
   * @param random from 0 to 1
   */
  RetrySchedule(int retries, DoubleSupplier random) {
    this.retries = retries;
    this.random = random;
  }

  /**
   * The pause before the next attempt; empty if there is none.
   *
   * @param attempts made so far
   * @param asked by the receiver: it is not asked before
   */
  Optional<Duration> pause(int attempts, Optional<Duration> asked) {
    if (attempts > retries) {
      return Optional.empty();
    }
    Duration pause = FIRST;
    for (int i = 1; i < attempts && pause.compareTo(LONGEST) < 0; i++) {
      pause = pause.multipliedBy(FACTOR);
    }
    pause = pause.compareTo(LONGEST) < 0 ? pause : LONGEST;
    double spread = 1 - SPREAD + 2 * SPREAD * random.getAsDouble();
    Duration own = Duration.ofNanos((long) (pause.toNanos() * spread));
    Duration least = bounded(asked.orElse(Duration.ZERO));
    return Optional.of(own.compareTo(least) < 0 ? least : own);
  }

  /** A receiver's wish, as far as it is followed. */
  static Duration bounded(Duration asked) {
    return asked.compareTo(LONGEST_ASKED) < 0 ? asked : LONGEST_ASKED;
  }
}
