package io.sippbx.control.sip.message;

/**
 * Which grammar a known header has: the checks that run in the parser's pass and in the builders,
 * so that the views made later cannot fail.
 */
final class HeaderSyntax {

  private static final int VIA = HeaderName.VIA.id();
  private static final int FROM = HeaderName.FROM.id();
  private static final int TO = HeaderName.TO.id();
  private static final int CALL_ID = HeaderName.CALL_ID.id();
  private static final int CSEQ = HeaderName.CSEQ.id();
  private static final int CONTACT = HeaderName.CONTACT.id();
  private static final int ROUTE = HeaderName.ROUTE.id();
  private static final int SERVICE_ROUTE = HeaderName.SERVICE_ROUTE.id();
  private static final int MAX_FORWARDS = HeaderName.MAX_FORWARDS.id();
  private static final int EXPIRES = HeaderName.EXPIRES.id();
  private static final int MIN_EXPIRES = HeaderName.MIN_EXPIRES.id();
  private static final int CONTENT_LENGTH = HeaderName.CONTENT_LENGTH.id();
  private static final int CONTENT_TYPE = HeaderName.CONTENT_TYPE.id();
  private static final int REQUIRE = HeaderName.REQUIRE.id();

  /** One more than the last id with a grammar. */
  static final int TYPED = HeaderName.ALLOW.id() + 1;

  private HeaderSyntax() {}

  /**
   * Checks a value without white space around it; the number of values that it holds, or {@code
   * ~index} of what is wrong. What has no grammar here is one value.
   */
  static int check(int id, byte[] b, int start, int end, Spans s) {
    if (id >= TYPED) {
      return 1;
    }
    if (id == VIA) {
      return vias(b, start, end, s);
    }
    if (id == FROM || id == TO) {
      int i = NameAddrSyntax.scan(b, start, end, false, s);
      return i == end ? 1 : i < 0 ? i : ~i;
    }
    if (id == CALL_ID) {
      int i = Chars.skip(b, start, end, Chars.VISIBLE);
      return i == end && i > start ? 1 : ~i;
    }
    if (id == CSEQ) {
      return cSeq(b, start, end, s);
    }
    if (id == CONTACT) {
      return end - start == 1 && b[start] == '*' ? 1 : nameAddrs(b, start, end, false, s);
    }
    if (id >= ROUTE && id <= SERVICE_ROUTE) {
      return nameAddrs(b, start, end, true, s);
    }
    if (id == CONTENT_TYPE) {
      return mediaType(b, start, end, s);
    }
    if (id >= REQUIRE) {
      return tokens(b, start, end);
    }
    if (id == EXPIRES || id == MIN_EXPIRES) {
      return Chars.seconds(b, start, end) < 0 ? ~start : 1;
    }
    return Chars.number(b, start, end, greatest(id)) < 0 ? ~start : 1;
  }

  private static long greatest(int id) {
    return id == MAX_FORWARDS ? 255 : Integer.MAX_VALUE;
  }

  static Fault faultOf(int id) {
    if (id == VIA) {
      return Fault.BAD_VIA;
    }
    if (id == FROM) {
      return Fault.BAD_FROM;
    }
    if (id == TO) {
      return Fault.BAD_TO;
    }
    if (id == CALL_ID) {
      return Fault.BAD_CALL_ID;
    }
    if (id == CSEQ) {
      return Fault.BAD_CSEQ;
    }
    if (id == CONTACT) {
      return Fault.BAD_CONTACT;
    }
    if (id >= ROUTE && id <= SERVICE_ROUTE) {
      return Fault.BAD_ROUTE;
    }
    if (id == MAX_FORWARDS) {
      return Fault.BAD_MAX_FORWARDS;
    }
    if (id == EXPIRES || id == MIN_EXPIRES) {
      return Fault.BAD_EXPIRES;
    }
    if (id == CONTENT_LENGTH) {
      return Fault.BAD_CONTENT_LENGTH;
    }
    return id == CONTENT_TYPE ? Fault.BAD_CONTENT_TYPE : Fault.HEADER_VALUE;
  }

  private static int vias(byte[] b, int start, int end, Spans s) {
    int values = 0;
    int i = start;
    while (true) {
      i = NameAddrSyntax.scanVia(b, i, end, s);
      if (i < 0) {
        return i;
      }
      values++;
      if (i == end) {
        return values;
      }
      i++;
    }
  }

  private static int nameAddrs(byte[] b, int start, int end, boolean brackets, Spans s) {
    int values = 0;
    int i = start;
    while (true) {
      i = NameAddrSyntax.scan(b, i, end, brackets, s);
      if (i < 0) {
        return i;
      }
      values++;
      if (i == end) {
        return values;
      }
      i++;
    }
  }

  /** Number and method; they are left in the spans as URI and name. */
  static int cSeq(byte[] b, int start, int end, Spans s) {
    int i = start;
    while (i < end && Chars.isDigit(b[i])) {
      i++;
    }
    if (Chars.number(b, start, i, CSeq.MAX_NUMBER) < 0) {
      return ~start;
    }
    s.uriStart = start;
    s.uriEnd = i;
    s.nameStart = Chars.skipWs(b, i, end);
    s.nameEnd = Chars.skip(b, s.nameStart, end, Chars.TOKEN);
    return s.nameStart > i && s.nameEnd > s.nameStart && s.nameEnd == end ? 1 : ~i;
  }

  private static int mediaType(byte[] b, int start, int end, Spans s) {
    int i = Chars.skip(b, start, end, Chars.TOKEN);
    int slash = Chars.skipWs(b, i, end);
    if (i == start || slash >= end || b[slash] != '/') {
      return ~slash;
    }
    int subtype = Chars.skipWs(b, slash + 1, end);
    i = Chars.skip(b, subtype, end, Chars.TOKEN);
    if (i == subtype) {
      return ~i;
    }
    i = NameAddrSyntax.params(b, i, end, s);
    return i == end ? 1 : i < 0 ? i : ~i;
  }

  /** Tokens parted by commas; none at all is a list too (Supported, Allow). */
  private static int tokens(byte[] b, int start, int end) {
    if (start == end) {
      return 0;
    }
    int values = 0;
    int i = start;
    while (true) {
      i = Chars.skipWs(b, i, end);
      int token = i;
      i = Chars.skipWs(b, Chars.skip(b, i, end, Chars.TOKEN), end);
      if (i == token) {
        return ~i;
      }
      values++;
      if (i == end) {
        return values;
      }
      if (b[i] != ',') {
        return ~i;
      }
      i++;
    }
  }
}
