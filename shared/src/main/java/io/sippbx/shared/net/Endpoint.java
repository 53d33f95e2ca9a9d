package io.sippbx.shared.net;

import java.util.Optional;

/**
 * An IP address and a port.
 *
 * @param port 0 to 65535; 0 where the port does not matter or is not known yet
 */
public record Endpoint(IpAddress ip, int port) {

  /** Refuses a port out of range. */
  public Endpoint {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("Expected a port from 0 to 65535, but got " + port);
    }
  }

  /** The endpoint of an IP literal and a port. */
  public static Endpoint of(String ip, int port) {
    return new Endpoint(IpAddress.of(ip), port);
  }

  /** What {@link #toString} wrote, if it is that. */
  public static Optional<Endpoint> parse(String text) {
    int colon = text.lastIndexOf(':');
    String port = text.substring(colon + 1);
    if (colon < 0
        || port.isEmpty()
        || port.length() > 5
        || !port.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return Optional.empty();
    }
    String host = text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    int number = Integer.parseInt(port);
    return IpAddress.parse(bracketed ? host.substring(1, host.length() - 1) : host)
        .filter(ip -> ip.isV6() == bracketed && number <= 65_535)
        .map(ip -> new Endpoint(ip, number));
  }

  /** The same address with another port. */
  public Endpoint withPort(int otherPort) {
    return new Endpoint(ip, otherPort);
  }

  /** {@code 192.0.2.1:5060} or {@code [2001:db8::1]:5060}. */
  @Override
  public String toString() {
    return ip.uriText() + ":" + port;
  }
}
