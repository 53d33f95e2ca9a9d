package io.sippbx.control.sip.message;

/**
 * What the parser takes at most. Each limit has an answer of its own.
 *
 * @param messageBytes of a whole message: 513
 * @param headerBytes of start-line and headers, the empty line included: 513
 * @param headerCount of header fields: 513
 * @param viaDepth of Via values: 483
 * @param listValues of values of Contact, Route, Record-Route, Path, Require, Supported and the
 *     like, together: 513
 * @param uriBytes of the Request-URI: 414
 * @param bodyBytes of the body: 413
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-21.4.11">RFC 3261 21.4.11, 21.4.12,
 *     21.4.21, 21.5.7</a>
 */
public record SipLimits(
    int messageBytes,
    int headerBytes,
    int headerCount,
    int viaDepth,
    int listValues,
    int uriBytes,
    int bodyBytes) {

  /** What fits a datagram, and more than any sound message needs. */
  public static final SipLimits DEFAULT =
      new SipLimits(65_535, 32_768, 256, 70, 256, 8_192, 65_535);

  /** Refuses a limit below one. */
  public SipLimits {
    if (Math.min(Math.min(messageBytes, headerBytes), Math.min(headerCount, viaDepth)) < 1
        || Math.min(Math.min(listValues, uriBytes), bodyBytes) < 1) {
      throw new IllegalArgumentException("Expected limits of 1 or more, but got " + listValues);
    }
  }
}
