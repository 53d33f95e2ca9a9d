package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What was counted of a session. Each number is exact; numbers read while packets flow may be a
 * packet apart from each other.
 */
public record SessionCounts(List<Stream> streams) {

  /** Copies {@code streams}. */
  public SessionCounts {
    streams = List.copyOf(streams);
  }

  /**
   * Both ends of a stream.
   *
   * @param index position of the media line in the SDP, from 0
   */
  public record Stream(int index, EndCounts a, EndCounts b) {

    /** The counts of one end. */
    public EndCounts end(End end) {
      return end == End.A ? a : b;
    }
  }

  /**
   * One end of a stream.
   *
   * @param packets from the latched source: valid RTP packets, or datagrams of a stream that is not
   *     RTP
   * @param bytes their UDP payload
   * @param lost of the RTP that this end sent, cumulative, RFC 3550 A.3; negative with duplicates
   * @param jitterTicks of what this end sent, in units of the RTP timestamp, RFC 3550 A.8
   * @param clockRateHz ticks a second of {@code jitterTicks}; 0 before the first packet
   * @param rtcpPackets valid RTCP datagrams from the latched source
   * @param dtlsPackets valid DTLS datagrams from the latched source, beside RTP
   * @param droppedStray what is valid, from a source that is not latched, or before the end's
   *     address was signalled
   * @param droppedInvalid neither valid RTP nor RTCP nor what else the stream carries, of another
   *     payload type, or too long
   * @param droppedStun STUN messages: the relay takes no part in ICE
   * @param droppedDirection media that this end may not send now, or the other does not want
   * @param droppedUnsent what could not be sent on: no address of the other end yet, or its socket
   *     refused
   * @param droppedByKernel datagrams that the kernel dropped at this end's sockets, as of the last
   *     look (every 10 s and at the end); 0 where it does not tell
   * @param sentPackets RTP packets, or datagrams of a stream that is not RTP, that were sent to
   *     this end
   * @param sentBytes their UDP payload
   * @param sentRtcpPackets RTCP datagrams that were sent to this end
   * @param reportedLost what this end last reported as lost of what it receives (RTCP)
   * @param reportedJitterTicks the jitter that it last reported
   * @param latched where RTP comes from, once latched
   * @param latchedRtcp where RTCP comes from, once latched; with rtcp-mux as {@code latched}
   * @param lastPacketNs when the last valid RTP or RTCP came, on the relay's clock
   */
  public record EndCounts(
      long packets,
      long bytes,
      long lost,
      long jitterTicks,
      int clockRateHz,
      long rtcpPackets,
      long dtlsPackets,
      long droppedStray,
      long droppedInvalid,
      long droppedStun,
      long droppedDirection,
      long droppedUnsent,
      long droppedByKernel,
      long sentPackets,
      long sentBytes,
      long sentRtcpPackets,
      long reportedLost,
      long reportedJitterTicks,
      Optional<Endpoint> latched,
      Optional<Endpoint> latchedRtcp,
      OptionalLong lastPacketNs) {}
}
