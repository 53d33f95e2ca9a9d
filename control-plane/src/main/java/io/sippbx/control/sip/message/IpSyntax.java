package io.sippbx.control.sip.message;

/** The grammar of IPv6 literals over octets, so that a check makes no objects (RFC 3986 3.2.2). */
final class IpSyntax {

  private IpSyntax() {}

  /** Whether the whole span, without brackets, is an IPv6 address. */
  static boolean isV6(byte[] b, int start, int end) {
    int groups = 0;
    boolean gap = false;
    int i = start;
    if (end - start >= 2 && b[i] == ':' && b[i + 1] == ':') {
      gap = true;
      i += 2;
    }
    while (i < end) {
      int group = i;
      while (i < end && i - group < 5 && Chars.hex(b[i]) >= 0) {
        i++;
      }
      if (i < end && b[i] == '.') {
        groups += 2;
        return isV4(b, group, end) && (gap ? groups <= 7 : groups == 8);
      }
      if (i == group || i - group > 4) {
        return false;
      }
      groups++;
      if (i == end) {
        break;
      }
      if (b[i] != ':' || i + 1 == end) {
        return false;
      }
      i++;
      if (b[i] == ':') {
        if (gap) {
          return false;
        }
        gap = true;
        i++;
      }
    }
    return gap ? groups <= 7 : groups == 8;
  }

  /** Whether the whole span is a dotted quad without leading zeros. */
  static boolean isV4(byte[] b, int start, int end) {
    int i = start;
    for (int part = 0; part < 4; part++) {
      int digits = i;
      while (i < end && i - digits < 4 && Chars.isDigit(b[i])) {
        i++;
      }
      long value = Chars.number(b, digits, i, 255);
      if (value < 0 || i - digits > 1 && b[digits] == '0') {
        return false;
      }
      if (part < 3) {
        if (i >= end || b[i] != '.') {
          return false;
        }
        i++;
      }
    }
    return i == end;
  }
}
