package io.sippbx.control.sip.message;

import java.util.Locale;
import java.util.Optional;

/**
 * How SIP travels.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18">RFC 3261 18</a>, RFC 7118
 */
public enum TransportProtocol {
  UDP(false, false, 5060),
  TCP(true, false, 5060),
  TLS(true, true, 5061),
  WS(true, false, 80),
  WSS(true, true, 443);

  private final boolean reliable;
  private final boolean secure;
  private final int defaultPort;

  TransportProtocol(boolean reliable, boolean secure, int defaultPort) {
    this.reliable = reliable;
    this.secure = secure;
    this.defaultPort = defaultPort;
  }

  /** Whether the transport itself sends again what was lost. */
  public boolean isReliable() {
    return reliable;
  }

  /** Whether it is encrypted. */
  public boolean isSecure() {
    return secure;
  }

  /** The port where a URI or a Via names none. */
  public int defaultPort() {
    return defaultPort;
  }

  /**
   * The protocol of a Via's or a transport parameter's token, in any case, if it is one of ours.
   */
  public static Optional<TransportProtocol> of(String token) {
    for (TransportProtocol protocol : values()) {
      if (protocol.name().equalsIgnoreCase(token)) {
        return Optional.of(protocol);
      }
    }
    return Optional.empty();
  }

  /** As the value of a URI's transport parameter. */
  public String uriParameter() {
    return name().toLowerCase(Locale.ROOT);
  }
}
