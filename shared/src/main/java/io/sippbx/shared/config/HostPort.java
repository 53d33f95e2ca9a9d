package io.sippbx.shared.config;

/**
 * A host name or IP literal (without brackets) and a port, not resolved.
 *
 * @param port 0 to 65535; 0 only where a free port may be bound
 */
public record HostPort(String host, int port) {

  /** {@code media-1:9900} or {@code [2001:db8::1]:9900}. */
  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
