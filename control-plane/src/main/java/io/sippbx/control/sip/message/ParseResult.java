package io.sippbx.control.sip.message;

import java.util.Optional;

/** What became of octets given to {@link SipParser}. */
public sealed interface ParseResult {

  /**
   * A message.
   *
   * @param consumed octets used up, from the offset that was given
   */
  record Parsed(SipMessage message, int consumed) implements ParseResult {}

  /**
   * On a stream: the message is not all there.
   *
   * @param atLeast octets, from the offset that was given, before it is of use to ask again
   * @param scanned octets searched so far without finding the end of the headers; given back to
   *     {@link SipParser#parseStream(byte[], int, int, int, SipLimits)} they are not searched again
   */
  record NeedMoreBytes(int atLeast, int scanned) implements ParseResult {}

  /**
   * CRLF or CRLFCRLF in place of a message, an empty datagram, or one of line ends only (RFC 5626
   * 3.5.1). On a stream {@code consumed} is 4 for a ping, which is answered with CRLF, and 2 for a
   * pong, for half a ping, or for a line end before a message (RFC 3261 7.5).
   */
  record KeepAlive(int consumed) implements ParseResult {}

  /**
   * No message, or one that is not taken.
   *
   * @param status what to answer: 400, 413, 414, 483, 505 or 513
   * @param reason one of a closed list of phrases, fit for a reason phrase or a metric's label
   * @param offset of what was wrong, from the offset that was given
   * @param consumed octets after which the next message starts; on a stream 0 says that the next
   *     message cannot be found and that the connection must be closed
   * @param answerable a request with at least Via, From, To, Call-ID and CSeq of the offending one,
   *     for {@link SipResponse#to}; empty when they are not usable, for responses and for ACK: drop
   */
  record Malformed(
      int status, String reason, int offset, int consumed, Optional<SipRequest> answerable)
      implements ParseResult {}
}
