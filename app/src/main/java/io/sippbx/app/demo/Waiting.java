package io.sippbx.app.demo;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Waits for what nobody tells of: looks again and again, within a bound. */
final class Waiting {

  private static final Duration OFTEN = Duration.ofMillis(5);

  /** What is waited for. */
  @FunctionalInterface
  interface Condition {
    /** Whether it is so now. */
    boolean holds() throws DemoFailure, InterruptedException;
  }

  private Waiting() {}

  /** Whether {@code condition} became true in time; looks every few milliseconds. */
  static boolean until(Condition condition, Duration atMost)
      throws DemoFailure, InterruptedException {
    return until(condition, atMost, OFTEN);
  }

  /** The same for what is dearer to look at. */
  static boolean until(Condition condition, Duration atMost, Duration every)
      throws DemoFailure, InterruptedException {
    long endNs = System.nanoTime() + atMost.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() - endNs >= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.sleep(every.toNanos());
    }
    return true;
  }
}
