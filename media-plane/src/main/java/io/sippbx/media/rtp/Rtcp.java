package io.sippbx.media.rtp;

import java.nio.ByteBuffer;

/**
 * RTCP, read in place and only as far as a relay needs it: is it RTCP, and what do its reception
 * reports say.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P| RC / SC |  packet type  |  length (words, less one)     |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                         SSRC of sender                        |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |        SR only: NTP time (64), RTP time (32), packets (32), octets (32)
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * | SSRC | fraction lost (8), lost (24) | highest seq | jitter | LSR | DLSR |  RC times
 * </pre>
 *
 * A datagram is a row of such packets. It is walked by hand:
 *
 * <pre>
 * for (int p = Rtcp.first(buffer, at, length); p >= 0; p = Rtcp.next(buffer, p, at + length)) ...
 * </pre>
 *
 * A walk ends at the first packet that is not whole, so each step costs its bytes and nothing
 * throws. Every function takes a buffer in network byte order and leaves its position and limit
 * alone.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#section-6.4">RFC 3550 6.4</a>
 */
public final class Rtcp {

  public static final int SENDER_REPORT = 200;
  public static final int RECEIVER_REPORT = 201;
  public static final int GOODBYE = 203;

  private static final int VERSION = 2;
  private static final int HEADER_BYTES = 4;
  private static final int SSRC_BYTES = 4;
  private static final int SENDER_INFO_BYTES = 20;
  private static final int BLOCK_BYTES = 24;
  private static final int LOWEST_TYPE = 192;
  private static final int HIGHEST_TYPE = 223;

  private Rtcp() {}

  /**
   * Whether a packet with this second byte is RTCP where RTP and RTCP share a port.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc5761#section-4">RFC 5761 4</a>
   */
  public static boolean isRtcpByDemux(ByteBuffer buffer, int at, int length) {
    if (length < 2) {
      return false;
    }
    int type = buffer.get(at + 1) & 0xff;
    return type >= LOWEST_TYPE && type <= HIGHEST_TYPE;
  }

  /**
   * Whether a datagram is RTCP: version 2, a type of RTCP, and its first packet whole and with an
   * SSRC. What follows may be encrypted (RFC 3711 3.4) and is not judged; a first packet other than
   * a report is taken, for reduced-size RTCP (RFC 5506).
   */
  public static boolean isValid(ByteBuffer buffer, int at, int length) {
    return isRtcpByDemux(buffer, at, length)
        && packetBytes(buffer, at, at + length) >= HEADER_BYTES + SSRC_BYTES;
  }

  /** Where the first packet is, or -1 if there is none whole. */
  public static int first(ByteBuffer buffer, int at, int length) {
    return packetBytes(buffer, at, at + length) < 0 ? -1 : at;
  }

  /** Where the packet after the one at {@code packet} is, or -1 if there is none whole. */
  public static int next(ByteBuffer buffer, int packet, int end) {
    int bytes = packetBytes(buffer, packet, end);
    int next = packet + bytes;
    return bytes < 0 || packetBytes(buffer, next, end) < 0 ? -1 : next;
  }

  /** The length of the packet, header included, or -1 if it is not whole or not of version 2. */
  private static int packetBytes(ByteBuffer buffer, int packet, int end) {
    if (end - packet < HEADER_BYTES || (buffer.get(packet) >>> 6 & 3) != VERSION) {
      return -1;
    }
    int bytes = 4 * ((buffer.getShort(packet + 2) & 0xffff) + 1);
    return bytes <= end - packet ? bytes : -1;
  }

  /** 0 to 255; 200 to 204 are those of RFC 3550. */
  public static int packetType(ByteBuffer buffer, int packet) {
    return buffer.get(packet + 1) & 0xff;
  }

  /** The SSRC of the sender, or 0 in a packet that has none. */
  public static int senderSsrc(ByteBuffer buffer, int packet, int end) {
    return packetBytes(buffer, packet, end) < HEADER_BYTES + SSRC_BYTES
        ? 0
        : buffer.getInt(packet + HEADER_BYTES);
  }

  /** How many reception reports the packet holds whole: 0 to 31; 0 for what is no SR or RR. */
  public static int reports(ByteBuffer buffer, int packet, int end) {
    int first = firstReport(buffer, packet);
    int room = first < 0 ? 0 : packet + packetBytes(buffer, packet, end) - first;
    return room < 0 ? 0 : Math.min(buffer.get(packet) & 0x1f, room / BLOCK_BYTES);
  }

  /** Where the reception report {@code index} (from 0, below {@link #reports}) begins. */
  public static int report(ByteBuffer buffer, int packet, int index) {
    return firstReport(buffer, packet) + index * BLOCK_BYTES;
  }

  private static int firstReport(ByteBuffer buffer, int packet) {
    return switch (packetType(buffer, packet)) {
      case SENDER_REPORT -> packet + HEADER_BYTES + SSRC_BYTES + SENDER_INFO_BYTES;
      case RECEIVER_REPORT -> packet + HEADER_BYTES + SSRC_BYTES;
      default -> -1;
    };
  }

  /** The source that a reception report is about. */
  public static int reportedSsrc(ByteBuffer buffer, int report) {
    return buffer.getInt(report);
  }

  /** 256ths of the packets since the last report. */
  public static int fractionLost(ByteBuffer buffer, int report) {
    return buffer.get(report + 4) & 0xff;
  }

  /** Packets lost since the beginning, a signed 24-bit number. */
  public static int cumulativeLost(ByteBuffer buffer, int report) {
    return buffer.getInt(report + 4) << 8 >> 8;
  }

  /** Interarrival jitter in timestamp units, an unsigned 32-bit number. */
  public static long reportedJitterTicks(ByteBuffer buffer, int report) {
    return buffer.getInt(report + 12) & 0xffff_ffffL;
  }
}
