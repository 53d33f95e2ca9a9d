package io.sippbx.media.relay;

import io.sippbx.media.rtp.Demux;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.Rtcp;
import io.sippbx.media.rtp.RtpHeader;
import java.nio.ByteBuffer;

/**
 * The way of a packet from one socket of a session to its counterpart on the other side.
 *
 * <pre>
 * receive -> demux -> validate -> latch -> count -> (direction) -> send
 * </pre>
 *
 * The packet leaves as it came: SSRC, sequence number and timestamp are the sender's. RTCP and DTLS
 * pass whatever the direction: they are of the transport, not of the media. Each step that drops
 * has its counter. Nothing is allocated, but when a latch changes or another source (SSRC) comes.
 */
final class PacketPath implements PacketReader {

  // Kinds of what is sent.
  private static final int MEDIA = 0;
  private static final int RTCP = 1;
  private static final int DTLS = 2;

  private final RelayWorker worker;
  private final RelaySession session;
  private final int streamIndex;
  private final StreamSide from;
  private final StreamSide to;
  private final boolean isRtcpPort;

  PacketPath(
      RelayWorker worker,
      RelaySession session,
      int streamIndex,
      StreamSide from,
      StreamSide to,
      boolean isRtcpPort) {
    this.worker = worker;
    this.session = session;
    this.streamIndex = streamIndex;
    this.from = from;
    this.to = to;
    this.isRtcpPort = isRtcpPort;
  }

  @Override
  public void received(ByteBuffer buffer, int at, int length, long high, long low, int port) {
    if (from.form == PayloadForm.DATAGRAMS) {
      datagram(at, length, high, low, port);
      return;
    }
    switch (Demux.of(buffer, at, length)) {
      case RTP -> {
        if (isRtcp(buffer, at, length)) {
          rtcp(buffer, at, length, high, low, port);
        } else {
          rtp(buffer, at, length, high, low, port);
        }
      }
      case DTLS -> dtls(at, length, high, low, port);
      case STUN -> drop(StreamSide.STUN, RelayWorker.STUN);
      case OTHER -> drop(StreamSide.INVALID, RelayWorker.INVALID);
    }
  }

  @Override
  public void receivedTooLong() {
    drop(StreamSide.INVALID, RelayWorker.INVALID);
  }

  private boolean isRtcp(ByteBuffer buffer, int at, int length) {
    return isRtcpPort || from.rtcpMux && Rtcp.isRtcpByDemux(buffer, at, length);
  }

  private void rtp(ByteBuffer buffer, int at, int length, long high, long low, int port) {
    if (!isValidRtp(buffer, at, length)) {
      drop(StreamSide.INVALID, RelayWorker.INVALID);
      return;
    }
    if (!isLatched(from.rtp(), high, low, port, true)) {
      drop(StreamSide.STRAY, RelayWorker.STRAY);
      return;
    }
    countRtp(buffer, at, length);
    worker.tally.add(RelayWorker.RTP_PACKETS, 1);
    worker.tally.add(RelayWorker.RTP_BYTES, length);
    sendMedia(at, length);
  }

  /** Of a stream that is not RTP: there is nothing to check, and nothing but its size to count. */
  private void datagram(int at, int length, long high, long low, int port) {
    if (isRtcpPort || length == 0) {
      drop(StreamSide.INVALID, RelayWorker.INVALID);
      return;
    }
    if (!isLatched(from.rtp(), high, low, port, true)) {
      drop(StreamSide.STRAY, RelayWorker.STRAY);
      return;
    }
    countMedia(length);
    worker.tally.add(RelayWorker.OTHER_PACKETS, 1);
    sendMedia(at, length);
  }

  private void dtls(int at, int length, long high, long low, int port) {
    if (from.form != PayloadForm.DTLS_SRTP || isRtcpPort && from.rtcpMux) {
      drop(StreamSide.INVALID, RelayWorker.INVALID);
      return;
    }
    if (!isLatched(isRtcpPort ? from.rtcp() : from.rtp(), high, low, port, false)) {
      drop(StreamSide.STRAY, RelayWorker.STRAY);
      return;
    }
    from.tally.add(StreamSide.DTLS_PACKETS, 1);
    from.tally.set(StreamSide.LAST_PACKET_NS, worker.nowNs());
    worker.tally.add(RelayWorker.OTHER_PACKETS, 1);
    send(isRtcpPort ? to.rtcp() : to.rtp(), at, length, DTLS);
  }

  private void sendMedia(int at, int length) {
    if (!from.isSentOn) {
      drop(StreamSide.DIRECTION, RelayWorker.DIRECTION);
      return;
    }
    if (send(to.rtp(), at, length, MEDIA)) {
      from.tally.add(StreamSide.FORWARDED_PACKETS, 1);
      from.tally.add(StreamSide.FORWARDED_BYTES, length);
    }
  }

