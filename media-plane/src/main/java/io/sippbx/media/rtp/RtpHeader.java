package io.sippbx.media.rtp;

import java.nio.ByteBuffer;

/**
 * The fixed header of an RTP packet, read in place.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing source (CSRC) identifiers             |
 * |                             ....                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |      defined by profile       |   length (32-bit words)       |  if X
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                       header extension                        |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * </pre>
 *
 * Every function takes a buffer in network byte order and the place of the packet's first byte, and
 * leaves the buffer's position and limit alone. All but {@link #headerBytes} want a packet for
 * which {@code headerBytes} was not negative.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#section-5.1">RFC 3550 5.1</a>
 */
public final class RtpHeader {

  /** Without CSRCs and extension. */
  public static final int FIXED_BYTES = 12;

  private static final int VERSION = 2;
  private static final int EXTENSION_BIT = 0x10;
  private static final int EXTENSION_HEADER_BYTES = 4;

  private RtpHeader() {}

  /**
   * How many bytes the header has with its CSRCs and extension, or -1 if this is no RTP packet:
   * another version, or shorter than its header says.
   *
   * <p>The padding is not looked at: its count is the last byte of the payload, which means nothing
   * when the payload is encrypted end to end (RFC 3711), and nothing here depends on it.
   */
  public static int headerBytes(ByteBuffer buffer, int at, int length) {
    if (length < FIXED_BYTES) {
      return -1;
    }
    int first = buffer.get(at);
    if ((first >>> 6 & 3) != VERSION) {
      return -1;
    }
    int bytes = FIXED_BYTES + 4 * (first & 0x0f);
    if ((first & EXTENSION_BIT) != 0) {
      if (length < bytes + EXTENSION_HEADER_BYTES) {
        return -1;
      }
      int words = buffer.getShort(at + bytes + 2) & 0xffff;
      bytes += EXTENSION_HEADER_BYTES + 4 * words;
    }
    return bytes <= length ? bytes : -1;
  }

  /** 0 to 127. */
  public static int payloadType(ByteBuffer buffer, int at) {
    return buffer.get(at + 1) & 0x7f;
  }

  /** The marker bit. */
  public static boolean marker(ByteBuffer buffer, int at) {
    return buffer.get(at + 1) < 0;
  }

  /** 0 to 65,535; see {@link SequenceNumber}. */
  public static int sequenceNumber(ByteBuffer buffer, int at) {
    return buffer.getShort(at + 2) & 0xffff;
  }

  /** 32 bits, in ticks of the payload type's clock. */
  public static int timestamp(ByteBuffer buffer, int at) {
    return buffer.getInt(at + 4);
  }

  /** 32 bits. */
  public static int ssrc(ByteBuffer buffer, int at) {
    return buffer.getInt(at + 8);
  }
}
