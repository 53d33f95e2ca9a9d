package io.sippbx.event.webhook.http;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;

/**
 * Which addresses are of the public Internet. What is not may be a machine that trusts this one
 * because of where it is.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6890">RFC 6890</a>
 */
final class ReceiverAddress {

  private ReceiverAddress() {}

  /** What kind of address it is, if it is not a public one. */
  static Optional<String> notPublic(InetAddress address) {
    return switch (address) {
      case Inet4Address v4 -> notPublic(v4.getAddress());
      case Inet6Address v6 -> notPublicV6(v6);
      default -> Optional.of("unknown");
    };
  }

  private static Optional<String> notPublic(byte[] v4) {
    int a = v4[0] & 0xff;
    int b = v4[1] & 0xff;
    int c = v4[2] & 0xff;
    if (a == 127) {
      return Optional.of("loopback");
    }
    if (a == 10 || a == 172 && b >= 16 && b < 32 || a == 192 && b == 168) {
      return Optional.of("private");
    }
    if (a == 169 && b == 254) {
      return Optional.of("link-local");
    }
    if (a == 100 && b >= 64 && b < 128) {
      return Optional.of("shared address space");
    }
    if (a >= 224 && a < 240) {
      return Optional.of("multicast");
    }
    boolean special =
        a == 0
            || a >= 240
            || a == 192 && b == 0 && (c == 0 || c == 2)
            || a == 192 && b == 88 && c == 99
            || a == 198 && (b == 18 || b == 19 || b == 51 && c == 100)
            || a == 203 && b == 0 && c == 113;
    return special ? Optional.of("reserved") : Optional.empty();
  }

  private static Optional<String> notPublicV6(Inet6Address address) {
    byte[] v6 = address.getAddress();
    int a = v6[0] & 0xff;
    int b = v6[1] & 0xff;
    if (address.isLoopbackAddress()) {
      return Optional.of("loopback");
    }
    if ((a & 0xfe) == 0xfc) {
      return Optional.of("unique local");
    }
    if (a == 0xfe && (b & 0xc0) == 0x80) {
      return Optional.of("link-local");
    }
    if (a == 0xff) {
      return Optional.of("multicast");
    }
    // Ways to an IPv4 address: mapped (RFC 4291 2.5.5), translated (RFC 6052 2.1), 6to4 (RFC 3056).
    if (isZero(v6, 0, 10) && v6[10] == (byte) 0xff && v6[11] == (byte) 0xff
        || startsWith(v6, 0x00, 0x64, 0xff, 0x9b) && isZero(v6, 4, 12)) {
      return notPublic(Arrays.copyOfRange(v6, 12, 16));
    }
    if (a == 0x20 && b == 0x02) {
      return notPublic(Arrays.copyOfRange(v6, 2, 6));
    }
    boolean special =
        isZero(v6, 0, 12)
            || (a & 0xe0) != 0x20
            // RFC 6890: 2001::/23 but for what was given out of it; RFC 3849: documentation.
            || startsWith(v6, 0x20, 0x01, 0x00, 0x00)
            || startsWith(v6, 0x20, 0x01, 0x0d, 0xb8)
            || a == 0x3f && (b & 0xf0) == 0xf0;
    return special ? Optional.of("reserved") : Optional.empty();
  }

  private static boolean isZero(byte[] octets, int from, int to) {
    for (int i = from; i < to; i++) {
      if (octets[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean startsWith(byte[] octets, int... start) {
    for (int i = 0; i < start.length; i++) {
      if ((octets[i] & 0xff) != start[i]) {
        return false;
      }
    }
    return true;
  }

  /** The address that a host name is, if it is one; nothing is resolved. */
  static Optional<InetAddress> literal(String host) {
    try {
      String bare =
          host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
      return Optional.of(InetAddress.ofLiteral(bare));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** What is said of a host whose address is refused. */
  static String refusal(String host, String kind) {
    return host
        + " is at a "
        + kind
        + " address, and events.webhook_private_receivers is false: nothing is sent there";
  }
}
