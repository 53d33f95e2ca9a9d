package io.sippbx.control.sip.message;

/**
 * The tag of a From or a To.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-19.3">RFC 3261 19.3</a>
 */
public record Tag(String value) {

  /** Refuses what cannot stand as the value of a parameter without quotes. */
  public Tag {
    if (!Chars.all(value, Chars.VALUE)) {
      throw new IllegalArgumentException("Expected a token as tag, but got " + value);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
