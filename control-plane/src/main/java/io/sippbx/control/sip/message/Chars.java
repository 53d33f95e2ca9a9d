package io.sippbx.control.sip.message;

/**
 * Classes of octets (RFC 3261 25.1) and the smallest scanners over a byte array.
 *
 * <p>A scanner takes where to start and where the text ends, and gives the index after what it
 * accepted; one that can fail gives {@code ~index} of what it did not expect.
 */
final class Chars {

  static final int TOKEN = 1;
  static final int HOST = 2;
  static final int USER = 4;
  static final int URI_PARAM = 8;
  static final int URI_HEADER = 16;
  static final int VALUE = 32;
  static final int WS = 64;
  static final int CONTROL = 128;
  static final int VISIBLE = 256;

  private static final long MAX_SECONDS = 0xffff_ffffL;
  private static final short[] CLASS = new short[256];

  static {
    for (int c = 'a'; c <= 'z'; c++) {
      mark(c, TOKEN | HOST | USER | URI_PARAM | URI_HEADER);
      mark(c - 32, TOKEN | HOST | USER | URI_PARAM | URI_HEADER);
    }
    for (int c = '0'; c <= '9'; c++) {
      mark(c, TOKEN | HOST | USER | URI_PARAM | URI_HEADER);
    }
    markAll("-.!%*_+`'~", TOKEN);
    // An underscore is no host character, but is in use in internal names.
    markAll("-._", HOST);
    // mark, then user-unreserved; '#' should be escaped, but feature codes come without.
    markAll("-_.!~*'()" + "&=+$,;?/" + "#", USER);
    markAll("-_.!~*'()" + "[]/:&+$", URI_PARAM);
    markAll("-_.!~*'()" + "[]/?:+$", URI_HEADER);
    for (int c = 0x21; c < 0x7f; c++) {
      mark(c, VISIBLE);
      if ("\",;<>\\".indexOf(c) < 0) {
        mark(c, VALUE);
      }
    }
    markAll(" \t\r\n", WS);
    for (int c = 0; c < 0x20; c++) {
      mark(c, CONTROL);
    }
    mark(0x7f, CONTROL);
    CLASS['\t'] &= ~CONTROL;
  }

  private Chars() {}

  private static void markAll(String characters, int flags) {
    characters.chars().forEach(c -> mark(c, flags));
  }

  private static void mark(int c, int flags) {
    CLASS[c] |= (short) flags;
  }

  static boolean is(byte octet, int flags) {
    return (CLASS[octet & 255] & flags) != 0;
  }

  /** The index after the octets of a class; {@code i} itself when there are none. */
  static int skip(byte[] b, int i, int end, int flags) {
    while (i < end && (CLASS[b[i] & 255] & flags) != 0) {
      i++;
    }
    return i;
  }

  /** As {@link #skip}, and {@code %HH}; {@code ~index} of a broken escape. */
  static int skipEscaped(byte[] b, int i, int end, int flags) {
    while (i < end) {
      if ((CLASS[b[i] & 255] & flags) != 0) {
        i++;
      } else if (b[i] == '%') {
        if (i + 2 >= end || hex(b[i + 1]) < 0 || hex(b[i + 2]) < 0) {
          return ~i;
        }
        i += 3;
      } else {
        break;
      }
    }
    return i;
  }

  static int skipWs(byte[] b, int i, int end) {
    while (i < end && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n')) {
      i++;
    }
    return i;
  }

  /**
   * The index after a quoted-string that starts at {@code i}; {@code ~end} when it is not closed.
   */
  static int quoted(byte[] b, int i, int end) {
    for (int j = i + 1; j < end; j++) {
      if (b[j] == '"') {
        return j + 1;
      }
      if (b[j] == '\\') {
        j++;
      }
    }
    return ~end;
  }

  static boolean isDigit(byte octet) {
    return octet >= '0' && octet <= '9';
  }

  static boolean isAlpha(byte octet) {
    int lower = octet | 0x20;
    return lower >= 'a' && lower <= 'z';
  }

  static int hex(int octet) {
    if (octet >= '0' && octet <= '9') {
      return octet - '0';
    }
    int lower = octet | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  static int lower(int octet) {
    return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
  }

  /** Digits only, at least one, at most {@code max}; -1 otherwise. */
  static long number(byte[] b, int start, int end, long max) {
    if (start >= end) {
      return -1;
    }
    long value = 0;
    for (int i = start; i < end; i++) {
      if (!isDigit(b[i])) {
        return -1;
      }
      value = value * 10 + (b[i] - '0');
      if (value > max) {
        return -1;
      }
    }
    return value;
  }

  /** As {@link #number}, but digits that say more than 2^32 - 1 count as that (RFC 3261 20.19). */
  static long seconds(byte[] b, int start, int end) {
    if (start >= end || skipDigits(b, start, end) != end) {
      return -1;
    }
    long value = number(b, start, end, MAX_SECONDS);
    return value < 0 ? MAX_SECONDS : value;
  }

  static int skipDigits(byte[] b, int start, int end) {
    int i = start;
    while (i < end && isDigit(b[i])) {
      i++;
    }
    return i;
  }

  /** Whether the octets are {@code lowerCase} but for the case of ASCII letters. */
  static boolean equalsIgnoreCase(byte[] b, int start, int end, String lowerCase) {
    if (end - start != lowerCase.length()) {
      return false;
    }
    for (int i = start; i < end; i++) {
      if (lower(b[i]) != lowerCase.charAt(i - start)) {
        return false;
      }
    }
    return true;
  }

  /** Whether all of {@code text} is ASCII of a class, and there is some. */
  static boolean all(String text, int flags) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c > 127 || (CLASS[c] & flags) == 0) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
