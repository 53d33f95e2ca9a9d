package io.sippbx.control.store;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Optional;

/**
 * One atomic step of a call.
 *
 * @param expectedVersion the version that was read; 0: there must be no record yet
 * @param record the new record; empty removes it, which only a tombstone's end does
 * @param events what the step caused, in the order of their seq
 */
public record CallCommit<R>(
    CallKey call, long expectedVersion, CommitId id, Optional<R> record, List<CallEvent> events) {

  /** Copies {@code events}. */
  public CallCommit {
    events = List.copyOf(events);
    if (expectedVersion < 0) {
      throw new IllegalArgumentException(
          "Expected a version of 0 or more, but got " + expectedVersion);
    }
  }
}
