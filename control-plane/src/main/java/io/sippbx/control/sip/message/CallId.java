package io.sippbx.control.sip.message;

/**
 * A Call-ID; compared octet by octet.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-20.8">RFC 3261 20.8</a>
 */
public record CallId(String value) {

  /** Refuses what is empty or holds a space or a control character. */
  public CallId {
    if (!Chars.all(value, Chars.VISIBLE)) {
      throw new IllegalArgumentException("Expected a Call-ID without spaces, but got " + value);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
