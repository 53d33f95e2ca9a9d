package io.sippbx.control.sip.transport;

import io.netty.channel.Channel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.SendFailure.Reason;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * SIP over UDP and TCP, on IPv4 and IPv6, by Netty.
 *
 * <p>{@link #bind} opens the listeners, so that the advertised addresses are known; {@link #start}
 * lets messages in; {@link #close} ends it.
 *
 * <p>A request that is too large for UDP may go by TCP: see {@link LargeRequests}.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
public final class NettySipTransport implements SipTransport, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NettySipTransport.class);

  private final NettyLoops loops;
  private final TransportSettings settings;
  private final TransportCounters counters = new TransportCounters();
  private final List<BoundListener> listeners;
  private final Map<Channel, UdpSocket> udpSockets = new LinkedHashMap<>();
  private final Inbound inbound;
  private final TcpConnections connections;
  private final LargeRequests large;
  private final RateLimitedLog faults = RateLimitedLog.of(log);
  private volatile boolean closed;

  private NettySipTransport(NettyLoops loops, TransportSettings settings) throws ListenException {
    this.loops = loops;
    this.settings = settings;
    TransportLimits limits = settings.limits();
    this.listeners = new Binding(loops, settings, this::accepted).open();
    var ours = new LinkedHashSet<Endpoint>();
    var udpBound = new ArrayList<Endpoint>();
    for (BoundListener listener : listeners) {
      ours.add(listener.advertised());
      if (listener.protocol() == TransportProtocol.UDP) {
        udpBound.add(listener.bound());
      }
    }
    this.inbound = new Inbound(ours, counters);
    this.connections =
        new TcpConnections(loops, limits, inbound, this::unexpected, settings.member());
    this.large =
        new LargeRequests(settings.tcpAboveBytes(), limits.switching(), connections, counters);
    counters.kernelDropsFrom(() -> KernelDrops.of(udpBound));
    for (BoundListener listener : listeners) {
      if (listener.protocol() == TransportProtocol.UDP) {
        for (Channel channel : listener.channels()) {
          var socket =
              new UdpSocket(
                  listener.advertised(), limits, inbound, this::unexpected, settings.udpHolder());
          channel
              .pipeline()
              .addLast(
                  new FlushConsolidationHandler(
                      FlushConsolidationHandler.DEFAULT_EXPLICIT_FLUSH_AFTER_FLUSHES, true),
                  socket);
          udpSockets.put(channel, socket);
        }
      }
    }
  }

  /**
   * Opens the listeners. What comes in waits in the system's buffers until {@link #start}. Blocks
   * for a short time; not to be called on a loop.
   *
   * @throws ListenException naming each listener that cannot be opened and why; nothing is open
   *     then
   */
  public static NettySipTransport bind(NettyLoops loops, TransportSettings settings)
      throws ListenException {
    return new NettySipTransport(loops, settings);
  }

  /** Lets messages in. */
  public void start(SipReceiver receiver) {
    inbound.deliverTo(receiver);
    for (BoundListener listener : listeners) {
      for (Channel channel : listener.channels()) {
        channel.config().setAutoRead(true);
      }
    }
  }

  /**
   * Takes responses whose Via names one of these addresses too: another node of the cluster has
   * sent the request by a connection of this one.
   */
  public void takeResponsesFor(List<Endpoint> others) {
    inbound.takeFor(new LinkedHashSet<>(others));
  }

  /** Shows all messages from now on to {@code tracer}; null ends that. */
  public void trace(@Nullable MessageTracer tracer) {
    inbound.traceTo(tracer);
  }

  /** What was done so far. */
  public TransportCounters counters() {
    return counters;
  }

  /** The advertised addresses by listener, in the order of the settings, with the real ports. */
  public List<Listener> listeners() {
    var told = new ArrayList<Listener>();
    for (BoundListener each : listeners) {
      told.add(new Listener(each.protocol(), each.bound(), Optional.of(each.advertised())));
    }
    return List.copyOf(told);
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
    for (BoundListener listener : listeners) {
      if (listener.isFor(protocol, v6)) {
        return Optional.of(listener.advertised());
      }
    }
    return Optional.empty();
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, IpAddress peer) {
    return listenerFor(protocol, peer).map(BoundListener::advertised);
  }

  @Override
  public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
    Consumer<SendFailure> sink = sink(onFailure);
    Endpoint remote =
        to.protocol() == TransportProtocol.UDP
            ? to.flow().map(Flow::remote).orElse(to.remote())
            : to.remote();
    BoundListener from = from(message, to.protocol(), remote, to.flow().map(Flow::local));
    if (from == null || closed) {
      sink.accept(notFrom(to.protocol(), remote));
      return;
    }
    if (!Vias.isHost(remote.ip())) {
      // Whatever a Contact says: one request must not become many packets.
      String text = to.protocol().uriParameter() + " " + remote;
      sink.accept(new SendFailure(Reason.UNREACHABLE, text + ": not the address of a host"));
      return;
    }
    switch (to.protocol()) {
      case UDP -> {
        boolean atItsAddress = !to.onlyFlow() && to.remote().equals(remote);
        if (message instanceof SipRequest request && atItsAddress) {
          sendRequest(request, from, remote, sink);
        } else {
          sendUdp(from, remote, message.toBytes(), sink);
        }
      }
      case TCP -> {
        if (to.onlyFlow()) {
          sendOver(to.flow().orElseThrow(), message.toBytes(), sink);
        } else {
          sendTcp(message.toBytes(), from, remote, to.flow(), sink);
        }
      }
      case TLS, WS, WSS -> sink.accept(notFrom(to.protocol(), remote));
    }
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    Consumer<SendFailure> sink = sink(onFailure);
    BoundListener from = from(message, flow.protocol(), flow.remote(), Optional.of(flow.local()));
    if (from == null || closed) {
      sink.accept(notFrom(flow.protocol(), flow.remote()));
      return;
    }
    switch (flow.protocol()) {
      case UDP -> {
        Endpoint remote =
            message instanceof SipResponse response
                ? Vias.answerTo(response.topVia(), flow.remote())
                : flow.remote();
        if (remote.port() == 0) {
          sink.accept(new SendFailure(Reason.UNREACHABLE, "udp " + remote + ": no such port"));
        } else {
          sendUdp(from, remote, message.toBytes(), sink);
        }
      }
      case TCP -> {
        if (message instanceof SipResponse response) {
          Endpoint back = Vias.reconnectTo(response.topVia(), flow.remote());
          sendTcp(message.toBytes(), from, back, Optional.of(flow), sink);
        } else {
          sendOver(flow, message.toBytes(), sink);
        }
      }
      case TLS, WS, WSS -> sink.accept(notFrom(flow.protocol(), flow.remote()));
    }
  }

  /** A request for a UDP destination: by TCP if it is large and the peer takes it. */
  private void sendRequest(
      SipRequest request, BoundListener udp, Endpoint remote, Consumer<SendFailure> sink) {
    byte[] octets = request.toBytes();
    Runnable byUdp = () -> sendUdp(udp, remote, octets, sink);
    BoundListener tcp = beside(udp);
    if (tcp == null || !large.send(request, octets.length, tcp, remote, byUdp, sink)) {
      byUdp.run();
    }
  }

  private void sendUdp(
      BoundListener from, Endpoint remote, byte[] octets, Consumer<SendFailure> sink) {
    // The caller's own socket if there is one, so that nothing crosses threads.
    int index = Math.max(0, loops.currentIndex()) % from.channels().size();
    Channel channel = from.channels().get(index);
    UdpSocket socket = udpSockets.get(channel);
    if (socket == null) {
      throw new IllegalStateException("Expected a socket of each UDP listener, but got none");
    }
    socket.send(channel, octets, remote, sink);
  }

  /** Over this connection and no other. */
  private void sendOver(Flow flow, byte[] octets, Consumer<SendFailure> sink) {
    Optional<TcpConnection> alive = connections.of(flow);
    if (alive.isPresent()) {
      alive.get().send(Outgoing.once(octets, sink));
    } else {
      sink.accept(
          new SendFailure(Reason.CONNECTION_LOST, "tcp " + flow.remote() + ": connection lost"));
    }
  }

  private void sendTcp(
      byte[] octets,
      BoundListener from,
      Endpoint remote,
      Optional<Flow> flow,
      Consumer<SendFailure> sink) {
    Outgoing out = Outgoing.withAnotherWay(octets, sink, again -> connect(again, from, remote));
    Optional<TcpConnection> alive = flow.flatMap(connections::of);
    if (alive.isPresent()) {
      alive.get().send(out);
    } else {
      connect(out, from, remote);
    }
  }

  private void connect(Outgoing out, BoundListener from, Endpoint remote) {
    if (remote.port() == 0) {
      out.failed(new SendFailure(Reason.UNREACHABLE, "tcp " + remote + ": no such port"));
      return;
    }
    Optional<TcpConnection> connection =
        connections.toward(from, remote, settings.limits().tcp().connectTime());
    if (connection.isPresent()) {
      connection.get().send(out);
    } else {
      out.failed(
          new SendFailure(
              closed ? Reason.CLOSED : Reason.CONNECTION_LIMIT,
              "tcp " + remote + ": the limit of connections is reached"));
    }
  }

  /**
   * The listener that a message is sent from: the one of the flow; else the one that the request's
   * Via names, since the answer goes there; else the one that is told to this peer.
   */
  private @Nullable BoundListener from(
      SipMessage message, TransportProtocol protocol, Endpoint remote, Optional<Endpoint> local) {
    if (local.isPresent()) {
      BoundListener known = byAddress(protocol, local.get());
      if (known != null) {
        return known;
      }
    }
    if (message instanceof SipRequest request) {
      Via top = request.topVia();
      Optional<IpAddress> ip = top.hostIp();
      if (ip.isPresent() && ip.get().isV6() == remote.ip().isV6()) {
        BoundListener named = byAddress(protocol, new Endpoint(ip.get(), top.effectivePort()));
        if (named != null) {
          return named;
        }
      }
    }
    return listenerFor(protocol, remote.ip()).orElse(null);
  }

  private @Nullable BoundListener byAddress(TransportProtocol protocol, Endpoint advertised) {
    for (BoundListener listener : listeners) {
      if (listener.protocol() == protocol && listener.advertised().equals(advertised)) {
        return listener;
      }
    }
    return null;
  }

  private Optional<BoundListener> listenerFor(TransportProtocol protocol, IpAddress peer) {
    BoundListener first = null;
    for (BoundListener listener : listeners) {
      if (listener.isFor(protocol, peer.isV6())) {
        if (listener.advertised().ip().isLoopback() == peer.isLoopback()) {
          return Optional.of(listener);
        }
        first = first == null ? listener : first;
      }
    }
    return Optional.ofNullable(first);
  }

  /** The TCP listener at the address of a UDP listener, else one of the same family. */
  private @Nullable BoundListener beside(BoundListener udp) {
    for (BoundListener listener : listeners) {
      if (listener.protocol() == TransportProtocol.TCP
          && listener.advertised().ip().equals(udp.advertised().ip())) {
        return listener;
      }
    }
    return listenerFor(TransportProtocol.TCP, udp.advertised().ip()).orElse(null);
  }

  private SendFailure notFrom(TransportProtocol protocol, Endpoint remote) {
    String text = protocol.uriParameter() + " " + remote;
    if (closed) {
      return new SendFailure(Reason.CLOSED, text + ": the transport is shut down");
    }
    boolean supported = protocol == TransportProtocol.UDP || protocol == TransportProtocol.TCP;
    return new SendFailure(
        Reason.NO_LISTENER,
        text
            + (supported
                ? ": no listener of that transport and address family"
                : ": this transport is not supported yet"));
  }

  /** Counts a failure and tells the caller, by a task on its own loop. */
  private Consumer<SendFailure> sink(Consumer<SendFailure> onFailure) {
    NettyLoops.NettyLoop home = loops.currentOrNull();
    return failure -> {
      counters.countFailure(failure.reason());
      NettyLoops.NettyLoop told = home == null ? loops.nettyLoops().getFirst() : home;
      told.execute(() -> onFailure.accept(failure));
    };
  }

  private void accepted(SocketChannel channel) {
    for (BoundListener listener : listeners) {
      if (listener.channels().contains(channel.parent())) {
        connections.accepted(channel, listener);
        return;
      }
    }
    channel.close();
  }

  /** A fault of ours or of who receives: told in the log, but not for every message. */
  private void unexpected(Throwable cause) {
    faults.at(Level.ERROR, "transport.unexpected").setCause(cause).log("transport.unexpected");
  }

  /** Ends it within five seconds. */
  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }

  /**
   * Stops taking messages and connections, writes what was given to be sent, and closes all. What
   * is not written by then is lost. Not to be called on a loop.
   *
   * @return whether all was written in time
   */
  public boolean close(Duration atMost) {
    if (loops.currentOrNull() != null) {
      throw new IllegalStateException("Expected not to be closed on an event loop");
    }
    closed = true;
    long deadlineNs = System.nanoTime() + atMost.toNanos();
    for (BoundListener listener : listeners) {
      if (listener.protocol() == TransportProtocol.TCP) {
        closeAll(listener, deadlineNs);
      }
    }
    connections.finish();
    boolean written = await(connections::isEmpty, deadlineNs);
    written &= await(() -> udpSockets.values().stream().allMatch(UdpSocket::isIdle), deadlineNs);
    if (!connections.isEmpty()) {
      connections.abort();
    }
    inbound.deliverTo(null);
    for (BoundListener listener : listeners) {
      if (listener.protocol() == TransportProtocol.UDP) {
        closeAll(listener, deadlineNs);
      }
    }
    return written;
  }

  private static void closeAll(BoundListener listener, long deadlineNs) {
    for (Channel channel : listener.channels()) {
      long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
      channel.close().awaitUninterruptibly(Math.max(1, leftMs));
    }
  }

  private static boolean await(BooleanSupplier condition, long deadlineNs) {
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadlineNs >= 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    return true;
  }
}
