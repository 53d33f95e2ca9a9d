package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;

/**
 * Where a message came from, and the way back there.
 *
 * <p>A UDP flow is the pair of addresses and is of use as long as the peer's binding lives. A flow
 * over a connection names that one connection of this start of this node: once it is closed the
 * flow is dead, and no later connection gets its number.
 *
 * @param local our <em>advertised</em> address of the listener, not the one that it is bound to
 * @param remote the source address that was seen, whatever the message says
 * @param connection not 0 over a connection; 0 over UDP
 * @param accepted whether it is a connection that the peer opened: then its remote port was that
 *     connection's alone, and nobody listens there
 */
public record Flow(
    TransportProtocol protocol,
    Endpoint local,
    Endpoint remote,
    long connection,
    boolean accepted) {

  /** The connection number of flows that have no connection. */
  public static final long NO_CONNECTION = 0;

  /** Refuses a connection number where there is no connection, and the other way round. */
  public Flow {
    if (protocol == TransportProtocol.UDP != (connection == NO_CONNECTION)) {
      throw new IllegalArgumentException(
          "Expected a connection exactly where the transport has one, but got "
              + protocol
              + " and connection "
              + connection);
    }
    if (accepted && connection == NO_CONNECTION) {
      throw new IllegalArgumentException("Expected a connection to be accepted, but got none");
    }
  }

  /** A flow over UDP. */
  public static Flow udp(Endpoint local, Endpoint remote) {
    return new Flow(TransportProtocol.UDP, local, remote, NO_CONNECTION, false);
  }

  /** A flow over a connection that the peer opened. */
  public static Flow accepted(
      TransportProtocol protocol, Endpoint local, Endpoint remote, long connection) {
    return new Flow(protocol, local, remote, connection, true);
  }

  /** A flow over a connection that we opened. */
  public static Flow opened(
      TransportProtocol protocol, Endpoint local, Endpoint remote, long connection) {
    return new Flow(protocol, local, remote, connection, false);
  }
}
