package io.sippbx.control.store;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One atomic step of a call.
 *
 * @param read the record as it was read, or as this node's last commit left it: the step is made
 *     only if it still stands there, by version and by commit; empty: there must be no record yet
 * @param record the new record; empty removes it, which only a tombstone's end does
 * @param events what the step caused, in the order of their seq
 * @param index where the call is to be found after the step; of no account in a removal
 * @param keep how long the record lives if nothing is committed any more, in store time: the last
 *     resort of a call, the proper end of a tombstone
 * @param epoch where a keeper acts: the epoch that it was given its partition with, which must
 *     still be the partition's
 */
public record CallCommit<R>(
    CallKey call,
    Optional<Versioned<R>> read,
    CommitId id,
    Optional<R> record,
    List<CallEvent> events,
    CallIndex index,
    Duration keep,
    OptionalLong epoch) {

  /** A record that nobody has touched for this long belongs to no call. */
  public static final Duration LAST_RESORT = Duration.ofDays(7);

  /** Events of one step at most. */
  public static final int MAX_EVENTS = 64;

  /** Copies {@code events} and checks. */
  public CallCommit {
    events = List.copyOf(events);
    if (events.size() > MAX_EVENTS) {
      throw new IllegalArgumentException(
          "Expected " + MAX_EVENTS + " events or fewer, but got " + events.size());
    }
    if (keep.toMillis() < 1) {
      throw new IllegalArgumentException("Expected a record to be kept, but for " + keep);
    }
  }

  /** A step by the call's owner that leaves no trace in the indexes. */
  public CallCommit(
      CallKey call,
      Optional<Versioned<R>> read,
      CommitId id,
      Optional<R> record,
      List<CallEvent> events) {
    this(call, read, id, record, events, CallIndex.NONE, LAST_RESORT, OptionalLong.empty());
  }

  /** The version that must stand there; 0: none. */
  public long expectedVersion() {
    return read.map(Versioned::version).orElse(0L);
  }
}
