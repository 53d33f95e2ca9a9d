package io.sippbx.benchmarks.phone;

import java.net.Inet6Address;
import java.net.InetSocketAddress;

/** An address as SIP writes it. */
record Address(String ip, int port, boolean isV6) {

  static Address of(InetSocketAddress address) {
    String ip = address.getAddress().getHostAddress();
    int zone = ip.indexOf('%');
    return new Address(
        zone < 0 ? ip : ip.substring(0, zone),
        address.getPort(),
        address.getAddress() instanceof Inet6Address);
  }

  /** The host as it stands in a URI. */
  String host() {
    return isV6 ? "[" + ip + "]" : ip;
  }

  @Override
  public String toString() {
    return host() + ":" + port;
  }
}
