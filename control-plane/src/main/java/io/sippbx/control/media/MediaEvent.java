package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;

/** What a media node saw by itself. Events are levels: the same one may come again. */
public sealed interface MediaEvent {

  /** The call that it is about. */
  CallKey call();

  /** The first valid packet from an end of a stream. */
  record FirstPacket(CallKey call, int streamIndex, boolean fromA) implements MediaEvent {}

  /** Nothing came from any end from which something was due for the session's media time-out. */
  record MediaTimeout(CallKey call, long revision) implements MediaEvent {}

  /** The node has ended the session: it was never confirmed, or nobody claimed it. */
  record Expired(CallKey call, long revision) implements MediaEvent {}

  /** The node started anew or is gone: the session is not there any more. */
  record SessionLost(CallKey call) implements MediaEvent {}
}
