package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.SendFailure.Reason;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Requests for a UDP destination that go by TCP for their size.
 *
 * <p>A request for a UDP destination that is larger than the threshold is sent over TCP to the same
 * address and port, if this node has a TCP listener of that family; its topmost Via then says TCP
 * and has that listener's address, with the same branch. If no connection comes about within a
 * short time the request goes by UDP as it was given, and the peer is not tried again for some
 * minutes. For the transaction nothing changes: it goes on as one over UDP, its retransmissions go
 * over the same connection and are absorbed by the peer as repeats (so they need not be
 * suppressed), and responses are matched by branch and method, which are the same. CANCEL and ACK,
 * which must go the way of their INVITE, are small; the branches that went by TCP are therefore
 * remembered for a time. A destination that is a UDP flow only, or whose flow leads elsewhere than
 * its address, is behind address translation and gets UDP at any size.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18.1.1">RFC 3261 18.1.1</a>
 */
final class LargeRequests {

  /** A transaction towards a peer that goes by TCP for the size of its request. */
  private record Switched(String branch, Endpoint remote) {}

  private final int aboveBytes;
  private final TransportLimits.Switching limits;
  private final TcpConnections connections;
  private final TransportCounters counters;
  private final RecentSet<Endpoint> refusedTcp;
  private final RecentSet<Switched> switched;

  LargeRequests(
      int aboveBytes,
      TransportLimits.Switching limits,
      TcpConnections connections,
      TransportCounters counters) {
    this.aboveBytes = aboveBytes;
    this.limits = limits;
    this.connections = connections;
    this.counters = counters;
    this.refusedTcp = new RecentSet<>(limits.refusedPeers(), limits.refusedTime());
    this.switched = new RecentSet<>(limits.branches(), limits.branchTime());
  }

  /**
   * Sends the request by TCP, if it is large or goes the way of one that was.
   *
   * @param tcp the listener that its Via is to name
   * @param byUdp is run if the connection does not take it
   * @return false if it is to go by UDP at once
   */
  boolean send(
      SipRequest request,
      int octets,
      BoundListener tcp,
      Endpoint remote,
      Runnable byUdp,
      Consumer<SendFailure> sink) {
    Via top = request.topVia();
    var key = new Switched(top.branch().map(branch -> branch.value()).orElse(""), remote);
    long nowNs = System.nanoTime();
    if (top.protocol().filter(TransportProtocol.UDP::equals).isEmpty()
        || !(octets > aboveBytes || switched.contains(key, nowNs))
        || refusedTcp.contains(remote, nowNs)) {
      return false;
    }
    Optional<TcpConnection> connection = connections.toward(tcp, remote, limits.connectTime());
    if (connection.isEmpty()) {
      return false;
    }
    counters.countSwitchedToTcp();
    switched.add(key, nowNs);
    var overTcp =
        new Via(
            TransportProtocol.TCP.name(),
            tcp.advertised().ip().uriText(),
            OptionalInt.of(tcp.advertised().port()),
            top.params());
    connection
        .get()
        .send(
            Outgoing.once(
                request.toBuilder().replaceTopVia(overTcp).build().toBytes(),
                failure -> {
                  if (failure.reason() == Reason.CLOSED) {
                    sink.accept(failure);
                    return;
                  }
                  // 18.1.1: "the element SHOULD retry the request, using UDP".
                  switched.remove(key);
                  if (failure.reason() == Reason.UNREACHABLE
                      || failure.reason() == Reason.CONNECT_TIMEOUT) {
                    refusedTcp.add(remote, System.nanoTime());
                  }
                  counters.countSwitchedBack();
                  byUdp.run();
                }));
    return true;
  }
}
