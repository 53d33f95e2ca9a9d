package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
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
  private final SequencedSet<Runnable> awaiting = new LinkedHashSet<>();
  private Loop.@Nullable Timer timer;
  private boolean running;

  /**
   * @param most so many do not wait any more than to the end of the loop's turn; 1: none waits
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
    if (awaiting.add(then) && (timer == null || awaiting.size() == most)) {
      begin();
    }
  }

  void stop(Runnable then) {
    awaiting.remove(then);
  }

  private void begin() {
    if (timer != null) {
      timer.cancel();
    }
    boolean enough = awaiting.size() >= most;
    timer = loop.schedule(enough ? Duration.ZERO : loop.untilNext(PERIOD), this::beats);
  }

  private void beats() {
    timer = null;
    running = true;
    try {
      for (int due = awaiting.size(); due > 0 && !awaiting.isEmpty(); due--) {
        awaiting.removeFirst().run();
      }
    } finally {
      running = false;
      if (timer == null && !awaiting.isEmpty()) {
        begin();
      }
    }
  }
}
