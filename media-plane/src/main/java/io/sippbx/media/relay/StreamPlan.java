package io.sippbx.media.relay;

import io.sippbx.media.rtp.MediaKind;

/**
 * How a stream is to be relayed.
 *
 * @param index position of the media line in the SDP, from 0
 * @param kind decides how the packets are marked (DSCP)
 * @param a the caller's end
 * @param b the callee's end
 */
public record StreamPlan(int index, MediaKind kind, EndPlan a, EndPlan b) {

  /** Refuses a negative index. */
  public StreamPlan {
    if (index < 0) {
      throw new IllegalArgumentException("Expected an index from 0, but got " + index);
    }
  }
}
