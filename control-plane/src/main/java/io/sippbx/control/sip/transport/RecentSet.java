package io.sippbx.control.sip.transport;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Things that are remembered for a time, up to a number; the oldest is forgotten first. Safe for
 * use by several threads.
 */
final class RecentSet<T> {

  private final int limit;
  private final long timeNs;
  private final Map<T, Long> untilNs = new LinkedHashMap<>();

  RecentSet(int limit, Duration time) {
    this.limit = limit;
    this.timeNs = time.toNanos();
  }

  synchronized void add(T thing, long nowNs) {
    untilNs.remove(thing);
    untilNs.put(thing, nowNs + timeNs);
    if (untilNs.size() > limit) {
      var eldest = untilNs.keySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }

  synchronized void remove(T thing) {
    untilNs.remove(thing);
  }

  synchronized boolean contains(T thing, long nowNs) {
    Long until = untilNs.get(thing);
    if (until == null) {
      return false;
    }
    if (nowNs - until >= 0) {
      untilNs.remove(thing);
      return false;
    }
    return true;
  }

  synchronized int size() {
    return untilNs.size();
  }
}
