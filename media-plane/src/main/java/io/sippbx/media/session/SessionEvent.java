package io.sippbx.media.session;

import io.sippbx.media.relay.End;
import io.sippbx.shared.identity.CallKey;

/** What a session did by itself. */
public sealed interface SessionEvent {

  /** The call that it is about. */
  CallKey call();

  /** What is held, or was at the end. */
  long revision();

  /** The first valid packet from an end since its latch epoch began. */
  record FirstPacket(CallKey call, long revision, int streamIndex, End from)
      implements SessionEvent {}

  /** Nothing came from any end from which something is due for the media time-out. */
  record MediaTimeout(CallKey call, long revision) implements SessionEvent {}

  /** The node has ended the session. */
  record Expired(CallKey call, long revision, Expiry reason) implements SessionEvent {}

  /** Why the node ends a session by itself. */
  enum Expiry {
    /** No confirmation came in time. */
    UNCONFIRMED,
    /** No control node knows it, and no packet came for long. */
    ORPHANED,
    /** The relay does not have it any more: a fault of ours. */
    BROKEN
  }
}
