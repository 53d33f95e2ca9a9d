package io.sippbx.control.sip.transport;

import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.UnixChannelOption;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the sockets of all listeners, or of none. They do not read until they are told to.
 *
 * <p>An address that another process holds is found also where our own sockets share it among
 * themselves: before a group is opened, one socket is opened that shares with nobody.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
final class Binding {

  private static final Logger log = LoggerFactory.getLogger(Binding.class);

  private static final Path RECEIVE_BUFFER_LIMIT = Path.of("/proc/sys/net/core/rmem_max");
  private static final Duration BIND_TIME = Duration.ofSeconds(10);
  private static final int BACKLOG = 1_024;

  /** Datagrams taken by one system call where the native transport can. */
  private static final int DATAGRAMS_PER_READ = 8;

  /** IPPROTO_IPV6 and IPV6_V6ONLY of Linux, where the native transport runs. */
  private static final ChannelOption<Integer> IPV6_ONLY =
      new IntegerUnixChannelOption("IPV6_V6ONLY", 41, 26);

  private final NettyLoops loops;
  private final TransportSettings settings;
  private final Consumer<SocketChannel> accepted;
  private final List<Channel> channels = new ArrayList<>();
  private boolean warned;

  /**
   * @param accepted is given each connection that a peer opens, on that connection's event loop,
   *     before anything is read from it
   */
  Binding(NettyLoops loops, TransportSettings settings, Consumer<SocketChannel> accepted) {
    this.loops = loops;
    this.settings = settings;
    this.accepted = accepted;
  }

