package io.sippbx.control.sip.transport;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.spi.SelectorProvider;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The node's event loops on Netty: one group of threads that SIP, the store's client and gRPC
 * share.
 *
 * <p>A task that throws is logged and the loop goes on. After {@link #close} tasks are dropped.
 */
public final class NettyLoops implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NettyLoops.class);
  private static final RateLimitedLog faults = RateLimitedLog.of(log);

  /** What moves the octets. */
  public enum Io {
    /** Linux's epoll through Netty's native library. */
    EPOLL,
    /** The JDK's selectors. */
    NIO
  }

  private final Io io;
  private final EventLoopGroup group;
  private final List<NettyLoop> nettyLoops;
  private final Loops loops;

  private NettyLoops(Io io, EventLoopGroup group) {
    this.io = io;
    this.group = group;
    var all = new ArrayList<NettyLoop>();
    for (EventExecutor executor : group) {
      all.add(new NettyLoop((EventLoop) executor));
    }
    this.nettyLoops = List.copyOf(all);
    this.loops = new Loops(List.copyOf(all));
  }

  /** Starts loops on epoll where it is available, else on NIO. */
  public static NettyLoops start(int threads) {
    return start(threads, Epoll.isAvailable() ? Io.EPOLL : Io.NIO);
  }

  /**
   * Starts loops.
   *
   * @throws IllegalStateException if {@code io} does not work here
   */
  public static NettyLoops start(int threads, Io io) {
    if (threads < 1) {
      throw new IllegalArgumentException("Expected one thread or more, but got " + threads);
    }
    if (io == Io.EPOLL && !Epoll.isAvailable()) {
      throw new IllegalStateException(
          "Expected epoll to work on this system, but it does not", Epoll.unavailabilityCause());
    }
    IoHandlerFactory factory =
        switch (io) {
          case EPOLL -> EpollIoHandler.newFactory();
          case NIO -> NioIoHandler.newFactory();
        };
    return new NettyLoops(
        io,
        new MultiThreadIoEventLoopGroup(
            threads, new DefaultThreadFactory("sip-pbx-loop", true), factory));
  }

  /** What moves the octets. */
  public Io io() {
    return io;
  }

  /** The loops, in a fixed order. */
  public Loops loops() {
    return loops;
  }

  /** Netty's view of them, for other clients and servers on Netty. */
  public EventLoopGroup group() {
    return group;
  }

  /** The loop whose thread is the calling one, if it is one of ours. */
  public Optional<Loop> current() {
    return Optional.ofNullable(currentOrNull());
  }

  /** Stops taking tasks and waits for the threads to end, for two seconds at most. */
  @Override
  public void close() {
    close(Duration.ofSeconds(2));
  }

  /** Stops taking tasks and waits for the threads to end. Not to be called on a loop. */
  public void close(Duration atMost) {
    group
        .shutdownGracefully(0, atMost.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(atMost.toMillis());
  }

  /**
   * Netty's view of one of these loops.
   *
   * @throws IllegalArgumentException if {@code loop} is none of these
   */
  public EventLoop eventLoop(Loop loop) {
    if (loop instanceof NettyLoop netty && nettyLoops.contains(netty)) {
      return netty.eventLoop();
    }
    throw new IllegalArgumentException("Expected one of the node's loops, but got " + loop);
  }

  /** A new UDP channel for IPv4, of the kind that these loops serve. */
  public DatagramChannel newDatagramChannel() {
    return newDatagramChannel(false);
  }

  /** A new TCP channel of the kind that these loops serve. */
  public SocketChannel newSocketChannel() {
    return switch (io) {
      case EPOLL -> new EpollSocketChannel();
      case NIO -> new NioSocketChannel();
    };
  }

  /** As the JDK and Netty have it. */
  public static InetSocketAddress socketAddress(Endpoint endpoint) {
    return new InetSocketAddress(inetAddress(endpoint.ip()), endpoint.port());
  }

  static InetAddress inetAddress(IpAddress ip) {
    try {
      return InetAddress.getByAddress(ip.octets());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("Expected 4 or 16 octets, but got " + ip, e);
    }
  }

  static Endpoint endpoint(InetSocketAddress address) {
    return new Endpoint(IpAddress.ofOctets(address.getAddress().getAddress()), address.getPort());
  }

  DatagramChannel newDatagramChannel(boolean v6) {
    return switch (io) {
      case EPOLL -> new EpollDatagramChannel(family(v6));
      case NIO -> new NioDatagramChannel(family(v6));
    };
  }

  /** A new TCP channel of a family. */
  public SocketChannel newSocketChannel(boolean v6) {
    return switch (io) {
      case EPOLL -> new EpollSocketChannel(family(v6));
      case NIO -> new NioSocketChannel(SelectorProvider.provider(), family(v6));
    };
  }

  /** A new listening TCP channel of a family. */
  public ServerSocketChannel newServerChannel(boolean v6) {
    return switch (io) {
      case EPOLL -> new EpollServerSocketChannel(family(v6));
      case NIO -> new NioServerSocketChannel(SelectorProvider.provider(), family(v6));
    };
  }

  private static SocketProtocolFamily family(boolean v6) {
    return v6 ? SocketProtocolFamily.INET6 : SocketProtocolFamily.INET;
  }

  /** The event loop of the calling thread, else the next one in turn. */
  EventLoop nextEventLoop() {
    NettyLoop current = currentOrNull();
    return current == null ? group.next() : current.eventLoop();
  }

  List<NettyLoop> nettyLoops() {
    return nettyLoops;
  }

  /** The place of the calling thread's loop among all; -1 if it is none of them. */
  int currentIndex() {
    for (int i = 0; i < nettyLoops.size(); i++) {
      if (nettyLoops.get(i).inLoop()) {
        return i;
      }
    }
    return -1;
  }

  @Nullable NettyLoop currentOrNull() {
    for (NettyLoop loop : nettyLoops) {
      if (loop.inLoop()) {
        return loop;
      }
    }
    return null;
  }

  /** One loop. */
  static final class NettyLoop implements Loop {

    private final EventLoop eventLoop;

    private NettyLoop(EventLoop eventLoop) {
      this.eventLoop = eventLoop;
    }

    EventLoop eventLoop() {
      return eventLoop;
    }

    @Override
    public void execute(Runnable task) {
      try {
        eventLoop.execute(() -> run(task));
      } catch (RejectedExecutionException e) {
        log.atDebug().log("loop.closed");
      }
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
      try {
        ScheduledFuture<?> future =
            eventLoop.schedule(() -> run(task), Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
      } catch (RejectedExecutionException e) {
        log.atDebug().log("loop.closed");
        return () -> {};
      }
    }

    @Override
    public long nowNs() {
      return System.nanoTime();
    }

    @Override
    public Instant now() {
      return Instant.now();
    }

    @Override
    public boolean inLoop() {
      return eventLoop.inEventLoop();
    }

    /** A task that breaks ends by itself: what else runs on this loop must not end with it. */
    private static void run(Runnable task) {
      try {
        task.run();
      } catch (RuntimeException | AssertionError | StackOverflowError e) {
        faults.at(Level.ERROR, "loop.task-failed").setCause(e).log("loop.task-failed");
      }
    }
  }
}
