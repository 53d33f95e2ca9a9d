package io.sippbx.shared.net;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An IPv4 or IPv6 address. Immutable; equal when the octets are equal.
 *
 * <p>Made from a literal only: a name never gets here. An IPv4-mapped IPv6 address ({@code
 * ::ffff:a.b.c.d}) becomes the IPv4 address, so that a peer has one identity on dual-stack sockets.
 * Scope identifiers ({@code %eth0}) are not taken.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc4291#section-2.2">RFC 4291 2.2</a>
 */
public final class IpAddress {

  private static final int V4_BYTES = 4;
  private static final int V6_BYTES = 16;
  private static final int V6_GROUPS = 8;

  private final byte[] octets;

  // A race makes the same text twice.
  private @Nullable String text;

  private IpAddress(byte[] octets) {
    this.octets = octets;
  }

  /**
   * The address of a literal.
   *
   * @throws IllegalArgumentException if {@code literal} is no IP address
   */
  public static IpAddress of(String literal) {
    return parse(literal)
        .orElseThrow(
            () -> new IllegalArgumentException("Expected an IP address, but got " + literal));
  }

  /** The address of a literal, with or without the brackets of a URI, if it is one. */
  public static Optional<IpAddress> parse(String literal) {
    int length = literal.length();
    if (length > 2 && literal.charAt(0) == '[' && literal.charAt(length - 1) == ']') {
      return Optional.ofNullable(v6(literal.substring(1, length - 1)));
    }
    byte[] octets = literal.indexOf(':') >= 0 ? v6Octets(literal) : v4Octets(literal);
    return octets == null ? Optional.empty() : Optional.of(ofOwned(octets));
  }

  /**
   * The address of 4 or 16 octets, which are copied.
   *
   * @throws IllegalArgumentException for another length
   */
  public static IpAddress ofOctets(byte[] octets) {
    if (octets.length != V4_BYTES && octets.length != V6_BYTES) {
      throw new IllegalArgumentException("Expected 4 or 16 octets, but got " + octets.length);
    }
    return ofOwned(octets.clone());
  }

  private static IpAddress ofOwned(byte[] octets) {
    if (octets.length == V6_BYTES && isV4Mapped(octets)) {
      return new IpAddress(Arrays.copyOfRange(octets, V6_BYTES - V4_BYTES, V6_BYTES));
    }
    return new IpAddress(octets);
  }

  /** Whether this is an IPv6 address (and not an IPv4-mapped one). */
  public boolean isV6() {
    return octets.length == V6_BYTES;
  }

  /** 4 or 16 octets in network order; a copy. */
  public byte[] octets() {
    return octets.clone();
  }

  /** 127.0.0.0/8 or ::1. */
  public boolean isLoopback() {
    if (!isV6()) {
      return octets[0] == 127;
    }
    for (int i = 0; i < V6_BYTES - 1; i++) {
      if (octets[i] != 0) {
        return false;
      }
    }
    return octets[V6_BYTES - 1] == 1;
  }

  /** 0.0.0.0 or ::. */
  public boolean isUnspecified() {
    for (byte octet : octets) {
      if (octet != 0) {
        return false;
      }
    }
    return true;
  }

  /** As it stands in a URI or a Via: an IPv6 address in brackets. */
  public String uriText() {
    return isV6() ? "[" + this + "]" : toString();
  }

  /** The literal; IPv6 in the form of RFC 5952, without brackets. */
  @Override
  public String toString() {
    String made = text;
    if (made == null) {
      made = isV6() ? v6Text(octets) : v4Text(octets, 0);
      text = made;
    }
    return made;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpAddress that && Arrays.equals(octets, that.octets);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(octets);
  }

  private static boolean isV4Mapped(byte[] octets) {
    for (int i = 0; i < 10; i++) {
      if (octets[i] != 0) {
        return false;
      }
    }
    return octets[10] == (byte) 0xff && octets[11] == (byte) 0xff;
  }

  private static @Nullable IpAddress v6(String literal) {
    byte[] octets = v6Octets(literal);
    return octets == null ? null : ofOwned(octets);
  }

