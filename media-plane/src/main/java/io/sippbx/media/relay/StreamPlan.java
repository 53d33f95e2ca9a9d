package io.sippbx.media.relay;

import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;

/**
 * How a stream is to be relayed.
 *
 * @param index position of the media line in the SDP, from 0
 * @param kind decides how the packets are marked (DSCP)
 * @param form what its datagrams are
 * @param a the caller's end
 * @param b the callee's end
 */
public record StreamPlan(int index, MediaKind kind, PayloadForm form, EndPlan a, EndPlan b) {

  /** A stream of RTP and RTCP. */
  public static StreamPlan rtp(int index, MediaKind kind, EndPlan a, EndPlan b) {
    return new StreamPlan(index, kind, PayloadForm.RTP, a, b);
  }

  /** Refuses a negative index. */
  public StreamPlan {
    if (index < 0) {
      throw new IllegalArgumentException("Expected an index from 0, but got " + index);
    }
  }
}
