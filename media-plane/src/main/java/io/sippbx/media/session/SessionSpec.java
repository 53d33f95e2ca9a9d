package io.sippbx.media.session;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;

/**
 * The desired state of a session. Whoever makes one has checked it: see {@code media.proto} for
 * what is allowed.
 *
 * @param revision from 1
 * @param streams in the order of their indices, each once
 * @param confirmed false: the node ends the session when no confirmation comes in time
 * @param mediaTimeout silence of all ends from which something is due; zero: never reported
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

  /** Whether the relay does the same by both: one may but confirm the other. */
  boolean isRelayedAs(SessionSpec other) {
    return streams.equals(other.streams) && mediaTimeout.equals(other.mediaTimeout);
  }
}
