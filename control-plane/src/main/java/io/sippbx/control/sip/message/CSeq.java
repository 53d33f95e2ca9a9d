package io.sippbx.control.sip.message;

/**
 * A CSeq: the number that orders requests of a dialog, and the method.
 *
 * @param number 0 to 2^31 - 1
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-8.1.1.5">RFC 3261 8.1.1.5</a>
 */
public record CSeq(long number, Method method) {

  /** The greatest number. */
  public static final long MAX_NUMBER = (1L << 31) - 1;

  /** Refuses a number out of range. */
  public CSeq {
    if (number < 0 || number > MAX_NUMBER) {
      throw new IllegalArgumentException("Expected a CSeq below 2^31, but got " + number);
    }
  }

  @Override
  public String toString() {
    return number + " " + method.name();
  }
}
