package io.sippbx.control.sip.message;

import io.sippbx.shared.net.IpAddress;
import java.util.Optional;

/** The grammar of IPv6 literals over octets, so that a check makes no objects (RFC 3986 3.2.2). */
final class IpSyntax {

  private IpSyntax() {}

  /**
   * Whether the whole span, without brackets, is an IPv6 address. Three colons before an IPv4 part
   * count as two: an error in the grammar of RFC 3261 that must be borne (RFC 5118 4.10).
   */
  static boolean isV6(byte[] b, int start, int end) {
    int groups = 0;
    boolean gap = false;
    int i = start;
    if (end - start >= 2 && b[i] == ':' && b[i + 1] == ':') {
      gap = true;
      i += 2;
      i += isThirdColon(b, i, end) ? 1 : 0;
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
        i += isThirdColon(b, i, end) ? 1 : 0;
      }
    }
    return gap ? groups <= 7 : groups == 8;
  }

  private static boolean isThirdColon(byte[] b, int i, int end) {
    return i < end && b[i] == ':' && isV4(b, i + 1, end);
  }

  /** The address of a host as it stands in a URI or a Via, if it is one. */
  static Optional<IpAddress> address(String host) {
    boolean threeColons = host.startsWith("[") && host.contains(":::");
    return IpAddress.parse(threeColons ? host.replace(":::", "::") : host);
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
