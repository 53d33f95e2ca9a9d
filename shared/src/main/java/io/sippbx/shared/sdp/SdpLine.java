package io.sippbx.shared.sdp;

/**
 * One line of a session description.
 *
 * @param type the letter before the "="
 * @param value what follows it, without the line's end; one character an octet
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-5">RFC 8866 5</a>
 */
public record SdpLine(char type, String value) {

  /** Refuses what would be more than one line. */
  public SdpLine {
    if (!isLetter(type)) {
      throw new IllegalArgumentException("Expected a letter as a line's type, but got " + type);
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '\r' || c == '\n' || c == 0 || c > 255) {
        throw new IllegalArgumentException(
            "Expected octets of one line, but got character " + (int) c + " at " + i);
      }
    }
  }

  /** {@code a=name}. */
  public static SdpLine attribute(String name) {
    return new SdpLine('a', name);
  }

  /** {@code a=name:value}. */
  public static SdpLine attribute(String name, String value) {
    return new SdpLine('a', name + ":" + value);
  }

  /** Whether this is the attribute {@code name}, with or without a value; case does not count. */
  public boolean isAttribute(String name) {
    return type == 'a'
        && value.regionMatches(true, 0, name, 0, name.length())
        && (value.length() == name.length() || value.charAt(name.length()) == ':');
  }

  /** What follows the first colon of an attribute; empty if there is none. */
  public String attributeValue() {
    int colon = value.indexOf(':');
    return colon < 0 ? "" : value.substring(colon + 1);
  }

  static boolean isLetter(int c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
  }

  /** {@code a=value}, without the line's end. */
  @Override
  public String toString() {
    return type + "=" + value;
  }
}
