package io.sippbx.event.cdr;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** The calls of which a record was written lately, as many as fit; the oldest is forgotten. */
final class RecentCalls {

  private final int capacity;
  private final LinkedHashMap<String, Instant> ends = new LinkedHashMap<>();
  private Instant complete = Instant.MIN;

  RecentCalls(int capacity) {
    this.capacity = capacity;
  }

  boolean contains(String callKey) {
    return ends.containsKey(callKey);
  }

  void add(String callKey, Instant end) {
    if (ends.putIfAbsent(callKey, end) == null && ends.size() > capacity) {
      Map.Entry<String, Instant> oldest = ends.pollFirstEntry();
      if (oldest != null) {
        // Records tell whole seconds.
        completeFrom(oldest.getValue().plusSeconds(1));
      }
    }
  }

  /** Of calls that ended before this, some may be missing here. */
  void completeFrom(Instant time) {
    if (time.isAfter(complete)) {
      complete = time;
    }
  }

  /** Whether a call that ended then, and is not here, has no record. */
  boolean isCompleteAt(Instant end) {
    return !end.isBefore(complete);
  }

  int size() {
    return ends.size();
  }
}
