package io.sippbx.control.sip.transport;

import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the address of this host that peers are told when a listener is bound to all addresses and
 * the configuration names none.
 *
 * <p>It is the source address of the default route; without one, the first address of an interface
 * that is up and that other hosts can use; on a host with nothing but loopback, the loopback
 * address. Behind address translation that is not the address that peers see: then it must be
 * configured.
 */
public final class AdvertisedAddresses {

  /** Addresses that stand for "anywhere else" (RFC 5737, RFC 3849). Nothing is sent there. */
  private static final IpAddress ANYWHERE_V4 = IpAddress.of("192.0.2.1");

  private static final IpAddress ANYWHERE_V6 = IpAddress.of("2001:db8::1");
  private static final int DISCARD_PORT = 9;

  private AdvertisedAddresses() {}

  /** The address of this host, if it has one of that family. */
  public static Optional<IpAddress> find(boolean v6) {
    return choose(v6, routeSource(v6), interfaceAddresses());
  }

  static Optional<IpAddress> choose(
      boolean v6, Optional<IpAddress> routeSource, List<IpAddress> ofInterfaces) {
    if (routeSource.isPresent() && isUsable(routeSource.get(), v6)) {
      return routeSource;
    }
    for (IpAddress ip : ofInterfaces) {
      if (isUsable(ip, v6)) {
        return Optional.of(ip);
      }
    }
    for (IpAddress ip : ofInterfaces) {
      if (ip.isV6() == v6 && ip.isLoopback()) {
        return Optional.of(ip);
      }
    }
    return Optional.empty();
  }

  private static boolean isUsable(IpAddress ip, boolean v6) {
    InetAddress address = NettyLoops.inetAddress(ip);
    return ip.isV6() == v6
        && !ip.isLoopback()
        && !ip.isUnspecified()
        && !address.isLinkLocalAddress()
        && !address.isMulticastAddress();
  }

  private static Optional<IpAddress> routeSource(boolean v6) {
    // Connecting a UDP socket asks for the route and sends nothing.
    try (DatagramChannel channel =
        DatagramChannel.open(v6 ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET)) {
      channel.connect(
          new InetSocketAddress(
              NettyLoops.inetAddress(v6 ? ANYWHERE_V6 : ANYWHERE_V4), DISCARD_PORT));
      return channel.getLocalAddress() instanceof InetSocketAddress local
          ? Optional.of(NettyLoops.endpoint(local).ip())
          : Optional.empty();
    } catch (IOException | UnsupportedOperationException e) {
      return Optional.empty();
    }
  }

  private static List<IpAddress> interfaceAddresses() {
    var addresses = new ArrayList<IpAddress>();
    try {
      for (NetworkInterface each : NetworkInterface.networkInterfaces().toList()) {
        if (each.isUp()) {
          each.inetAddresses().forEach(ip -> addresses.add(IpAddress.ofOctets(ip.getAddress())));
        }
      }
    } catch (SocketException e) {
      // No interfaces to be seen is no address found.
      return List.copyOf(addresses);
    }
    return List.copyOf(addresses);
  }
}
