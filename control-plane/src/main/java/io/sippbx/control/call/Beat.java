package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The moments at which the calls of a loop do together what nobody waits for: each {@link #PERIOD},
 * and whenever so many await it that those who are in a hurry would wait for them. Lives on its
 * loop.
 */
final class Beat {

  static final Duration PERIOD = Duration.ofMillis(50);

  /** From the moment on it is time for so long. */
  private static final Duration ON_TIME = Duration.ofMillis(5);

  private final Loop loop;
  private final int most;
  private final Set<Runnable> awaiting = new LinkedHashSet<>();
  private Loop.@Nullable Timer timer;
  private boolean enough;
  private boolean running;

  /**
   * @param most so many do not wait any more; 1: none waits
   */
  Beat(Loop loop, int most) {
    this.loop = loop;
    this.most = most;
  }

  /** Whether it is time, or what was awaited is being done, however late. */
  boolean isNow() {
    return running || loop.untilNext(PERIOD).compareTo(PERIOD.minus(ON_TIME)) > 0;
  }

  boolean isAwaited(Runnable then) {
    return awaiting.contains(then);
  }

  /**
   * @param then is run once, not within this method; known by its identity
   */
  void await(Runnable then) {
    awaiting.add(then);
    if (awaiting.size() < most) {
      if (timer == null) {
        timer = loop.schedule(loop.untilNext(PERIOD), this::beats);
      }
    } else if (!enough) {
      enough = true;
      loop.execute(this::beats);
    }
  }

  void stop(Runnable then) {
    awaiting.remove(then);
  }

  private void beats() {
    enough = false;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    var due = new ArrayDeque<>(awaiting);
    awaiting.clear();
    running = true;
    try {
      while (!due.isEmpty()) {
        due.remove().run();
      }
    } finally {
      running = false;
      due.forEach(this::await);
    }
  }
}
