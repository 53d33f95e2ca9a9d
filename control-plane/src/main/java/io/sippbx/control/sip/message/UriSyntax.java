package io.sippbx.control.sip.message;

import java.util.ArrayList;
import java.util.List;

/**
 * The grammar of URIs over octets: checks and views from one scan.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-25.1">RFC 3261 19.1.1, 25.1</a>, RFC
 *     3966 3
 */
final class UriSyntax {

  private UriSyntax() {}

  /** Checks that the whole span is a URI; {@code end}, or {@code ~index} of what is wrong. */
  static int scan(byte[] b, int start, int end, Spans s) {
    int i = start;
    if (i < end && !Chars.isAlpha(b[i])) {
      return ~i;
    }
    while (i < end && (Chars.is(b[i], Chars.TOKEN) && b[i] != '%')) {
      i++;
    }
    if (i == start || i >= end || b[i] != ':') {
      return ~i;
    }
    s.schemeEnd = i;
    s.uriParamsEnd = end;
    s.headersEnd = end;
    if (isSip(b, start, i) || isSips(b, start, i)) {
      return sip(b, i + 1, end, s);
    }
    if (isTel(b, start, i)) {
      return tel(b, i + 1, end, s);
    }
    return opaque(b, i + 1, end);
  }

  static Uri view(byte[] b, int start, int end) {
    var s = new Spans();
    if (scan(b, start, end, s) < 0) {
      throw new IllegalArgumentException("Expected a URI, but got " + Text.utf8(b, start, end));
    }
    if (isTel(b, start, s.schemeEnd)) {
      return new TelUri(
          Text.ascii(b, s.hostStart, s.hostEnd), params(b, s.hostEnd, s.uriParamsEnd, ';'));
    }
    boolean secure = isSips(b, start, s.schemeEnd);
    if (!secure && !isSip(b, start, s.schemeEnd)) {
      return new OtherUri(Text.ascii(b, start, s.schemeEnd), Text.utf8(b, s.schemeEnd + 1, end));
    }
    return SipUri.ofScanned(
        secure,
        s.userEnd < 0 ? null : Text.utf8(b, s.schemeEnd + 1, s.userEnd),
        s.passwordEnd < 0 ? null : Text.utf8(b, s.passwordStart, s.passwordEnd),
        Text.ascii(b, s.hostStart, s.hostEnd),
        s.port,
        params(b, s.paramsStart, s.uriParamsEnd, ';'),
        params(b, s.uriParamsEnd, s.headersEnd, '&'));
  }

  private static boolean isSip(byte[] b, int start, int end) {
    return Chars.equalsIgnoreCase(b, start, end, "sip");
  }

  private static boolean isSips(byte[] b, int start, int end) {
    return Chars.equalsIgnoreCase(b, start, end, "sips");
  }

  private static boolean isTel(byte[] b, int start, int end) {
    return Chars.equalsIgnoreCase(b, start, end, "tel");
  }

  /** {@code [user[:password]@]host[:port]*(;param)[?headers]}. */
  private static int sip(byte[] b, int start, int end, Spans s) {
    s.userEnd = -1;
    s.passwordEnd = -1;
    int at = start;
    while (at < end && b[at] != '@') {
      at++;
    }
    int i = start;
    if (at < end) {
      i = Chars.skipEscaped(b, start, at, Chars.USER);
      if (i < 0) {
        return i;
      }
      if (i == start) {
        return ~i;
      }
      s.userEnd = i;
      if (i < at && b[i] == ':') {
        s.passwordStart = i + 1;
        i = Chars.skipEscaped(b, i + 1, at, Chars.USER);
        if (i < 0) {
          return i;
        }
        s.passwordEnd = i;
      }
      if (i != at) {
        return ~i;
      }
      i = at + 1;
    }
    i = hostPort(b, i, end, s, false);
    if (i < 0) {
      return i;
    }
    s.paramsStart = i;
    i = pairs(b, i, end, ';', Chars.URI_PARAM);
    if (i < 0) {
      return i;
    }
    s.uriParamsEnd = i;
    if (i < end && b[i] == '?') {
      int first = pair(b, i + 1, end, Chars.URI_HEADER, true);
      i = first < 0 ? first : pairs(b, first, end, '&', Chars.URI_HEADER);
      if (i < 0) {
        return i;
      }
    }
    s.headersEnd = i;
    return i == end ? end : ~i;
  }

