package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.time.Instant;

/**
 * Breaks the promise of a loop: runs what it is given at once. For tests that look into a store, or
 * whose own threads are the point.
 *
 * @param now for ever
 */
public record InlineLoop(Instant now) implements Loop {
  @Override
  public void execute(Runnable task) {
    task.run();
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    throw new UnsupportedOperationException("time stands still here");
  }

  @Override
  public long nowNs() {
    return 0;
  }

  @Override
  public boolean inLoop() {
    return true;
  }
}
