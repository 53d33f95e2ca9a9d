package io.sippbx.control.sip.transport;

import io.netty.channel.Channel;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;
import java.util.List;

/**
 * A listener that is bound.
 *
 * @param bound the address and the port that was really bound
 * @param advertised what peers are told; its port is not 0
 * @param channels one for TCP; for UDP one a socket, in the order of the event loops
 */
record BoundListener(
    Listener listener, Endpoint bound, Endpoint advertised, List<Channel> channels) {

  BoundListener {
    channels = List.copyOf(channels);
  }

  TransportProtocol protocol() {
    return listener.protocol();
  }

  boolean isFor(TransportProtocol wanted, boolean v6) {
    return protocol() == wanted && advertised.ip().isV6() == v6;
  }
}
