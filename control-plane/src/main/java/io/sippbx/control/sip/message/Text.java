package io.sippbx.control.sip.message;

import java.nio.charset.StandardCharsets;

/** Spans of octets as text, and text in the forms that stand on the wire. */
final class Text {

  /** Names of parameters and transports. */
  private static final String[] WORDS = {
    "tag", "branch", "rport", "received", "lr", "transport", "udp", "UDP", "tcp", "TCP", "TLS", "ob"
  };

  private Text() {}

  /** Octets known to be ASCII. */
  static String ascii(byte[] b, int start, int end) {
    return new String(b, start, end - start, StandardCharsets.ISO_8859_1);
  }

  /** Likewise, of words that come in nearly every message: those are there already. */
  static String word(byte[] b, int start, int end) {
    for (String each : WORDS) {
      if (is(each, b, start, end)) {
        return each;
      }
    }
    return ascii(b, start, end);
  }

  private static boolean is(String word, byte[] b, int start, int end) {
    if (word.length() != end - start) {
      return false;
    }
    for (int i = 0; i < word.length(); i++) {
      if (word.charAt(i) != b[start + i]) {
        return false;
      }
    }
    return true;
  }

  static String utf8(byte[] b, int start, int end) {
    return new String(b, start, end - start, StandardCharsets.UTF_8);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A header value with each fold made one space (RFC 3261 7.3.1). */
  static String unfolded(byte[] b, int start, int end) {
    for (int i = start; i < end; i++) {
      if (b[i] == '\r') {
        return unfold(b, start, end);
      }
    }
    return utf8(b, start, end);
  }

  private static String unfold(byte[] b, int start, int end) {
    byte[] out = new byte[end - start];
    int length = 0;
    int i = start;
    while (i < end) {
      if (b[i] == '\\' && i + 1 < end && b[i + 1] != '\r') {
        out[length++] = b[i++];
        out[length++] = b[i++];
      } else if (b[i] == '\r') {
        while (length > 0 && (out[length - 1] == ' ' || out[length - 1] == '\t')) {
          length--;
        }
        i = Chars.skipWs(b, i, end);
        out[length++] = ' ';
      } else {
        out[length++] = b[i++];
      }
    }
    return utf8(out, 0, length);
  }

  /** The content of a quoted-string, given with its quotes: pairs undone, folds made a space. */
  static String unquoted(String quoted) {
    String inner = quoted.substring(1, quoted.length() - 1);
    if (inner.indexOf('\\') < 0) {
      return inner;
    }
    var text = new StringBuilder(inner.length());
    for (int i = 0; i < inner.length(); i++) {
      char c = inner.charAt(i);
      if (c == '\\' && i + 1 < inner.length()) {
        i++;
        c = inner.charAt(i);
      }
      text.append(c);
    }
    return text.toString();
  }

  /** A quoted-string of {@code text}; control characters, which no one can show, are left out. */
  static void appendQuoted(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c >= ' ' && c != 0x7f || c == '\t') {
        out.append(c);
      }
    }
    out.append('"');
  }

  /** With {@code %HH} undone, as UTF-8. */
  static String unescaped(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    byte[] in = bytes(text);
    byte[] out = new byte[in.length];
    int length = 0;
    for (int i = 0; i < in.length; i++) {
      int high = in[i] == '%' && i + 2 < in.length ? Chars.hex(in[i + 1]) : -1;
      int low = high >= 0 ? Chars.hex(in[i + 2]) : -1;
      if (low >= 0) {
        out[length++] = (byte) (high << 4 | low);
        i += 2;
      } else {
        out[length++] = in[i];
      }
    }
    return utf8(out, 0, length);
  }

  /** With what is not of the class written as {@code %HH}. */
  static String escaped(String text, int flags) {
    if (Chars.all(text, flags)) {
      return text;
    }
    var out = new StringBuilder(text.length() + 16);
    for (byte octet : bytes(text)) {
      if (octet >= 0 && Chars.is(octet, flags)) {
        out.append((char) octet);
      } else {
        out.append('%')
            .append(Character.toUpperCase(Character.forDigit(octet >> 4 & 15, 16)))
            .append(Character.toUpperCase(Character.forDigit(octet & 15, 16)));
      }
    }
    return out.toString();
  }

  /** Whether this is one quoted-string without line ends. */
  static boolean isQuoted(String text) {
    if (text.length() < 2 || text.charAt(0) != '"' || text.indexOf('\r') >= 0) {
      return false;
    }
    byte[] octets = bytes(text);
    return text.indexOf('\n') < 0 && Chars.quoted(octets, 0, octets.length) == octets.length;
  }

  /** Whether there is a control character, line ends included. */
  static boolean hasControl(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' && c != '\t' || c == 0x7f) {
        return true;
      }
    }
    return false;
  }
}
