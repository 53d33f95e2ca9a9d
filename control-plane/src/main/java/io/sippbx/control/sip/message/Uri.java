package io.sippbx.control.sip.message;

import java.util.Optional;

/**
 * A URI: SIP or SIPS, tel, or of a scheme that is carried but not understood.
 *
 * <p>{@code toString} gives the text that stands on the wire; {@code equals} compares parts as they
 * are written, {@link #equivalent} what they mean.
 */
public sealed interface Uri permits SipUri, TelUri, OtherUri {

  /** The scheme, in lower case. */
  String scheme();

  /** Whether both name the same resource by the rules of the scheme. */
  boolean equivalent(Uri other);

  /** The URI that {@code text} is, if it is one. */
  static Optional<Uri> parse(String text) {
    byte[] octets = Text.bytes(text);
    return UriSyntax.scan(octets, 0, octets.length, new Spans()) < 0
        ? Optional.empty()
        : Optional.of(UriSyntax.view(octets, 0, octets.length));
  }

  /**
   * The URI that {@code text} is.
   *
   * @throws IllegalArgumentException if it is none
   */
  static Uri of(String text) {
    byte[] octets = Text.bytes(text);
    return UriSyntax.view(octets, 0, octets.length);
  }
}
