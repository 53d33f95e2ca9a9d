package io.sippbx.media.rtp;

/**
 * The 16-bit sequence number of an RTP packet: it wraps, and of two numbers the later is the one
 * that is less than half the circle ahead.
 *
 * <p>The static functions are for the packet path.
 *
 * @param value 0 to 65,535
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#section-5.1">RFC 3550 5.1</a>
 */
public record SequenceNumber(int value) {

  /** How many there are. */
  public static final int MODULUS = 1 << 16;

  /** Refuses what does not fit in 16 bits. */
  public SequenceNumber {
    if (value < 0 || value >= MODULUS) {
      throw new IllegalArgumentException(
          "Expected a sequence number from 0 to 65535, but got " + value);
    }
  }

  /** The number after this one. */
  public SequenceNumber next() {
    return new SequenceNumber(value + 1 & MODULUS - 1);
  }

  /** Whether this number was sent after {@code other}. */
  public boolean isAfter(SequenceNumber other) {
    return distance(other.value, value) > 0;
  }

  /** Steps from {@code other} to this number, -32,768 to 32,767. */
  public int minus(SequenceNumber other) {
    return distance(other.value, value);
  }

  /** Steps from one number to another by the shorter way, -32,768 to 32,767. */
  public static int distance(int from, int to) {
    return (short) (to - from);
  }
}
