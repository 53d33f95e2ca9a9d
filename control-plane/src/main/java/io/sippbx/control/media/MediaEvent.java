package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;

/** What a media node saw by itself. Events are levels: the same one may come again. */
public sealed interface MediaEvent {

  /** The call that it is about. */
  CallKey call();

  /** The first valid packet from an end of a stream. */
  record FirstPacket(CallKey call, int streamIndex, boolean fromA) implements MediaEvent {}

  /** Nothing came from any end from which something was due for the session's media time-out. */
  record MediaTimeout(CallKey call, long revision) implements MediaEvent {}

  /** The node has ended the session: it was never confirmed, or nobody claimed it. */
  record Expired(CallKey call, NodeId node, long revision) implements MediaEvent {}

  /** The node is there and the session is not: it has started anew, or never got it. */
  record SessionLost(CallKey call, NodeId node) implements MediaEvent {}

  /** The node is gone, and is not waited for where there is another. */
  record NodeLost(CallKey call, NodeId node) implements MediaEvent {}

  /** The node is to hold nothing any more, and holds what it has for as long as that takes. */
  record NodeDraining(CallKey call, NodeId node) implements MediaEvent {}
}
