package io.sippbx.shared.identity;

import java.util.Optional;

/**
 * The one identity of a call, from which its legs, dialogs, timers, media session, events and CDR
 * are named. 128 bits as 26 characters of base32 (RFC 4648 6, lower case, no padding).
 */
public record CallKey(String text) implements Comparable<CallKey> {

  /** Characters of a key. */
  public static final int LENGTH = 26;

  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

  /** Refuses what is no key. */
  public CallKey {
    if (text.length() != LENGTH || !isKey(text, 0)) {
      throw new IllegalArgumentException("Expected 26 characters of base32, but got " + text);
    }
  }

  /**
   * The key of 16 octets or more, of which the first 16 count.
   *
   * @throws IllegalArgumentException for fewer
   */
  public static CallKey ofBytes(byte[] octets) {
    if (octets.length < 16) {
      throw new IllegalArgumentException("Expected 16 octets or more, but got " + octets.length);
    }
    var text = new char[LENGTH];
    long buffer = 0;
    int bits = 0;
    int next = 0;
    for (int i = 0; i < LENGTH; i++) {
      if (bits < 5) {
        buffer = buffer << 8 | (next < 16 ? octets[next++] & 255 : 0);
        bits += 8;
      }
      bits -= 5;
      text[i] = ALPHABET.charAt((int) (buffer >>> bits) & 31);
    }
    return new CallKey(new String(text));
  }

  /** The key that the first 26 characters of {@code text} are, if they are one. */
  public static Optional<CallKey> prefixOf(String text) {
    return prefixOf(text, 0);
  }

  /** The key that the 26 characters of {@code text} from {@code start} are, if they are one. */
  public static Optional<CallKey> prefixOf(String text, int start) {
    return isKey(text, start)
        ? Optional.of(new CallKey(text.substring(start, start + LENGTH)))
        : Optional.empty();
  }

  private static boolean isKey(String text, int start) {
    if (text.length() - start < LENGTH) {
      return false;
    }
    for (int i = start; i < start + LENGTH; i++) {
      char c = text.charAt(i);
      if (!(c >= 'a' && c <= 'z' || c >= '2' && c <= '7')) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int compareTo(CallKey other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
