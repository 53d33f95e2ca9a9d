package io.sippbx.control.sip.locate;

import io.sippbx.shared.net.IpAddress;

/** IPv4 or IPv6. */
public enum AddressFamily {
  /** IPv4. */
  V4,
  /** IPv6. */
  V6;

  static AddressFamily of(IpAddress ip) {
    return ip.isV6() ? V6 : V4;
  }

  Dns.Kind kind() {
    return switch (this) {
      case V4 -> Dns.Kind.A;
      case V6 -> Dns.Kind.AAAA;
    };
  }

  IpAddress loopback() {
    return switch (this) {
      case V4 -> IpAddress.of("127.0.0.1");
      case V6 -> IpAddress.of("::1");
    };
  }
}
