package io.sippbx.shared.net;

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
