package io.sippbx.control.loop;

import java.time.Duration;
import java.time.Instant;

/**
 * A single-threaded event loop: tasks run one after the other, in the order in which they were
 * given, never inline.
 *
 * <p>{@link #execute} and {@link #schedule} may be called from any thread; the clocks too.
 */
public interface Loop {

  /** Runs {@code task} on this loop, after what was given before. */
  void execute(Runnable task);

  /**
   * Runs {@code task} on this loop once {@code delay} has passed; zero or less is as soon as may
   * be.
   */
  Timer schedule(Duration delay, Runnable task);

  /** Monotonic time in nanoseconds, of use for differences only. */
  long nowNs();

  /**
   * How long it is, more than zero, until what is done once in each {@code period} is due again:
   * all who ask this loop's clock wait for the same moment, and what they then do leaves together.
   *
   * @param period more than zero
   */
  default Duration untilNext(Duration period) {
    long ns = period.toNanos();
    return Duration.ofNanos(ns - Math.floorMod(nowNs(), ns));
  }

  /** Wall-clock time. */
  Instant now();

  /** Whether the calling thread is this loop's. */
  boolean inLoop();

  /** A task that was scheduled. */
  interface Timer {
    /** Stops the task if it has not run yet; does nothing otherwise. Call on the loop's thread. */
    void cancel();
  }
}
