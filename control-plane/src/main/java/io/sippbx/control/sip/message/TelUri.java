package io.sippbx.control.sip.message;

import java.util.Locale;

/**
 * A telephone number.
 *
 * @param number as it is written, visual separators included
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3966">RFC 3966</a>
 */
public record TelUri(String number, Params params) implements Uri {

  /** Refuses what is no number. */
  public TelUri {
    byte[] octets = Text.bytes("tel:" + number);
    var spans = new Spans();
    if (UriSyntax.scan(octets, 0, octets.length, spans) < 0 || spans.hostEnd != octets.length) {
      throw new IllegalArgumentException("Expected a telephone number, but got " + number);
    }
  }

  @Override
  public String scheme() {
    return "tel";
  }

  /** Whether the number is global: starts with a plus. */
  public boolean isGlobal() {
    return number.startsWith("+");
  }

  /** The number without visual separators, in lower case. */
  public String digits() {
    var digits = new StringBuilder(number.length());
    for (int i = 0; i < number.length(); i++) {
      if (!UriSyntax.isSeparator(number.charAt(i))) {
        digits.append(number.charAt(i));
      }
    }
    return digits.toString().toLowerCase(Locale.ROOT);
  }

  /** RFC 3966 4: same digits, and the same parameters in any order and case. */
  @Override
  public boolean equivalent(Uri other) {
    return other instanceof TelUri that
        && digits().equals(that.digits())
        && UriText.sameSet(params, that.params);
  }

  @Override
  public String toString() {
    return "tel:" + number + params;
  }
}
