package io.sippbx.event.cdr;

import java.util.LinkedHashSet;

/** The calls of which a record was written lately, as many as fit; the oldest is forgotten. */
final class RecentCalls {

  private final int capacity;
  private final LinkedHashSet<String> keys = new LinkedHashSet<>();

  RecentCalls(int capacity) {
    this.capacity = capacity;
  }

  boolean contains(String callKey) {
    return keys.contains(callKey);
  }

  void add(String callKey) {
    if (keys.add(callKey) && keys.size() > capacity) {
      keys.removeFirst();
    }
  }

  int size() {
    return keys.size();
  }
}
