package io.sippbx.control.sip.message;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A SIP or SIPS URI. Immutable. User, password, parameters and headers are kept as they are
 * written, escapes included.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-19.1">RFC 3261 19.1</a>
 */
public final class SipUri implements Uri {

  private final boolean secure;
  private final @Nullable String user;
  private final @Nullable String password;
  private final String host;
  private final int port;
  private final Params params;
  private final Params headers;

  // Made when it is asked for first; a race makes it twice.
  private @Nullable String text;

  private SipUri(
      boolean secure,
      @Nullable String user,
      @Nullable String password,
      String host,
      int port,
      Params params,
      Params headers) {
    this.secure = secure;
    this.user = user;
    this.password = password;
    this.host = host;
    this.port = port;
    this.params = params;
    this.headers = headers;
  }

  /** Of parts that a scan has found good; port 0 for none. */
  static SipUri ofScanned(
      boolean secure,
      @Nullable String user,
      @Nullable String password,
      String host,
      int port,
      Params params,
      Params headers) {
    return new SipUri(secure, user, password, host, port, params, headers);
  }

  /**
   * {@code sip:host}.
   *
   * @param host a name, an IPv4 address, or an IPv6 address in brackets
   */
  public static SipUri of(String host) {
    UriText.checkHost(host);
    return new SipUri(false, null, null, host, 0, Params.EMPTY, Params.EMPTY);
  }

  /** {@code sip:user@host}; characters of {@code user} that need it are escaped. */
  public static SipUri of(String user, String host) {
    return of(host).withUser(user);
  }

  /** {@code sip:ip:port}. */
  public static SipUri of(Endpoint endpoint) {
    SipUri uri = of(endpoint.ip().uriText());
    return endpoint.port() == 0 ? uri : uri.withPort(endpoint.port());
  }

  /** {@code sip:user@ip:port}; characters of {@code user} that need it are escaped. */
  public static SipUri of(String user, Endpoint endpoint) {
    return of(endpoint).withUser(user);
  }

  /** Whether the scheme is sips. */
  public boolean secure() {
    return secure;
  }

  /** The user as it is written. */
  public Optional<String> user() {
    return Optional.ofNullable(user);
  }

  /** The password as it is written. */
  public Optional<String> password() {
    return Optional.ofNullable(password);
  }

  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  public String host() {
    return host;
  }

  /** The port, where one is written. */
  public OptionalInt port() {
    return port == 0 ? OptionalInt.empty() : OptionalInt.of(port);
  }

  /** The parameters. */
  public Params params() {
    return params;
  }

  /** What follows the question mark. */
  public Params headers() {
    return headers;
  }

  @Override
  public String scheme() {
    return secure ? "sips" : "sip";
  }

  /** The user with escapes undone. */
  public Optional<String> userText() {
    return user().map(Text::unescaped);
  }

  /** The address, when the host is one and not a name. */
  public Optional<IpAddress> hostIp() {
    return IpSyntax.address(host);
  }

  /** The transport parameter, if it is there and one of ours. */
  public Optional<TransportProtocol> transport() {
    return params.raw("transport").flatMap(TransportProtocol::of);
  }

  /** Whether the proxy that this names routes loosely (RFC 3261 16.12.1.1). */
  public boolean isLooseRouter() {
    return params.has("lr");
  }

  /** The same with another user, escaped where needed, and without a password. */
  public SipUri withUser(String newUser) {
    if (newUser.isEmpty()) {
      throw new IllegalArgumentException("Expected a user, but got nothing");
    }
    return new SipUri(secure, Text.escaped(newUser, Chars.USER), null, host, port, params, headers);
  }

  /** The same with another host, and without a port. */
  public SipUri withHost(String newHost) {
    UriText.checkHost(newHost);
    return new SipUri(secure, user, password, newHost, 0, params, headers);
  }

  /** The same with another port. */
  public SipUri withPort(int newPort) {
    if (newPort < 1 || newPort > 65_535) {
      throw new IllegalArgumentException("Expected a port, but got " + newPort);
    }
    return new SipUri(secure, user, password, host, newPort, params, headers);
  }

  /** The same with other parameters. */
  public SipUri withParams(Params newParams) {
    UriText.checkAll(newParams, Chars.URI_PARAM, false);
    return new SipUri(secure, user, password, host, port, newParams, headers);
  }

  /** The same with the parameter set. */
  public SipUri withParam(String name, String value) {
    return withParams(params.with(name, value));
  }

  /** The same with other headers. */
  public SipUri withHeaders(Params newHeaders) {
    UriText.checkAll(newHeaders, Chars.URI_HEADER, true);
    return new SipUri(secure, user, password, host, port, params, newHeaders);
  }

  /** The same as sips, or as sip. */
  public SipUri withSecure(boolean newSecure) {
    return new SipUri(newSecure, user, password, host, port, params, headers);
  }

  /** Scheme, user, host and port alone. */
  public SipUri bare() {
    return params.isEmpty() && headers.isEmpty() && password == null
        ? this
        : new SipUri(secure, user, null, host, port, Params.EMPTY, Params.EMPTY);
  }

  /** RFC 3261 19.1.4. */
  @Override
  public boolean equivalent(Uri other) {
    return other instanceof SipUri that && UriText.equivalent(this, that);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SipUri that
        && secure == that.secure
        && port == that.port
        && host.equals(that.host)
        && Objects.equals(user, that.user)
        && Objects.equals(password, that.password)
        && params.equals(that.params)
        && headers.equals(that.headers);
  }

  @Override
  public int hashCode() {
    return (Objects.hashCode(user) * 31 + host.hashCode()) * 31 + port;
  }

  @Override
  public String toString() {
    String known = text;
    if (known == null) {
      known = written();
      text = known;
    }
    return known;
  }

  private String written() {
    var out = new StringBuilder(64).append(secure ? "sips:" : "sip:");
    if (user != null) {
      out.append(user);
      if (password != null) {
        out.append(':').append(password);
      }
      out.append('@');
    }
    out.append(host);
    if (port != 0) {
      out.append(':').append(port);
    }
    params.append(out, ';', ';');
    headers.append(out, '?', '&');
    return out.toString();
  }
}
