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
 * @param onlyFlow whether there is no other way than the flow: what cannot go over it fails at
 *     once, and never leaves UDP for its size
 * @param device the registered phone that is there, if it is one: it may be elsewhere by the time
 *     that something is sent
 */
public record Destination(
    TransportProtocol protocol,
    Endpoint remote,
    Optional<Flow> flow,
    boolean onlyFlow,
    Optional<Device> device) {

  /** Refuses port 0, a flow over another transport, and no flow where only that will do. */
  public Destination {
    if (remote.port() == 0) {
      throw new IllegalArgumentException("Expected a port to send to, but got " + remote);
    }
    if (flow.isPresent() && flow.get().protocol() != protocol) {
      throw new IllegalArgumentException(
          "Expected a flow over " + protocol + ", but got " + flow.get());
    }
    if (onlyFlow && flow.isEmpty()) {
      throw new IllegalArgumentException("Expected a flow where only that will do, but got none");
    }
  }

  /** Where nobody knows of a registered phone. */
  public Destination(
      TransportProtocol protocol, Endpoint remote, Optional<Flow> flow, boolean onlyFlow) {
    this(protocol, remote, flow, onlyFlow, Optional.empty());
  }

  /** The same place, where this phone is. */
  public Destination of(Optional<Device> phone) {
    return device.equals(phone) ? this : new Destination(protocol, remote, flow, onlyFlow, phone);
  }

  /** To an address, over any connection there. */
  public static Destination to(TransportProtocol protocol, Endpoint remote) {
    return new Destination(protocol, remote, Optional.empty(), false);
  }

  /**
   * Back over a flow. Where that was a connection of ours, another one to the same address does as
   * well; where the peer opened it, nothing listens at the address that it came from, and with the
   * flow gone there is no way (RFC 5626 5.3).
   */
  public static Destination over(Flow flow) {
    boolean reopens = flow.protocol().isReliable() && !flow.accepted();
    return new Destination(flow.protocol(), flow.remote(), Optional.of(flow), !reopens);
  }

  /** To the same address, but over this flow as long as it lives. */
  public Destination preferring(Flow preferred) {
    return new Destination(protocol, remote, Optional.of(preferred), false, device);
  }
}
