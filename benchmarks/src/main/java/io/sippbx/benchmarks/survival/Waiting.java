package io.sippbx.benchmarks.survival;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits until something that can only be asked is so; never longer than a bound. */
public final class Waiting {

  private static final long PAUSE_NS = Duration.ofMillis(20).toNanos();

  private Waiting() {}

  /** What is asked. */
  public interface Question {
    boolean ask() throws IOException;
  }

  /** Whether it became so in time. */
  public static boolean tell(Duration atMost, Question question) throws IOException {
    long endNs = System.nanoTime() + atMost.toNanos();
    while (!question.ask()) {
      if (System.nanoTime() - endNs > 0) {
        return false;
      }
      LockSupport.parkNanos(PAUSE_NS);
    }
    return true;
  }

  /**
   * The same.
   *
   * @throws IOException if it did not
   */
  public static void until(String what, Duration atMost, Question question) throws IOException {
    if (!tell(atMost, question)) {
      throw new IOException("expected " + what + " within " + atMost);
    }
  }

  /** Lets time pass that belongs to what is measured. */
  public static void pass(Duration time) {
    long endNs = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos(); left > 0; left = endNs - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
