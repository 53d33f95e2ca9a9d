package io.sippbx.control.sip.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.TransportCounters.Closed;
import io.sippbx.control.sip.transport.TransportCounters.Drop;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * All TCP connections: by their number, and those that we opened by where they lead, so that there
 * is one to each place. Used by all event loops.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
final class TcpConnections {

  /** One connection that we opened: from a listener's address to a peer's. */
  private record Way(Endpoint local, Endpoint remote) {}

  private final NettyLoops loops;
  private final TransportLimits limits;
  private final TransportCounters counters;
  private final Inbound inbound;
  private final Consumer<Throwable> unexpected;
  private final Optional<Member> holder;
  private final ConcurrentMap<Long, TcpConnection> byNumber = new ConcurrentHashMap<>();
  private final ConcurrentMap<Way, TcpConnection> opened = new ConcurrentHashMap<>();
  private final ConcurrentMap<IpAddress, Integer> acceptedByPeer = new ConcurrentHashMap<>();

  // Random, so that a number in a log or a trace names one connection of the whole cluster.
  private final AtomicLong nextNumber = new AtomicLong(ThreadLocalRandom.current().nextLong());
  private volatile boolean closed;

  /**
   * @param holder who this is, in the flows of the connections
   */
  TcpConnections(
      NettyLoops loops,
      TransportLimits limits,
      Inbound inbound,
      Consumer<Throwable> unexpected,
      Optional<Member> holder) {
    this.loops = loops;
    this.limits = limits;
    this.inbound = inbound;
    this.counters = inbound.counters();
    this.unexpected = unexpected;
    this.holder = holder;
  }

  TransportLimits limits() {
    return limits;
  }

  void unexpected(Throwable cause) {
    unexpected.accept(cause);
  }

  /** The connection that a flow names, if it lives. */
  Optional<TcpConnection> of(Flow flow) {
    TcpConnection connection = byNumber.get(flow.connection());
    return connection != null && connection.isUsable() && connection.flow().isSameConnection(flow)
        ? Optional.of(connection)
        : Optional.empty();
  }

  /**
   * The connection that we opened, or are opening, to an address; a new one if there is none.
   *
   * @return empty if the limit of such connections is reached
   */
  Optional<TcpConnection> toward(BoundListener from, Endpoint remote, Duration connectTime) {
    var way = new Way(from.advertised(), remote);
    TcpConnection known = opened.get(way);
    if (known != null && known.isUsable()) {
      counters.countReused();
      return Optional.of(known);
    }
    if (closed) {
      return Optional.empty();
    }
    var fresh = connection(loops.nextEventLoop(), from.advertised(), remote, false);
    TcpConnection chosen =
        opened.compute(
            way,
            (key, old) -> {
              if (old != null && old.isUsable()) {
                return old;
              }
              if (counters.openedConnections.incrementAndGet() > limits.tcp().opened()) {
                counters.openedConnections.decrementAndGet();
                return null;
              }
              return fresh;
            });
    if (chosen == null) {
      return Optional.empty();
    }
    if (chosen == fresh) {
      byNumber.put(fresh.flow().connection(), fresh);
      fresh.connect(
          bootstrap(fresh, from, connectTime), NettyLoops.socketAddress(remote), connectTime);
    } else {
      counters.countReused();
    }
    return Optional.of(chosen);
  }