  private static byte @Nullable [] v4Octets(String literal) {
    byte[] octets = new byte[V4_BYTES];
    int index = 0;
    int value = -1;
    for (int i = 0; i <= literal.length(); i++) {
      char c = i < literal.length() ? literal.charAt(i) : '.';
      if (c == '.') {
        if (value < 0 || index == V4_BYTES) {
          return null;
        }
        octets[index++] = (byte) value;
        value = -1;
      } else if (c >= '0' && c <= '9') {
        // A leading zero is refused: some read it as octal (RFC 6943 3.1.1).
        if (value == 0) {
          return null;
        }
        value = (value < 0 ? 0 : value * 10) + (c - '0');
        if (value > 255) {
          return null;
        }
      } else {
        return null;
      }
    }
    return index == V4_BYTES ? octets : null;
  }

  private static byte @Nullable [] v6Octets(String literal) {
    int gap = literal.indexOf("::");
    if (gap >= 0 && literal.indexOf("::", gap + 1) >= 0) {
      return null;
    }
    byte[] head = groups(gap < 0 ? literal : literal.substring(0, gap), gap < 0);
    byte[] tail = gap < 0 ? new byte[0] : groups(literal.substring(gap + 2), true);
    if (head == null || tail == null) {
      return null;
    }
    int length = head.length + tail.length;
    if (gap < 0 ? length != V6_BYTES : length > V6_BYTES - 2) {
      return null;
    }
    byte[] octets = new byte[V6_BYTES];
    System.arraycopy(head, 0, octets, 0, head.length);
    System.arraycopy(tail, 0, octets, V6_BYTES - tail.length, tail.length);
    return octets;
  }

  /** The octets of groups parted by colons; the last may be a dotted quad when {@code last}. */
  private static byte @Nullable [] groups(String text, boolean last) {
    if (text.isEmpty()) {
      return new byte[0];
    }
    byte[] octets = new byte[V6_BYTES];
    int length = 0;
    int start = 0;
    while (start <= text.length()) {
      int colon = text.indexOf(':', start);
      int end = colon < 0 ? text.length() : colon;
      if (last && colon < 0 && text.indexOf('.', start) >= 0) {
        byte[] quad = v4Octets(text.substring(start, end));
        if (quad == null || length + V4_BYTES > V6_BYTES) {
          return null;
        }
        System.arraycopy(quad, 0, octets, length, V4_BYTES);
        return Arrays.copyOf(octets, length + V4_BYTES);
      }
      int value = hexGroup(text, start, end);
      if (value < 0 || length + 2 > V6_BYTES) {
        return null;
      }
      octets[length++] = (byte) (value >>> 8);
      octets[length++] = (byte) value;
      if (colon < 0) {
        break;
      }
      start = end + 1;
    }
    return Arrays.copyOf(octets, length);
  }

  private static int hexGroup(String text, int start, int end) {
    if (end == start || end - start > 4) {
      return -1;
    }
    int value = 0;
    for (int i = start; i < end; i++) {
      int digit = text.charAt(i) < 128 ? Character.digit(text.charAt(i), 16) : -1;
      if (digit < 0) {
        return -1;
      }
      value = value << 4 | digit;
    }
    return value;
  }

  private static String v4Text(byte[] octets, int from) {
    return (octets[from] & 255)
        + "."
        + (octets[from + 1] & 255)
        + "."
        + (octets[from + 2] & 255)
        + "."
        + (octets[from + 3] & 255);
  }

  /** RFC 5952: lower case, no leading zeros, the first longest run of zero groups as "::". */
  private static String v6Text(byte[] octets) {
    int[] groups = new int[V6_GROUPS];
    for (int i = 0; i < V6_GROUPS; i++) {
      groups[i] = (octets[2 * i] & 255) << 8 | (octets[2 * i + 1] & 255);
    }
    int bestStart = -1;
    int bestLength = 1;
    int start = 0;
    while (start < V6_GROUPS) {
      int end = start;
      while (end < V6_GROUPS && groups[end] == 0) {
        end++;
      }
      if (end - start > bestLength) {
        bestStart = start;
        bestLength = end - start;
      }
      start = end == start ? start + 1 : end;
    }
    var text = new StringBuilder(39);
    for (int i = 0; i < V6_GROUPS; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
        continue;
      }
      if (i > 0 && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }
}
