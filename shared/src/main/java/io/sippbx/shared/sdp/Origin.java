package io.sippbx.shared.sdp;

import io.sippbx.shared.net.IpAddress;
import java.util.Optional;

/**
 * Who described the session, and in which version ({@code o=}).
 *
 * @param sessionId digits, by the RFC; what a peer sent is not held to it
 * @param sessionVersion digits, by the RFC; what a peer sent is not held to it
 * @param networkType "IN"
 * @param addressType "IP4" or "IP6"
 * @param address an address or a name
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-5.2">RFC 8866 5.2</a>
 */
public record Origin(
    String username,
    String sessionId,
    String sessionVersion,
    String networkType,
    String addressType,
    String address) {

  /**
   * An origin of ours, which names no user.
   *
   * @param sessionId at least 0
   * @param sessionVersion at least 0
   */
  public static Origin of(long sessionId, long sessionVersion, IpAddress address) {
    if (sessionId < 0 || sessionVersion < 0) {
      throw new IllegalArgumentException(
          "Expected a session id and version of at least 0, but got "
              + sessionId
              + " and "
              + sessionVersion);
    }
    return new Origin(
        "-",
        Long.toString(sessionId),
        Long.toString(sessionVersion),
        "IN",
        address.isV6() ? "IP6" : "IP4",
        address.toString());
  }

  /** The value of an "o=" line, if it is one. A user name with spaces is let pass. */
  static Optional<Origin> parse(String value) {
    String[] fields = Fields.split(value);
    int last = fields.length - 1;
    if (last < 5) {
      return Optional.empty();
    }
    String username = fields[0];
    for (int i = 1; i <= last - 5; i++) {
      username += " " + fields[i];
    }
    return Optional.of(
        new Origin(
            username,
            fields[last - 4],
            fields[last - 3],
            fields[last - 2],
            fields[last - 1],
            fields[last]));
  }

  /** The line. */
  public SdpLine line() {
    return new SdpLine(
        'o',
        String.join(" ", username, sessionId, sessionVersion, networkType, addressType, address));
  }
}
