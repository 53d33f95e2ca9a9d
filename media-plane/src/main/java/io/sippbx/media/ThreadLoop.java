package io.sippbx.media;

import io.sippbx.media.session.NodeLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's loop as a thread. What a task throws is a fault of ours: logged and counted, and the
 * loop goes on. After {@link #close} tasks are dropped.
 */
final class ThreadLoop implements NodeLoop, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ThreadLoop.class);

  private final ScheduledThreadPoolExecutor executor;
  private final LongAdder faults = new LongAdder();

  ThreadLoop(String name) {
    executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              var thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    executor.setRemoveOnCancelPolicy(true);
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(guarded(task));
    } catch (RejectedExecutionException closed) {
      log.atDebug().log("media.loop.closed");
    }
  }

  /** Runs {@code task} again and again until the loop is closed. */
  void every(Duration period, Runnable task) {
    // Ends with the executor; what the task throws is caught in it.
    var _ =
        executor.scheduleWithFixedDelay(
            guarded(task), period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Tasks that failed. */
  long faults() {
    return faults.sum();
  }

  @Override
  public long nowNs() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  /** Drops what waits, and returns when the task under way is done, or after 5 s. */
  @Override
  public void close() {
    executor.shutdownNow();
    try {
      if (!executor.awaitTermination(5, TimeUnit.SECONDS)) {
        log.atError().log("media.loop.stuck");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // The outermost frame of the loop: here and nowhere else everything is caught.
  @SuppressWarnings("CatchingUnchecked")
  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (Exception e) {
        faults.increment();
        log.atError().setCause(e).log("media.loop.fault");
      }
    };
  }
}
