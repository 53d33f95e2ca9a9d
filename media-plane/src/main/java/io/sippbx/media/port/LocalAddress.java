package io.sippbx.media.port;

import io.sippbx.shared.net.IpAddress;

/**
 * An address of the node on which media is received.
 *
 * @param bind what sockets are bound to; may be unspecified (0.0.0.0, ::)
 * @param advertised what the ends are told, of the same IP version; never unspecified
 */
public record LocalAddress(IpAddress bind, IpAddress advertised) {

  /** Refuses two IP versions and an address that nobody could send to. */
  public LocalAddress {
    if (bind.isV6() != advertised.isV6()) {
      throw new IllegalArgumentException(
          "Expected addresses of one IP version, but got " + bind + " and " + advertised);
    }
    if (advertised.isUnspecified()) {
      throw new IllegalArgumentException(
          "Expected an address that media can be sent to, but got " + advertised);
    }
  }

  /** An address that is told as it is bound. */
  public static LocalAddress of(IpAddress address) {
    return new LocalAddress(address, address);
  }

  /** Whether it is an IPv6 address. */
  public boolean isV6() {
    return bind.isV6();
  }
}
