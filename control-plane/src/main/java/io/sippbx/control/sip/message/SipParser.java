package io.sippbx.control.sip.message;

import io.sippbx.control.sip.message.ParseResult.KeepAlive;
import io.sippbx.control.sip.message.ParseResult.Malformed;
import io.sippbx.control.sip.message.ParseResult.NeedMoreBytes;
import java.util.Objects;
import java.util.Optional;

/**
 * Octets to messages. Nothing here throws on any octets, and what is done for them is linear in
 * their number. The octets of a message are copied: the buffer is the caller's again afterwards.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18.3">RFC 3261 7, 18.3</a>
 */
public final class SipParser {

  private SipParser() {}

  /**
   * Parses a datagram (or a WebSocket message, RFC 7118). A body ends with the datagram when there
   * is no Content-Length; octets past Content-Length are dropped; fewer are an error (RFC 3261
   * 18.3).
   */
  public static ParseResult parse(byte[] buffer, int offset, int length, SipLimits limits) {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    int end = offset + length;
    int start = skipLineEnds(buffer, offset, end);
    if (start == end) {
      return new KeepAlive(length);
    }
    if (length > limits.messageBytes()) {
      return malformed(Fault.MESSAGE_TOO_LARGE, limits.messageBytes(), length);
    }
    return new MessageScan(buffer, start, end, offset, limits).datagram();
  }

  /**
   * As {@link #parse} of a whole array that nobody will change any more: a message that fills it
   * keeps it instead of a copy.
   */
  public static ParseResult parseOwned(byte[] datagram, SipLimits limits) {
    int start = skipLineEnds(datagram, 0, datagram.length);
    if (start > 0 || datagram.length > limits.messageBytes()) {
      return parse(datagram, 0, datagram.length, limits);
    }
    return new MessageScan(datagram, 0, datagram.length, 0, limits).owning().datagram();
  }

  /** As {@link #parseStream(byte[], int, int, int, SipLimits)} with nothing searched before. */
  public static ParseResult parseStream(byte[] buffer, int offset, int length, SipLimits limits) {
    return parseStream(buffer, offset, length, 0, limits);
  }

  /**
   * Parses the first message of a stream, framed by Content-Length (RFC 3261 18.3).
   *
   * <p>Call again once there are as many octets as {@link NeedMoreBytes#atLeast} says, from the
   * same start of the message, with {@link NeedMoreBytes#scanned}: then no octet is looked at more
   * than twice however the stream is cut.
   *
   * @param scanned octets, from {@code offset}, in which the end of the headers was not found
   *     before
   */
  public static ParseResult parseStream(
      byte[] buffer, int offset, int length, int scanned, SipLimits limits) {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    int end = offset + length;
    int start = offset;
    if (length == 0) {
      return new NeedMoreBytes(1, 0);
    }
    if (buffer[start] == '\r' || buffer[start] == '\n') {
      return lineEnds(buffer, offset, length);
    }
    int headEnd = headEnd(buffer, Math.max(start, offset + scanned - 3), end);
    int headLength = (headEnd < 0 ? end : headEnd) - start;
    if (headLength > limits.headerBytes()) {
      return malformed(Fault.HEADERS_TOO_LARGE, limits.headerBytes(), 0);
    }
    if (headEnd < 0) {
      return new NeedMoreBytes(length + 1, length);
    }
    return new MessageScan(buffer, start, end, offset, limits).stream();
  }

  private static ParseResult lineEnds(byte[] buffer, int offset, int length) {
    if (buffer[offset] == '\n' || length > 1 && buffer[offset + 1] != '\n') {
      return malformed(Fault.START_LINE, 0, 0);
    }
    if (length == 1) {
      return new NeedMoreBytes(2, 0);
    }
    boolean ping = length >= 4 && buffer[offset + 2] == '\r' && buffer[offset + 3] == '\n';
    return new KeepAlive(ping ? 4 : 2);
  }

  private static int skipLineEnds(byte[] b, int start, int end) {
    int i = start;
    while (i < end && (b[i] == '\r' || b[i] == '\n')) {
      i++;
    }
    return i;
  }

  /** The index after CRLFCRLF; -1 when it is not there. */
  private static int headEnd(byte[] b, int start, int end) {
    for (int i = start; i + 3 < end; i++) {
      if (b[i] == '\r' && b[i + 1] == '\n' && b[i + 2] == '\r' && b[i + 3] == '\n') {
        return i + 4;
      }
    }
    return -1;
  }

  private static Malformed malformed(Fault fault, int offset, int consumed) {
    return new Malformed(fault.status, fault.reason, offset, consumed, Optional.empty());
  }
}