  /** Pairs, each after a separator, and not more than a look-up by name can bear. */
  private static int pairs(byte[] b, int start, int end, char separator, int flags) {
    int i = start;
    int count = 0;
    while (i >= 0 && i < end && b[i] == separator) {
      i = ++count > NameAddrSyntax.MAX_PARAMS ? ~i : pair(b, i + 1, end, flags, separator == '&');
    }
    return i;
  }

  /** A name and perhaps "=" and a value, which only a header's may be empty. */
  private static int pair(byte[] b, int start, int end, int flags, boolean mayBeEmpty) {
    int i = Chars.skipEscaped(b, start, end, flags);
    if (i < 0 || i == start) {
      return i < 0 ? i : ~i;
    }
    if (i < end && b[i] == '=') {
      int value = i + 1;
      i = Chars.skipEscaped(b, value, end, flags);
      if (i == value && !mayBeEmpty) {
        return ~i;
      }
    } else if (mayBeEmpty) {
      return ~i;
    }
    return i;
  }

  /**
   * A host and perhaps a port; the index after them. In a Via there may be white space around the
   * colon.
   */
  static int hostPort(byte[] b, int start, int end, Spans s, boolean spaces) {
    s.hostStart = start;
    int i;
    if (start < end && b[start] == '[') {
      i = start + 1;
      while (i < end && b[i] != ']' && i - start < 64) {
        i++;
      }
      if (i >= end || b[i] != ']' || !IpSyntax.isV6(b, start + 1, i)) {
        return ~start;
      }
      i++;
    } else {
      i = Chars.skip(b, start, end, Chars.HOST);
      if (i == start || b[start] == '.' || i - start > UriText.MAX_HOST) {
        return ~start;
      }
    }
    s.hostEnd = i;
    s.port = 0;
    int colon = spaces ? Chars.skipWs(b, i, end) : i;
    if (colon < end && b[colon] == ':') {
      int digits = spaces ? Chars.skipWs(b, colon + 1, end) : colon + 1;
      i = digits;
      while (i < end && Chars.isDigit(b[i])) {
        i++;
      }
      long port = Chars.number(b, digits, i, 65_535);
      if (port < 1) {
        return ~digits;
      }
      s.port = (int) port;
    }
    return i;
  }

  /** A number, global or local, and parameters. */
  private static int tel(byte[] b, int start, int end, Spans s) {
    int i = start;
    s.hostStart = start;
    if (i < end && b[i] == '+') {
      i++;
    }
    boolean digits = false;
    while (i < end && (isTelDigit(b[i]) || isSeparator(b[i]))) {
      digits |= isTelDigit(b[i]);
      i++;
    }
    if (!digits) {
      return ~i;
    }
    s.hostEnd = i;
    i = pairs(b, i, end, ';', Chars.URI_PARAM);
    s.uriParamsEnd = i;
    return i == end || i < 0 ? i : ~i;
  }

  private static boolean isTelDigit(byte octet) {
    return Chars.hex(octet) >= 0 || octet == '*' || octet == '#';
  }

  static boolean isSeparator(int octet) {
    return octet == '-' || octet == '.' || octet == '(' || octet == ')';
  }

  private static int opaque(byte[] b, int start, int end) {
    for (int i = start; i < end; i++) {
      if (b[i] >= 0 && !Chars.is(b[i], Chars.VISIBLE)
          || b[i] == '<'
          || b[i] == '>'
          || b[i] == '"') {
        return ~i;
      }
    }
    return start == end ? ~start : end;
  }

  /** Parameters of a span that has been checked, each after one octet of lead or separator. */
  private static Params params(byte[] b, int start, int end, char separator) {
    if (start >= end) {
      return Params.EMPTY;
    }
    List<Params.Param> list = new ArrayList<>(4);
    int i = start;
    while (i < end) {
      int nameStart = i + 1;
      int equals = -1;
      i = nameStart;
      while (i < end && b[i] != separator) {
        if (b[i] == '=' && equals < 0) {
          equals = i;
        }
        i++;
      }
      list.add(
          equals < 0
              ? new Params.Param(Text.ascii(b, nameStart, i), null)
              : new Params.Param(Text.ascii(b, nameStart, equals), Text.ascii(b, equals + 1, i)));
    }
    return Params.ofOwned(list);
  }
}
