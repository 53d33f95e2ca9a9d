package io.sippbx.control.sip.message;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One value of Via: a hop that the request made, and the way back.
 *
 * @param transport the token as it is written; {@link #protocol} is ours, if it is one of them
 * @param host of sent-by: a name, an IPv4 address, or an IPv6 address in brackets
 * @param port of sent-by, where one is written
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-20.42">RFC 3261 20.42</a>, RFC 3581
 */
public record Via(String transport, String host, OptionalInt port, Params params) {

  /** Refuses what would not be a Via. */
  public Via {
    if (!Chars.all(transport, Chars.TOKEN)) {
      throw new IllegalArgumentException("Expected a token as transport, but got " + transport);
    }
    UriText.checkHost(host);
  }

  /** A Via of ours. */
  public static Via of(TransportProtocol protocol, String host, OptionalInt port, Branch branch) {
    return new Via(protocol.name(), host, port, Params.EMPTY.with("branch", branch.value()));
  }

  /** A Via of ours, with the advertised address. */
  public static Via of(TransportProtocol protocol, Endpoint sentBy, Branch branch) {
    return of(
        protocol,
        sentBy.ip().uriText(),
        sentBy.port() == 0 ? OptionalInt.empty() : OptionalInt.of(sentBy.port()),
        branch);
  }

  /** The one value that {@code text} is, if it is one. */
  public static Optional<Via> parse(String text) {
    byte[] b = Text.bytes(text);
    var spans = new Spans();
    return NameAddrSyntax.scanVia(b, 0, b.length, spans) == b.length && !Text.hasControl(text)
        ? Optional.of(NameAddrSyntax.viewVia(b, spans))
        : Optional.empty();
  }

  /** The transport, if it is one of ours. */
  public Optional<TransportProtocol> protocol() {
    return TransportProtocol.of(transport);
  }

  /** Host and port as written: what a transaction is matched by (RFC 3261 17.2.3). */
  public String sentBy() {
    return port.isPresent() ? host + ":" + port.getAsInt() : host;
  }

  /** The port, or the default of the transport. */
  public int effectivePort() {
    return port.orElseGet(() -> protocol().map(TransportProtocol::defaultPort).orElse(5060));
  }

  /** The address, when the host is one and not a name. */
  public Optional<IpAddress> hostIp() {
    return IpSyntax.address(host);
  }

  /** The branch parameter. */
  public Optional<Branch> branch() {
    return params.raw("branch").filter(value -> Chars.all(value, Chars.VALUE)).map(Branch::new);
  }

  /** The received parameter, if it is an address; brackets around IPv6 are taken (RFC 5118 4.5). */
  public Optional<IpAddress> received() {
    return params.get("received").flatMap(IpAddress::parse);
  }

  /** Whether there is an rport parameter, with or without a value. */
  public boolean wantsRport() {
    return params.has("rport");
  }

  /** The value of the rport parameter. */
  public OptionalInt rport() {
    return number("rport", 65_535);
  }

  /** The maddr parameter: a host. */
  public Optional<String> maddr() {
    return params.get("maddr");
  }

  /** The ttl parameter. */
  public OptionalInt ttl() {
    return number("ttl", 255);
  }

  /** With received set. */
  public Via withReceived(IpAddress source) {
    return withParams(params.with("received", source.toString()));
  }

  /** With a value for rport. */
  public Via withRport(int sourcePort) {
    return withParams(params.with("rport", Integer.toString(sourcePort)));
  }

  /** With rport asked for. */
  public Via withRportRequested() {
    return withParams(params.withFlag("rport"));
  }

  /** With other parameters. */
  public Via withParams(Params newParams) {
    return new Via(transport, host, port, newParams);
  }

  private OptionalInt number(String name, int max) {
    Optional<String> raw = params.raw(name);
    if (raw.isEmpty()) {
      return OptionalInt.empty();
    }
    byte[] b = Text.bytes(raw.get());
    int value = (int) Chars.number(b, 0, b.length, max);
    return value < 0 ? OptionalInt.empty() : OptionalInt.of(value);
  }

  /** As on the wire. */
  @Override
  public String toString() {
    var out = new StringBuilder(96).append("SIP/2.0/").append(transport).append(' ').append(host);
    if (port.isPresent()) {
      out.append(':').append(port.getAsInt());
    }
    params.append(out, ';', ';');
    return out.toString();
  }
}
