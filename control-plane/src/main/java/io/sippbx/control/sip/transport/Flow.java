package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/**
 * Where a message came from, and the way back there.
 *
 * <p>A UDP flow is the pair of addresses and is of use as long as the peer's binding lives. A flow
 * over a connection names that one connection of one start of one node: once it is closed the flow
 * is dead, and no later connection is taken for it.
 *
 * @param local our <em>advertised</em> address of the listener, not the one that it is bound to
 * @param remote the source address that was seen, whatever the message says
 * @param connection not 0 over a connection; 0 over UDP
 * @param accepted whether it is a connection that the peer opened: then its remote port was that
 *     connection's alone, and nobody listens there
 * @param holder whose socket it is, where that is one node's: of a connection always (empty in
 *     records of before there were several nodes: such a connection is gone); of UDP where each
 *     node has an address of its own. UDP of an address that all nodes share has none
 */
public record Flow(
    TransportProtocol protocol,
    Endpoint local,
    Endpoint remote,
    long connection,
    boolean accepted,
    Optional<Member> holder) {

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
    return new Flow(TransportProtocol.UDP, local, remote, NO_CONNECTION, false, Optional.empty());
  }

  /** A flow over a connection that the peer opened. */
  public static Flow accepted(
      TransportProtocol protocol, Endpoint local, Endpoint remote, long connection) {
    return new Flow(protocol, local, remote, connection, true, Optional.empty());
  }

  /** A flow over a connection that we opened. */
  public static Flow opened(
      TransportProtocol protocol, Endpoint local, Endpoint remote, long connection) {
    return new Flow(protocol, local, remote, connection, false, Optional.empty());
  }

  /** The same, of a socket of {@code member}. */
  public Flow heldBy(Optional<Member> member) {
    return new Flow(protocol, local, remote, connection, accepted, member);
  }

  /** Whether the other is a flow over the same connection. */
  boolean isSameConnection(Flow other) {
    return connection == other.connection
        && remote.equals(other.remote)
        && holder.equals(other.holder);
  }
}
