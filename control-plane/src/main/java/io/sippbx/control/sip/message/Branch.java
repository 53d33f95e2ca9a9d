package io.sippbx.control.sip.message;

/**
 * The branch of a Via: the transaction's name.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-8.1.1.7">RFC 3261 8.1.1.7</a>
 */
public record Branch(String value) {

  /** What a branch starts with that is unique as RFC 3261 demands. */
  public static final String MAGIC_COOKIE = "z9hG4bK";

  /** Refuses what cannot stand as the value of a parameter without quotes. */
  public Branch {
    if (!Chars.all(value, Chars.VALUE)) {
      throw new IllegalArgumentException("Expected a token as branch, but got " + value);
    }
  }

  /**
   * Whether this names a transaction by itself. The cookie alone does not (RFC 4475 3.2.1): such a
   * request is matched as RFC 2543's are.
   */
  public boolean isRfc3261() {
    return value.length() > MAGIC_COOKIE.length()
        && value.regionMatches(true, 0, MAGIC_COOKIE, 0, MAGIC_COOKIE.length());
  }

  @Override
  public String toString() {
    return value;
  }
}
