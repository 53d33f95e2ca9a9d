package io.sippbx.control.offer;

/**
 * Why a session description is refused, for the Warning header beside a 488.
 *
 * @param code a warn-code
 * @param text for people; letters, digits, spaces and simple signs, no quotes
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-20.43">RFC 3261 20.43</a>
 */
public record Warning(int code, String text) {

  /** Incompatible network protocol. */
  public static final int NETWORK_PROTOCOL = 300;

  /** Incompatible network address formats. */
  public static final int ADDRESS_FORMAT = 301;

  /** Incompatible transport protocol. */
  public static final int TRANSPORT = 302;

  /** Incompatible media format. */
  public static final int MEDIA_FORMAT = 305;

  /** Multicast not available. */
  public static final int MULTICAST = 330;

  /** Miscellaneous warning. */
  public static final int MISCELLANEOUS = 399;

  /** Refuses a code out of range and text that would not fit between quotes. */
  public Warning {
    if (code < 300 || code > 399) {
      throw new IllegalArgumentException("Expected a code from 300 to 399, but got " + code);
    }
    if (text.chars().anyMatch(c -> c < ' ' || c > '~' || c == '"' || c == '\\')) {
      throw new IllegalArgumentException("Expected plain text, but got " + text);
    }
  }

  /**
   * The value of the header.
   *
   * @param agent who warns: a host, with a port or without
   */
  public String header(String agent) {
    return code + " " + agent + " \"" + text + "\"";
  }
}
