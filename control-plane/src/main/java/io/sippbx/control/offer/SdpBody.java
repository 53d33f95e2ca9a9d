package io.sippbx.control.offer;

import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SdpParseResult.Malformed;
import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.Locale;
import java.util.Optional;

/**
 * What the body of a message says of the session.
 *
 * <p>Bodies of several parts (multipart/mixed) are not taken apart: they are refused with 415, as
 * RFC 3261 21.4.13 allows, and the peer hears what is accepted.
 */
public sealed interface SdpBody {

  /** What goes into Accept. */
  String ACCEPT = "application/sdp";

  /** What goes into Accept-Encoding: no encoding at all. */
  String ACCEPT_ENCODING = "identity";

  /** Nothing: there is no body, or one that may be ignored. */
  record None() implements SdpBody {}

  /** A session description. */
  record Described(SessionDescription description) implements SdpBody {}

  /** 415 with an Accept header: the body is of another type, or of several parts. */
  record UnsupportedType() implements SdpBody {}

  /** 415 with an Accept-Encoding header: the body is encoded. */
  record UnsupportedEncoding() implements SdpBody {}

  /** 488 with a Warning header: the body is no session description. */
  record Unreadable(Warning warning) implements SdpBody {}

  /**
   * Reads a body.
   *
   * @param contentType value of Content-Type, with its parameters
   * @param contentEncoding value of Content-Encoding
   * @param contentDisposition value of Content-Disposition
   */
  static SdpBody of(
      Optional<String> contentType,
      Optional<String> contentEncoding,
      Optional<String> contentDisposition,
      byte[] body,
      SdpLimits limits) {
    if (body.length == 0) {
      return new None();
    }
    boolean session = contentDisposition.map(d -> token(d).equals("session")).orElse(true);
    boolean sdp = contentType.map(t -> token(t).equals(ACCEPT)).orElse(false);
    if (!session || !sdp) {
      // RFC 3261 20.11: with handling=optional what is not understood MUST be ignored.
      return contentDisposition.filter(SdpBody::isOptional).isPresent()
          ? new None()
          : new UnsupportedType();
    }
    String encoding = contentEncoding.map(SdpBody::token).orElse(ACCEPT_ENCODING);
    if (!encoding.isEmpty() && !encoding.equals(ACCEPT_ENCODING)) {
      return new UnsupportedEncoding();
    }
    return switch (SessionDescription.parse(body, limits)) {
      case Parsed(SessionDescription description) -> new Described(description);
      case Malformed malformed ->
          new Unreadable(
              new Warning(
                  Warning.MISCELLANEOUS,
                  "Malformed SDP: "
                      + malformed.reason()
                      + (malformed.line() > 0 ? " at line " + malformed.line() : "")));
    };
  }

  private static boolean isOptional(String disposition) {
    String compact = disposition.replace(" ", "").replace("\t", "").toLowerCase(Locale.ROOT);
    return (compact + ";").contains(";handling=optional;");
  }

  private static String token(String value) {
    int semicolon = value.indexOf(';');
    return (semicolon < 0 ? value : value.substring(0, semicolon)).strip().toLowerCase(Locale.ROOT);
  }
}
