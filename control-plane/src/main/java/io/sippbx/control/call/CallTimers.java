package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The timers of one call that run in this node's memory. Lives on the call's loop. */
final class CallTimers {

  private final Loop loop;
  private final Consumer<TimerId> fired;
  private final Map<TimerId, Scheduled> running = new TreeMap<>();

  private record Scheduled(Instant deadline, Loop.Timer timer) {}

  /**
   * @param fired is told once of each timer whose time has come
   */
  CallTimers(Loop loop, Consumer<TimerId> fired) {
    this.loop = loop;
    this.fired = fired;
  }

  /** Stops what is not wanted, or for another time, and starts what does not run. */
  void sync(Map<TimerId, Instant> wanted) {
    Iterator<Map.Entry<TimerId, Scheduled>> each = running.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<TimerId, Scheduled> next = each.next();
      if (!next.getValue().deadline().equals(wanted.get(next.getKey()))) {
        next.getValue().timer().cancel();
        each.remove();
      }
    }
    Instant now = loop.now();
    for (Map.Entry<TimerId, Instant> next : wanted.entrySet()) {
      if (!running.containsKey(next.getKey())) {
        start(next.getKey(), next.getValue(), now);
      }
    }
  }

  private void start(TimerId id, Instant deadline, Instant now) {
    Loop.Timer timer =
        loop.schedule(
            Duration.between(now, deadline),
            () -> {
              running.remove(id);
              fired.accept(id);
            });
    running.put(id, new Scheduled(deadline, timer));
  }

  void stop() {
    for (Scheduled each : running.values()) {
      each.timer().cancel();
    }
    running.clear();
  }
}
