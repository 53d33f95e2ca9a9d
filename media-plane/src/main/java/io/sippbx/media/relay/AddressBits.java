package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.nio.ByteBuffer;

/**
 * IP addresses as two longs, for the packet path: the 128 bits of an IPv6 address in network order,
 * an IPv4 address as its IPv4-mapped one ({@code ::ffff:a.b.c.d}).
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2">RFC 4291 2.5.5.2</a>
 */
public final class AddressBits {

  /** The upper half of every IPv4 address. */
  public static final long V4_HIGH = 0;

  private static final long V4_PREFIX = 0xffff_0000_0000L;

  private AddressBits() {}

  /** The lower half of an IPv4 address of 32 bits. */
  public static long v4Low(int address) {
    return V4_PREFIX | address & 0xffff_ffffL;
  }

  /** Whether these are the bits of an IPv4 address; then the lower 32 of {@code low} are it. */
  public static boolean isV4(long high, long low) {
    return high == V4_HIGH && (low & ~0xffff_ffffL) == V4_PREFIX;
  }

  /** Whether these are the bits of 0.0.0.0 or of ::. */
  public static boolean isUnspecified(long high, long low) {
    return high == 0 && (low == 0 || low == V4_PREFIX);
  }

  /** The upper half of an address. */
  public static long high(IpAddress ip) {
    return ip.isV6() ? ByteBuffer.wrap(ip.octets()).getLong(0) : V4_HIGH;
  }

  /** The lower half of an address. */
  public static long low(IpAddress ip) {
    var octets = ByteBuffer.wrap(ip.octets());
    return ip.isV6() ? octets.getLong(8) : v4Low(octets.getInt(0));
  }

  /** The 4 or 16 octets of an address. */
  public static byte[] octets(long high, long low) {
    return isV4(high, low)
        ? ByteBuffer.allocate(4).putInt((int) low).array()
        : ByteBuffer.allocate(16).putLong(high).putLong(low).array();
  }

  /** The endpoint of these bits. */
  public static Endpoint endpoint(long high, long low, int port) {
    return new Endpoint(IpAddress.ofOctets(octets(high, low)), port);
  }
}
