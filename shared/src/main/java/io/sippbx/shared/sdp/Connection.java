package io.sippbx.shared.sdp;

import io.sippbx.shared.net.IpAddress;
import java.util.Locale;
import java.util.Optional;

/**
 * Where media shall be sent ({@code c=}).
 *
 * @param networkType "IN"
 * @param addressType "IP4" or "IP6"
 * @param address an address or a name, without TTL and count of addresses
 * @param ip the address, where {@code address} is a literal
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-5.7">RFC 8866 5.7</a>
 */
public record Connection(
    String networkType, String addressType, String address, Optional<IpAddress> ip) {

  /** The connection of a unicast address. */
  public static Connection of(IpAddress ip) {
    return new Connection("IN", ip.isV6() ? "IP6" : "IP4", ip.toString(), Optional.of(ip));
  }

  /** The value of a "c=" line, if it is one. */
  static Optional<Connection> parse(String value) {
    String[] fields = Fields.split(value);
    return fields.length == 3 ? Optional.of(of(fields, 0)) : Optional.empty();
  }

  static Connection of(String[] fields, int from) {
    String address = fields[from + 2];
    int slash = address.indexOf('/');
    if (slash >= 0) {
      address = address.substring(0, slash);
    }
    return new Connection(fields[from], fields[from + 1], address, IpAddress.parse(address));
  }

  /**
   * Whether nothing shall be sent: the unspecified address, which is how RFC 2543 said "hold", or a
   * name under ".invalid", which says so for IPv6.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-8.4">RFC 3264 8.4</a>
   * @see <a href="https://www.rfc-editor.org/rfc/rfc6337#section-5.3">RFC 6337 5.3</a>
   */
  public boolean isHold() {
    return ip.map(IpAddress::isUnspecified)
        .orElseGet(() -> address.toLowerCase(Locale.ROOT).endsWith(".invalid"));
  }

  /** 224.0.0.0/4 or ff00::/8. */
  public boolean isMulticast() {
    if (ip.isEmpty()) {
      return false;
    }
    int first = ip.get().octets()[0] & 255;
    return ip.get().isV6() ? first == 0xff : first >= 224 && first <= 239;
  }

  /** Whether it is of the Internet: another network cannot be relayed to. */
  public boolean isInternet() {
    return networkType.equalsIgnoreCase("IN");
  }

  /** The three fields as they stand in a line. */
  String text() {
    return networkType + " " + addressType + " " + address;
  }

  /** The line. */
  public SdpLine line() {
    return new SdpLine('c', text());
  }
}
