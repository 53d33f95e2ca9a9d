package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Sends SIP messages. May be called from any thread; never blocks.
 *
 * <p>{@code onFailure} is called at most once a message, never inline: on the caller's own loop if
 * it is one of the node's, else on a loop of the transport. That it is not called says nothing.
 *
 * <p>A message goes out as it is, but for one case: a request over UDP that is larger than the
 * threshold of RFC 3261 18.1.1 goes by TCP, with the topmost Via saying so, where the peer takes
 * it. See {@code LargeRequests} for what that means for a transaction.
 */
public interface SipTransport {

  /**
   * Sends to a destination: over its flow if that lives, else over a connection that we opened to
   * that address before, else over a new one.
   */
  void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure);

  /**
   * Sends back over a flow. A response goes where RFC 3261 18.2.2 and RFC 3581 4 say, by its
   * topmost Via and the source address of the flow: over UDP to the source (rport) or the port of
   * sent-by; over TCP on the same connection, and if that is gone, on one to the source's address
   * and the port of sent-by. A request goes to the remote address of the flow; over a connection
   * that is gone it fails.
   */
  void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure);

  /**
   * What to write into Via and Contact for messages over this transport and address family: the
   * first such listener's advertised address; empty if there is none.
   */
  Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6);

  /**
   * The same for one peer, where the node listens at several addresses: a loopback address is told
   * to loopback peers only, if there is another.
   */
  default Optional<Endpoint> advertised(TransportProtocol protocol, IpAddress peer) {
    return advertised(protocol, peer.isV6());
  }
}