  private void rtcp(ByteBuffer buffer, int at, int length, long high, long low, int port) {
    // With rtcp-mux nothing is due at the RTCP port (RFC 5761 5.1.1).
    if (isRtcpPort && from.rtcpMux || !Rtcp.isValid(buffer, at, length)) {
      drop(StreamSide.INVALID, RelayWorker.INVALID);
      return;
    }
    if (!isLatched(from.rtcp(), high, low, port, false)) {
      drop(StreamSide.STRAY, RelayWorker.STRAY);
      return;
    }
    countRtcp(buffer, at, length);
    if (send(to.rtcp(), at, length, RTCP)) {
      from.tally.add(StreamSide.FORWARDED_RTCP, 1);
    }
  }

  private boolean isValidRtp(ByteBuffer buffer, int at, int length) {
    return RtpHeader.headerBytes(buffer, at, length) > 0
        && from.allows(RtpHeader.payloadType(buffer, at));
  }

  private boolean isLatched(Lane lane, long high, long low, int port, boolean isMedia) {
    switch (lane.received(high, low, port, worker.nowNs())) {
      case HELD -> {}
      case LINGERING -> {
        // no first packet of the new epoch: that is of the one who comes
        return true;
      }
      case STRAY -> {
        return false;
      }
      case LATCHED, REPLACED -> lane.latchChanged();
    }
    if (isMedia && from.tellFirstPacket()) {
      worker.firstPacket(session, streamIndex, from.end);
    }
    return true;
  }

  private void countRtp(ByteBuffer buffer, int at, int length) {
    long nowNs = worker.nowNs();
    int clockRateHz = from.clockRateHz();
    from.statistics.received(
        RtpHeader.ssrc(buffer, at),
        RtpHeader.sequenceNumber(buffer, at),
        RtpHeader.timestamp(buffer, at),
        clockRateHz,
        nowNs);
    Tally tally = from.tally;
    tally.set(StreamSide.LOST, from.statistics.lost());
    tally.set(StreamSide.JITTER, from.statistics.jitterTicks());
    tally.set(StreamSide.CLOCK_RATE, clockRateHz);
    countMedia(length);
  }

  private void countMedia(int length) {
    from.tally.add(StreamSide.PACKETS, 1);
    from.tally.add(StreamSide.BYTES, length);
    from.tally.set(StreamSide.LAST_PACKET_NS, worker.nowNs());
  }

  private void countRtcp(ByteBuffer buffer, int at, int length) {
    int end = at + length;
    for (int packet = Rtcp.first(buffer, at, length);
        packet >= 0;
        packet = Rtcp.next(buffer, packet, end)) {
      if (Rtcp.reports(buffer, packet, end) > 0) {
        int report = Rtcp.report(buffer, packet, 0);
        from.tally.set(StreamSide.REPORTED_LOST, Rtcp.cumulativeLost(buffer, report));
        from.tally.set(StreamSide.REPORTED_JITTER, Rtcp.reportedJitterTicks(buffer, report));
      }
    }
    from.tally.add(StreamSide.RTCP_PACKETS, 1);
    from.tally.set(StreamSide.LAST_PACKET_NS, worker.nowNs());
    worker.tally.add(RelayWorker.RTCP_PACKETS, 1);
  }

  private boolean send(Lane lane, int at, int length, int kind) {
    if (!lane.canSend || !lane.socket.send(at, length, kind)) {
      drop(StreamSide.UNSENT, RelayWorker.UNSENT);
      return false;
    }
    worker.tally.add(RelayWorker.SENT_PACKETS, 1);
    worker.tally.add(RelayWorker.SENT_BYTES, length);
    return true;
  }

  /** Of what came from the other side, where it was counted as sent on. */
  @Override
  public void refused(int length, int kind) {
    if (kind == MEDIA) {
      to.tally.add(StreamSide.FORWARDED_PACKETS, -1);
      to.tally.add(StreamSide.FORWARDED_BYTES, -length);
    } else if (kind == RTCP) {
      to.tally.add(StreamSide.FORWARDED_RTCP, -1);
    }
    worker.tally.add(RelayWorker.SENT_PACKETS, -1);
    worker.tally.add(RelayWorker.SENT_BYTES, -length);
    to.tally.add(StreamSide.UNSENT, 1);
    worker.tally.add(RelayWorker.UNSENT, 1);
  }

  private void drop(int slot, int workerSlot) {
    from.tally.add(slot, 1);
    worker.tally.add(workerSlot, 1);
  }
}
