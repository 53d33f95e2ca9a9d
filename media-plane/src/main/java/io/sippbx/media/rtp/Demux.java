package io.sippbx.media.rtp;

import java.nio.ByteBuffer;

/**
 * Tells apart what may share a port with RTP, by the first byte:
 *
 * <pre>
 *                 +----------------+
 *                 |        [0..3] -+--> STUN
 *                 |      [16..19] -+--> ZRTP
 *     packet -->  |      [20..63] -+--> DTLS
 *                 |      [64..79] -+--> TURN channel
 *                 |    [128..191] -+--> RTP and RTCP
 *                 +----------------+
 * </pre>
 *
 * What it names is judged by more than that byte, so that noise is not counted as STUN or DTLS.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7983#section-7">RFC 7983 7</a>
 */
public final class Demux {

  private static final int STUN_HEADER_BYTES = 20;
  private static final int STUN_MAGIC_COOKIE = 0x2112_a442;
  private static final int HIGHEST_STUN = 3;

  private static final int LOWEST_DTLS = 20;
  private static final int HIGHEST_DTLS = 63;

  /** Above it the first byte is that of a DTLS 1.3 record with the unified header, 001xxxxx. */
  private static final int HIGHEST_DTLS_TYPE = 31;

  private static final int DTLS_HEADER_BYTES = 13;
  private static final int DTLS_LENGTH_AT = 11;

  /** Major version 1 in the complement in which DTLS writes it. */
  private static final int DTLS_MAJOR = 0xfe;

  /** A connection id and so a length that we do not know may stand in the header of this type. */
  private static final int DTLS_WITH_CONNECTION_ID = 25;

  /** First byte and sequence number, and the least that a ciphertext must have (RFC 9147 4.2.3). */
  private static final int LEAST_UNIFIED_BYTES = 2 + 16;

  private static final int LOWEST_RTP = 128;
  private static final int HIGHEST_RTP = 191;

  private Demux() {}

  /** What a datagram is. */
  public enum Form {
    /** RTP or RTCP, which is yet to be checked. */
    RTP,
    /** A STUN message. */
    STUN,
    /** One or more DTLS records, of which the first is whole. */
    DTLS,
    /** Nothing that a relay passes on. */
    OTHER
  }

  /** What the datagram of {@code length} bytes at {@code at} is. */
  public static Form of(ByteBuffer buffer, int at, int length) {
    if (length == 0) {
      return Form.OTHER;
    }
    int first = buffer.get(at) & 0xff;
    if (first >= LOWEST_RTP && first <= HIGHEST_RTP) {
      return Form.RTP;
    }
    if (first >= LOWEST_DTLS && first <= HIGHEST_DTLS) {
      return isDtls(buffer, at, length, first) ? Form.DTLS : Form.OTHER;
    }
    return first <= HIGHEST_STUN && isStun(buffer, at, length) ? Form.STUN : Form.OTHER;
  }

  private static boolean isStun(ByteBuffer buffer, int at, int length) {
    return length >= STUN_HEADER_BYTES && buffer.getInt(at + 4) == STUN_MAGIC_COOKIE;
  }

  private static boolean isDtls(ByteBuffer buffer, int at, int length, int first) {
    if (first > HIGHEST_DTLS_TYPE) {
      return length >= LEAST_UNIFIED_BYTES;
    }
    return length >= DTLS_HEADER_BYTES
        && (buffer.get(at + 1) & 0xff) == DTLS_MAJOR
        && (first == DTLS_WITH_CONNECTION_ID
            || DTLS_HEADER_BYTES + (buffer.getShort(at + DTLS_LENGTH_AT) & 0xffff) <= length);
  }
}
