package io.sippbx.control.store.redis;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The time-outs of what one loop waits for. All wait equally long, so that the first to begin is
 * the first to end, and one timer does for all: a timer for each would be put among all those of
 * the loop's transactions, and taken out again, some ten times a call. Lives on its loop, but for
 * {@link #add}.
 */
final class Deadlines {

  private final Loop loop;
  private final Duration timeout;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private boolean armed;

  /** What is not waited for without end. Lives on the loop. */
  interface Bounded {
    /** Whether it is waited for no more. */
    boolean isOver();

    /** The time is over; it may have had its answer since. */
    void timedOut();
  }

  private record Waiting(Bounded what, long deadlineNs) {}

  /**
   * @param timeout of each
   */
  Deadlines(Loop loop, Duration timeout) {
    this.loop = loop;
    this.timeout = timeout;
  }

  /** From now on {@code what} is waited for. From any thread. */
  void add(Bounded what) {
    long deadlineNs = loop.nowNs() + timeout.toNanos();
    if (loop.inLoop()) {
      add(new Waiting(what, deadlineNs));
    } else {
      loop.execute(() -> add(new Waiting(what, deadlineNs)));
    }
  }

  private void add(Waiting last) {
    forgetWhatIsOver();
    waiting.add(last);
    if (!armed) {
      arm(timeout);
    }
  }

  /** What has its answer holds on to nothing: most answers come in the order of their questions. */
  private void forgetWhatIsOver() {
    while (!waiting.isEmpty() && waiting.getFirst().what().isOver()) {
      waiting.removeFirst();
    }
  }

  private void arm(Duration in) {
    armed = true;
    loop.schedule(in, this::look);
  }

  private void look() {
    armed = false;
    long nowNs = loop.nowNs();
    while (!waiting.isEmpty()) {
      Waiting first = waiting.getFirst();
      if (!first.what().isOver()) {
        long leftNs = first.deadlineNs() - nowNs;
        if (leftNs > 0) {
          arm(Duration.ofNanos(leftNs));
          return;
        }
        // In a turn of its own: what one of them breaks is not the others' to bear.
        loop.execute(first.what()::timedOut);
      }
      waiting.removeFirst();
    }
  }

  /** What is waited for, and what is over behind it. */
  int size() {
    return waiting.size();
  }
}
