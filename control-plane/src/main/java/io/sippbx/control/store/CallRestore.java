package io.sippbx.control.store;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;

/**
 * A record written back after a fail-over of the store that lost acknowledged writes: what this
 * node committed last, as it was.
 *
 * @param ours the record with the version and commit that it was acknowledged with
 * @param events of the commits that may be lost; who reads them knows repeats by their ids
 * @param index where the call was to be found after our commit
 * @param keep as of that commit
 */
public record CallRestore<R>(
    CallKey call, Versioned<R> ours, List<CallEvent> events, CallIndex index, Duration keep) {

  /** Copies {@code events} and checks. */
  public CallRestore {
    events = List.copyOf(events);
    if (ours.version() < 1) {
      throw new IllegalArgumentException("Expected a version of 1 or more, but got " + ours);
    }
    if (!ours.owner().equals(index.owner())) {
      throw new IllegalArgumentException(
          "Expected the owner of " + ours + ", but got " + index.owner() + " in the index");
    }
    if (keep.toMillis() < 1) {
      throw new IllegalArgumentException("Expected a record to be kept, but for " + keep);
    }
  }
}
