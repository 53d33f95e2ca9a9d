package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;

/**
 * The local endpoints of a stream.
 *
 * @param index position of the media line in the SDP, from 0
 * @param aRtp where end a sends RTP
 * @param aRtcp where end a sends RTCP; equal to {@code aRtp} for one socket of both (RFC 5761)
 * @param bRtp where end b sends RTP
 * @param bRtcp where end b sends RTCP; equal to {@code bRtp} for one socket of both
 */
public record StreamPorts(int index, Endpoint aRtp, Endpoint aRtcp, Endpoint bRtp, Endpoint bRtcp) {

  /** Refuses a negative index. */
  public StreamPorts {
    if (index < 0) {
      throw new IllegalArgumentException("Expected an index from 0, but got " + index);
    }
  }

  /** Where an end sends RTP. */
  Endpoint rtp(End end) {
    return end == End.A ? aRtp : bRtp;
  }

  /** Where an end sends RTCP. */
  Endpoint rtcp(End end) {
    return end == End.A ? aRtcp : bRtcp;
  }

  /** Whether an end has the same endpoints in both. */
  boolean isSame(End end, StreamPorts other) {
    return rtp(end).equals(other.rtp(end)) && rtcp(end).equals(other.rtcp(end));
  }
}
