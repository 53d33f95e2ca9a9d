package io.sippbx.media.testkit;

import io.sippbx.media.session.NodeLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;

/** A node's loop whose time stands still and whose tasks wait until the test says otherwise. */
public final class ManualLoop implements NodeLoop {

  /** What {@link #now} starts at. */
  public static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  // Close to the overflow of the clock, which differences have to survive.
  private static final long START_NS = Long.MAX_VALUE - Duration.ofSeconds(30).toNanos();

  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private long nowNs = START_NS;

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  /** Runs what waits, and what that gives rise to. */
  public void runAll() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  /** Moves time forward; runs nothing. */
  public void advance(Duration duration) {
    nowNs += duration.toNanos();
  }

  @Override
  public long nowNs() {
    return nowNs;
  }

  @Override
  public Instant now() {
    return START.plusNanos(nowNs - START_NS);
  }
}
