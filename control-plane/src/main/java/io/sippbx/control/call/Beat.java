package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The moments at which calls do together what nobody waits for: each {@link #PERIOD}, the same for
 * all calls of a loop. Lives on the call's loop.
 */
final class Beat {

  static final Duration PERIOD = Duration.ofMillis(50);

  /** From the moment on it is time for so long. */
  private static final Duration ON_TIME = Duration.ofMillis(5);

  private final Loop loop;
  private final Runnable then;
  private Loop.@Nullable Timer timer;
  private boolean running;

  /**
   * @param then is run on the beat that was awaited
   */
  Beat(Loop loop, Runnable then) {
    this.loop = loop;
    this.then = then;
  }

  /** Whether it is time, or what was awaited is being done, however late. */
  boolean isNow() {
    return running || loop.untilNext(PERIOD).compareTo(PERIOD.minus(ON_TIME)) > 0;
  }

  boolean isAwaited() {
    return timer != null;
  }

  void await() {
    if (timer == null) {
      timer = loop.schedule(loop.untilNext(PERIOD), this::beats);
    }
  }

  void stop() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void beats() {
    timer = null;
    running = true;
    try {
      then.run();
    } finally {
      running = false;
    }
  }
}