  /**
   * Opens all.
   *
   * @throws ListenException naming every listener that cannot be opened; nothing is open then
   */
  List<BoundListener> open() throws ListenException {
    var bound = new ArrayList<BoundListener>();
    var problems = new ArrayList<String>();
    if (settings.shareAddress() && loops.io() != NettyLoops.Io.EPOLL) {
      throw new ListenException(
          List.of("cannot share an address with other nodes: only Linux's epoll can"));
    }
    for (Listener listener : settings.listeners()) {
      try {
        bound.add(
            switch (listener.protocol()) {
              case UDP -> openUdp(listener);
              case TCP -> openTcp(listener);
              case TLS, WS, WSS -> throw new IOException("this transport is not supported yet");
            });
      } catch (IOException e) {
        problems.add("cannot listen on " + listener + ": " + e.getMessage());
      }
    }
    for (int i = 0; i < bound.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (bound.get(i).protocol() == bound.get(j).protocol()
            && bound.get(i).advertised().equals(bound.get(j).advertised())) {
          problems.add(
              "cannot listen on "
                  + bound.get(i).listener()
                  + ": "
                  + bound.get(i).advertised()
                  + " is advertised by "
                  + bound.get(j).listener()
                  + " already");
        }
      }
    }
    if (!problems.isEmpty()) {
      for (Channel channel : channels) {
        channel.close().awaitUninterruptibly(BIND_TIME.toMillis());
      }
      throw new ListenException(problems);
    }
    return List.copyOf(bound);
  }

  private BoundListener openUdp(Listener listener) throws IOException {
    int sockets = loops.io() == NettyLoops.Io.EPOLL ? settings.udpSocketsPerListener() : 1;
    if (sockets == 0) {
      sockets = loops.nettyLoops().size();
    }
    boolean grouped = sockets > 1 || settings.shareAddress();
    Endpoint at = listener.bind();
    if (grouped && !settings.shareAddress() && at.port() != 0) {
      close(bind(udp(listener, loops.nettyLoops().getFirst().eventLoop(), false), at));
    }
    var opened = new ArrayList<Channel>();
    for (int i = 0; i < sockets; i++) {
      EventLoop eventLoop = loops.nettyLoops().get(i % loops.nettyLoops().size()).eventLoop();
      Channel channel = bind(udp(listener, eventLoop, grouped), at);
      channels.add(channel);
      opened.add(channel);
      at = endpoint(channel);
    }
    checkReceiveBuffer(listener, (DatagramChannel) opened.getFirst());
    return new BoundListener(listener, at, advertised(listener, at), opened);
  }

  private Bootstrap udp(Listener listener, EventLoop eventLoop, boolean grouped) {
    boolean v6 = listener.bind().ip().isV6();
    // One octet more than is allowed, to tell what is larger from what just fits.
    int slot = Math.min(settings.limits().messages().messageBytes() + 1, 65_536);
    int slots = 1;
    var bootstrap =
        new Bootstrap()
            .group(eventLoop)
            .channelFactory(() -> loops.newDatagramChannel(v6))
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.SO_RCVBUF, settings.receiveBufferBytes())
            .handler(new Later());
    if (loops.io() == NettyLoops.Io.EPOLL) {
      slots = DATAGRAMS_PER_READ;
      bootstrap
          .option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, slot)
          .option(UnixChannelOption.SO_REUSEPORT, grouped);
    }
    bootstrap.option(
        ChannelOption.RECVBUF_ALLOCATOR,
        new FixedRecvByteBufAllocator(slot * slots).maxMessagesPerRead(16 * slots));
    onlyItsFamily(bootstrap, v6);
    return bootstrap;
  }

  private BoundListener openTcp(Listener listener) throws IOException {
    boolean v6 = listener.bind().ip().isV6();
    var bootstrap =
        new ServerBootstrap()
            .group(loops.group(), loops.group())
            .channelFactory(() -> loops.newServerChannel(v6))
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    accepted.accept(channel);
                  }
                });
    if (loops.io() == NettyLoops.Io.EPOLL) {
      bootstrap.option(UnixChannelOption.SO_REUSEPORT, settings.shareAddress());
    }
    onlyItsFamily(bootstrap, v6);
    Channel channel = bind(bootstrap, listener.bind());
    channels.add(channel);
    Endpoint at = endpoint(channel);
    return new BoundListener(listener, at, advertised(listener, at), List.of(channel));
  }

  /** Without the native transport a socket bound to {@code ::} takes IPv4 too, which is dropped. */
  private void onlyItsFamily(AbstractBootstrap<?, ?> bootstrap, boolean v6) {
    if (v6 && loops.io() == NettyLoops.Io.EPOLL) {
      bootstrap.option(IPV6_ONLY, 1);
    }
  }

  private Channel bind(AbstractBootstrap<?, ?> bootstrap, Endpoint at) throws IOException {
    ChannelFuture future = bootstrap.bind(NettyLoops.socketAddress(at));
    if (!future.awaitUninterruptibly(BIND_TIME.toMillis())) {
      future.channel().close();
      throw new IOException("no answer from the event loop in " + BIND_TIME.toSeconds() + " s");
    }
    Throwable cause = future.cause();
    if (cause != null) {
      throw new IOException(reason(cause, at), cause);
    }
    return future.channel();
  }

  private static void close(Channel channel) {
    channel.close().awaitUninterruptibly(BIND_TIME.toMillis());
  }

  /** In the words of an operator, with what can be done. */
  private String reason(Throwable cause, Endpoint at) {
    String text = String.valueOf(cause.getMessage());
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.contains("address already in use")) {
      return "address already in use: another process has it"
          + (settings.shareAddress() ? ", and does not share it, or is another user's" : "");
    }
    if (lower.contains("cannot assign requested address")) {
      return "cannot assign requested address: this host has no " + at.ip();
    }
    if (lower.contains("permission denied")) {
      return "permission denied: port " + at.port() + " needs privileges here";
    }
    if (lower.contains("address family not supported")) {
      return "address family not supported: this host has no IPv" + (at.ip().isV6() ? 6 : 4);
    }
    return text;
  }

  private Endpoint advertised(Listener listener, Endpoint bound) throws IOException {
    Optional<Endpoint> told = listener.advertised();
    if (told.isPresent()) {
      return told.get().port() == 0 ? told.get().withPort(bound.port()) : told.get();
    }
    if (!bound.ip().isUnspecified()) {
      return bound;
    }
    IpAddress found =
        AdvertisedAddresses.find(bound.ip().isV6())
            .orElseThrow(
                () ->
                    new IOException(
                        "no address of this host found to tell peers: configure the advertised"
                            + " address"));
    return new Endpoint(found, bound.port());
  }

  private static Endpoint endpoint(Channel channel) {
    return NettyLoops.endpoint((InetSocketAddress) channel.localAddress());
  }

  private void checkReceiveBuffer(Listener listener, DatagramChannel channel) {
    int asked = settings.receiveBufferBytes();
    Optional<String> systemLimit = systemLimit();
    // Linux reports twice what it gives, for its own bookkeeping; the JDK takes that back.
    int got = channel.config().getReceiveBufferSize() / (loops.io() == NettyLoops.Io.EPOLL ? 2 : 1);
    if (got < asked && !warned) {
      warned = true;
      log.atWarn()
          .addKeyValue("listener", listener)
          .addKeyValue("asked_bytes", asked)
          .addKeyValue("got_bytes", got)
          .addKeyValue("net.core.rmem_max", systemLimit.orElse("unknown"))
          .log("transport.receive-buffer-small");
    }
  }

  private static Optional<String> systemLimit() {
    // In one read: a value under /proc/sys ends with the first, however little that asks for.
    try (InputStream limit = Files.newInputStream(RECEIVE_BUFFER_LIMIT)) {
      return Optional.of(new String(limit.readNBytes(32), StandardCharsets.US_ASCII).trim());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Holds the place of the handler that comes when the transport is put together. */
  private static final class Later extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {}
  }
}
