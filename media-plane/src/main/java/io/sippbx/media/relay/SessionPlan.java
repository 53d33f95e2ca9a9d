package io.sippbx.media.relay;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * How a session is to be relayed, from now on.
 *
 * @param streams in any order, each index once
 * @param mediaTimeout how long nothing may come from any end from which something is due before
 *     {@link RelayListener#mediaTimeout}; zero: for ever
 */
public record SessionPlan(List<StreamPlan> streams, Duration mediaTimeout) {

  /** Copies {@code streams}; refuses an index that comes twice and a negative time-out. */
  public SessionPlan {
    streams = List.copyOf(streams);
    if (mediaTimeout.isNegative()) {
      throw new IllegalArgumentException("Expected a time-out from 0, but got " + mediaTimeout);
    }
    var seen = new LinkedHashSet<Integer>();
    for (StreamPlan stream : streams) {
      if (!seen.add(stream.index())) {
        throw new IllegalArgumentException("Expected each stream once, but got " + streams);
      }
    }
  }
}
