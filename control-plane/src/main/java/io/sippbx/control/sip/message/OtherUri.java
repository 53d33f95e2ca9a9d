package io.sippbx.control.sip.message;

import java.util.Locale;

/**
 * A URI of another scheme.
 *
 * @param writtenScheme the scheme as it is written
 * @param rest what follows the colon, unread
 */
public record OtherUri(String writtenScheme, String rest) implements Uri {

  /** Refuses what would not be a URI. */
  public OtherUri {
    byte[] octets = Text.bytes(writtenScheme + ":" + rest);
    var spans = new Spans();
    if (UriSyntax.scan(octets, 0, octets.length, spans) < 0
        || spans.schemeEnd != writtenScheme.length()) {
      throw new IllegalArgumentException("Expected a URI, but got " + writtenScheme + ":" + rest);
    }
  }

  @Override
  public String scheme() {
    return writtenScheme.toLowerCase(Locale.ROOT);
  }

  @Override
  public boolean equivalent(Uri other) {
    return other instanceof OtherUri that
        && scheme().equals(that.scheme())
        && rest.equals(that.rest);
  }

  @Override
  public String toString() {
    return writtenScheme + ":" + rest;
  }
}