  private Bootstrap bootstrap(TcpConnection connection, BoundListener from, Duration connectTime) {
    boolean v6 = from.advertised().ip().isV6();
    var bootstrap =
        new Bootstrap()
            .group(connection.eventLoop())
            .channelFactory(() -> loops.newSocketChannel(v6))
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(connectTime.toMillis()))
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    handlers(channel, connection);
                  }
                });
    IpAddress bound = from.bound().ip();
    if (!bound.isUnspecified()) {
      // From the address that the listener has, or the peer would see one that it does not know.
      bootstrap.localAddress(new InetSocketAddress(NettyLoops.inetAddress(bound), 0));
      if (loops.io() == NettyLoops.Io.EPOLL) {
        bootstrap.option(EpollChannelOption.IP_BIND_ADDRESS_NO_PORT, true);
      }
    }
    return bootstrap;
  }

  /** A connection that a peer opened: taken, or closed at once where a limit is reached. */
  void accepted(SocketChannel channel, BoundListener at) {
    InetSocketAddress address = channel.remoteAddress();
    if (address == null) {
      // Gone again before we looked.
      channel.close();
      return;
    }
    Endpoint remote = NettyLoops.endpoint(address);
    IpAddress peer = peer(remote.ip());
    Optional<Drop> refusal = closed ? Optional.of(Drop.CLOSED) : admit(peer);
    if (refusal.isPresent()) {
      counters.countDropped(refusal.get());
      // With a reset, which leaves nothing behind on this side.
      channel.config().setSoLinger(0);
      channel.close();
      return;
    }
    TcpConnection connection = connection(channel.eventLoop(), at.advertised(), remote, true);
    byNumber.put(connection.flow().connection(), connection);
    handlers(channel, connection);
  }

  private Optional<Drop> admit(IpAddress peer) {
    if (counters.acceptedConnections.incrementAndGet() > limits.tcp().accepted()) {
      counters.acceptedConnections.decrementAndGet();
      return Optional.of(Drop.CONNECTION_LIMIT);
    }
    if (acceptedByPeer.merge(peer, 1, Integer::sum) > limits.tcp().acceptedPerPeer()) {
      leave(peer);
      return Optional.of(Drop.PEER_CONNECTION_LIMIT);
    }
    return Optional.empty();
  }

  private void leave(IpAddress peer) {
    acceptedByPeer.computeIfPresent(peer, (key, count) -> count == 1 ? null : count - 1);
    counters.acceptedConnections.decrementAndGet();
  }

  /**
   * Who is counted as one: an IPv4 address, or the /64 that a host may choose IPv6 addresses in.
   */
  private static IpAddress peer(IpAddress ip) {
    if (!ip.isV6()) {
      return ip;
    }
    byte[] octets = ip.octets();
    Arrays.fill(octets, 8, 16, (byte) 0);
    octets[15] = 1;
    return IpAddress.ofOctets(octets);
  }

  private TcpConnection connection(
      EventLoop eventLoop, Endpoint local, Endpoint remote, boolean accepted) {
    long number = nextNumber.incrementAndGet();
    if (number == Flow.NO_CONNECTION) {
      number = nextNumber.incrementAndGet();
    }
    var flow = new Flow(TransportProtocol.TCP, local, remote, number, accepted, holder);
    return new TcpConnection(this, inbound, eventLoop, flow);
  }

  private static void handlers(Channel channel, TcpConnection connection) {
    channel
        .pipeline()
        .addLast(
            new FlushConsolidationHandler(
                FlushConsolidationHandler.DEFAULT_EXPLICIT_FLUSH_AFTER_FLUSHES, true),
            connection);
  }

  /** Called once by each connection at its end. */
  void ended(TcpConnection connection) {
    Flow flow = connection.flow();
    byNumber.remove(flow.connection(), connection);
    if (flow.accepted()) {
      leave(peer(flow.remote().ip()));
    } else {
      opened.remove(new Way(flow.local(), flow.remote()), connection);
      counters.openedConnections.decrementAndGet();
    }
  }

  /** Takes no new ones, and ends each when what was given to it is written. */
  void finish() {
    closed = true;
    for (TcpConnection connection : List.copyOf(byNumber.values())) {
      connection.finish();
    }
  }

  /** Ends those that are left. */
  void abort() {
    for (TcpConnection connection : List.copyOf(byNumber.values())) {
      connection.close(Closed.SHUTDOWN);
    }
  }

  boolean isEmpty() {
    return byNumber.isEmpty();
  }
}
