package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/**
 * Where a message is to go.
 *
 * @param protocol how
 * @param remote the address to connect to, or over UDP to send to; its port is not 0
 * @param flow the way to prefer: taken if it lives (a UDP flow always does, and its remote address
 *     is then used); else a connection to {@code remote} is used or opened
 */
public record Destination(TransportProtocol protocol, Endpoint remote, Optional<Flow> flow) {

  /** Refuses port 0 and a flow over another transport. */
  public Destination {
    if (remote.port() == 0) {
      throw new IllegalArgumentException("Expected a port to send to, but got " + remote);
    }
    if (flow.isPresent() && flow.get().protocol() != protocol) {
      throw new IllegalArgumentException(
          "Expected a flow over " + protocol + ", but got " + flow.get());
    }
  }

  /** To an address, over any connection there. */
  public static Destination to(TransportProtocol protocol, Endpoint remote) {
    return new Destination(protocol, remote, Optional.empty());
  }

  /** Back over a flow, and if it died, to the address that it came from. */
  public static Destination over(Flow flow) {
    return new Destination(flow.protocol(), flow.remote(), Optional.of(flow));
  }
}
