package io.sippbx.media.relay.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.unix.Errors.NativeIoException;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The packet loop on an event loop of Netty, with a channel for each socket. */
@SuppressWarnings("FutureReturnValueIgnored") // what fails on the loop is seen by its owner
public final class NettyPacketLoop implements PacketLoop {

  /** With NIO a port is free after the selector's next turn, which comes before this is over. */
  private static final long AFTER_CLOSING_MS = 2;

  private final boolean isEpoll;
  private final LongSupplier clock;
  private final int maxDatagramBytes;
  private final EventLoopGroup group;
  private final EventLoop eventLoop;
  private final AtomicBoolean wakeAsked = new AtomicBoolean();
  private @Nullable Owner owner;

  private final List<Socket> sockets = new ArrayList<>();
  private final List<Socket> toFlush = new ArrayList<>();
  private final List<Runnable> afterClosing = new ArrayList<>();
  private long nowNs;
  private long lastTickNs;
  private boolean isReading;

  /** The datagram that is being read, and where its first byte is for the reader. */
  private @Nullable ByteBuf datagram;

  private int datagramAt;

  /**
   * @param isEpoll only where {@link #isEpollHere}
   * @param clock nanoseconds that never go back
   * @param maxDatagramBytes a longer datagram is dropped
   */
  public NettyPacketLoop(
      String threadName, boolean isEpoll, LongSupplier clock, int maxDatagramBytes) {
    this.isEpoll = isEpoll;
    this.clock = clock;
    this.maxDatagramBytes = maxDatagramBytes;
    IoHandlerFactory factory = isEpoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory(threadName, true), factory);
    eventLoop = group.next();
  }

  /** Whether Netty's native library for epoll loads. */
  public static boolean isEpollHere() {
    return Epoll.isAvailable();
  }

  @Override
  public void start(Owner ownerOfLoop) {
    eventLoop.execute(
        () -> {
          owner = ownerOfLoop;
          readClock();
          lastTickNs = nowNs;
          eventLoop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
        });
  }

  private void tick() {
    readClock();
    if (nowNs - lastTickNs >= TICK_MS * 1_000_000L) {
      lastTickNs = nowNs;
      guarded(ownerNow()::tick);
    }
  }

  @Override
  public void wakeUp() {
    if (wakeAsked.compareAndSet(false, true)) {
      try {
        eventLoop.execute(this::wokenUp);
      } catch (RejectedExecutionException e) {
        // The loop has stopped, and its owner has been told so: there is nobody to wake.
        return;
      }
    }
  }

  private void wokenUp() {
    wakeAsked.set(false);
    readClock();
    guarded(ownerNow()::wokenUp);
  }

  private Owner ownerNow() {
    Owner now = owner;
    if (now == null) {
      throw new IllegalStateException("Expected the loop to be started first");
    }
    return now;
  }

  private void guarded(Runnable turn) {
    try {
      turn.run();
    } catch (RuntimeException e) {
      ownerNow().failed(e);
    }
  }

  private void readClock() {
    nowNs = clock.getAsLong();
  }

  @Override
  public void stop() {
    if (!eventLoop.isShuttingDown()) {
      eventLoop.execute(this::closeAll);
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
    group.terminationFuture().awaitUninterruptibly();
  }

  private void closeAll() {
    for (Socket socket : List.copyOf(sockets)) {
      socket.close();
    }
    List<Runnable> waiting = List.copyOf(afterClosing);
    afterClosing.clear();
    waiting.forEach(this::guarded);
    if (owner != null) {
      guarded(owner::stopped);
    }
  }

  @Override
  public BindAnswer bind(Endpoint local, SocketOptions options) {
    InetSocketAddress address = socketAddress(local);
    SocketProtocolFamily family =
        local.ip().isV6() ? SocketProtocolFamily.INET6 : SocketProtocolFamily.INET;
    DatagramChannel channel;
    try {
      channel = isEpoll ? new EpollDatagramChannel(family) : new NioDatagramChannel(family);
    } catch (RuntimeException e) {
      // Netty wraps what socket() says, such as too many open files
      return failed("socket", e);
    }
    var socket = new Socket(channel, local);
    channel.config().setOption(ChannelOption.RECVBUF_ALLOCATOR, allocator());
    wish(channel, ChannelOption.SO_RCVBUF, options.receiveBufferBytes());
    wish(channel, ChannelOption.SO_SNDBUF, options.sendBufferBytes());
    // the upper six bits of the octet are the DSCP (RFC 2474 3)
    wish(channel, ChannelOption.IP_TOS, options.dscp() << 2);
    channel.pipeline().addLast(socket);
    Throwable failure = failure(eventLoop.register(channel));
    if (failure == null) {
      failure = failure(channel.bind(address));
    }
    if (failure != null) {
      channel.close();
      return failed("bind", failure);
    }
    socket.local = local.withPort(channel.localAddress().getPort());
    sockets.add(socket);
    return new BindAnswer.Bound(socket);
  }

  /** One byte more than the limit, to see what is over it. */
  private FixedRecvByteBufAllocator allocator() {
    var allocator = new FixedRecvByteBufAllocator(maxDatagramBytes + 1);
    allocator.maxMessagesPerRead(BURST);
    return allocator;
  }

  /** A smaller buffer or an unmarked packet is no reason to refuse a call. */
  private static void wish(Channel channel, ChannelOption<Integer> option, int value) {
    if (value > 0) {
      try {
        channel.config().setOption(option, value);
      } catch (RuntimeException e) {
        // kept as the system has it; a small receive buffer is seen by receiveBufferBytes()
        return;
      }
    }
  }

  /** What went wrong; on the event loop's own thread the future is done when it is returned. */
  private static @Nullable Throwable failure(ChannelFuture future) {
    if (future.isSuccess()) {
      return null;
    }
    Throwable cause = future.cause();
    return cause == null ? new IllegalStateException("Expected an answer at once") : cause;
  }

  private static BindAnswer failed(String call, Throwable cause) {
    int errno = 0;
    String text = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof NativeIoException systemError) {
        errno = -systemError.expectedErr();
      }
      text += " " + String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
    }
    BindFailure failure;
    if (text.contains("in use")) {
      failure = BindFailure.ADDRESS_IN_USE;
    } else if (text.contains("assign requested address")) {
      failure = BindFailure.ADDRESS_NOT_AVAILABLE;
    } else if (text.contains("permi")) {
      failure = BindFailure.NOT_PERMITTED;
    } else if (text.contains("too many open files")) {
      failure = BindFailure.TOO_MANY_OPEN_FILES;
    } else {
      failure = BindFailure.OTHER;
    }
    return new BindAnswer.Failed(failure, errno, call + ": " + cause.getMessage());
  }

  private static InetSocketAddress socketAddress(Endpoint endpoint) {
    return socketAddress(endpoint.ip().octets(), endpoint.port());
  }

  private static InetSocketAddress socketAddress(byte[] octets, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(octets), port);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("Expected 4 or 16 octets, but got " + octets.length, e);
    }
  }

  @Override
  public void afterClosing(Runnable task) {
    afterClosing.add(task);
    eventLoop.schedule(
        () -> {
          if (afterClosing.remove(task)) {
            guarded(task);
          }
        },
        AFTER_CLOSING_MS,
        TimeUnit.MILLISECONDS);
  }

  @Override
  public long nowNs() {
    return nowNs;
  }

  private void flush() {
    for (Socket socket : toFlush) {
      socket.needsFlush = false;
      socket.channel.flush();
    }
    toFlush.clear();
  }

  private final class Socket extends ChannelInboundHandlerAdapter implements PacketSocket {

    private final DatagramChannel channel;
    private Endpoint local;
    private @Nullable PacketReader reader;
    private @Nullable InetSocketAddress destination;
    private boolean needsFlush;

    Socket(DatagramChannel channel, Endpoint local) {
      this.channel = channel;
      this.local = local;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (!isReading) {
        isReading = true;
        readClock();
      }
      var packet = (DatagramPacket) message;
      ByteBuf content = packet.content();
      try {
        deliver(content, packet.sender());
      } catch (RuntimeException e) {
        ownerNow().failed(e);
      } finally {
        datagram = null;
        content.release();
      }
    }

    private void deliver(ByteBuf content, InetSocketAddress sender) {
      PacketReader to = reader;
      if (to == null) {
        return;
      }
      int bytes = content.readableBytes();
      if (bytes > maxDatagramBytes) {
        to.receivedTooLong();
        return;
      }
      ByteBuffer bytesOfLoop = content.internalNioBuffer(content.readerIndex(), bytes);
      datagram = content;
      datagramAt = bytesOfLoop.position();
      byte[] octets = sender.getAddress().getAddress();
      boolean isV4 = octets.length == 4;
      to.received(
          bytesOfLoop,
          datagramAt,
          bytes,
          isV4 ? AddressBits.V4_HIGH : bits(octets, 0, Long.BYTES),
          isV4 ? AddressBits.v4Low((int) bits(octets, 0, 4)) : bits(octets, Long.BYTES, Long.BYTES),
          sender.getPort());
    }

    private static long bits(byte[] octets, int from, int count) {
      long bits = 0;
      for (int i = from; i < from + count; i++) {
        bits = bits << 8 | octets[i] & 0xff;
      }
      return bits;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      isReading = false;
      flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // A peer that is gone shows itself so (ICMP); the packet is lost, as it would be on the way.
    }

    @Override
    public Endpoint local() {
      return local;
    }

    @Override
    public void readBy(PacketReader to) {
      reader = to;
    }

    @Override
    public int receiveBufferBytes() {
      return channel.config().getReceiveBufferSize();
    }

    @Override
    public void destination(long high, long low, int port) {
      destination = socketAddress(AddressBits.octets(high, low), port);
    }

    @Override
    public boolean send(int at, int bytes, int kind) {
      ByteBuf from = datagram;
      InetSocketAddress to = destination;
      if (from == null || to == null) {
        throw new IllegalStateException("Expected a datagram and a destination");
      }
      // above the high-water mark the system does not take what was written
      if (!channel.isWritable()) {
        return false;
      }
      ByteBuf content = from.retainedSlice(from.readerIndex() + at - datagramAt, bytes);
      channel.write(new DatagramPacket(content, to), channel.voidPromise());
      if (!needsFlush) {
        needsFlush = true;
        toFlush.add(this);
      }
      return true;
    }

    @Override
    public long kernelDrops() {
      return 0;
    }

    @Override
    public void close() {
      if (sockets.remove(this)) {
        channel.close();
      }
    }
  }
}
