package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;

/**
 * The desired state of a call's media session (law 4: told, never stepped).
 *
 * @param revision grows with each change of the session, from 1
 * @param streams in the order of their indices; a rejected media line has none
 * @param confirmed false in the first Apply of a call: the node drops the session after 90 s
 * @param mediaTimeout silence after which the node reports a stream; zero: never
 */
public record SessionSpec(
    CallKey call,
    long revision,
    List<StreamSpec> streams,
    boolean confirmed,
    Duration mediaTimeout) {

  /** Copies {@code streams}. */
  public SessionSpec {
    streams = List.copyOf(streams);
  }
}
