package io.sippbx.control.media;

/**
 * What came from both ends of a stream.
 *
 * @param index position of the media line in the SDP, from 0
 */
public record StreamCounts(int index, Direction fromA, Direction fromB) {

  /**
   * What came from one end.
   *
   * @param packets RTP packets that were valid
   * @param bytes their UDP payload
   * @param lost cumulative, RFC 3550 A.3
   * @param jitterTicks in units of the RTP timestamp, RFC 3550 A.8
   */
  public record Direction(long packets, long bytes, long lost, long jitterTicks) {}
}
