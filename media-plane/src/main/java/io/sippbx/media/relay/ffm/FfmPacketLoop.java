package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The packet loop on epoll. Level-triggered: a socket with more to read is told of again, so that
 * one datagram is read of each, with no call to learn that there is no other. A socket that was
 * ready in the turn before too has a queue, and is read up to {@value PacketLoop#BURST} times.
 */
public final class FfmPacketLoop implements PacketLoop {

  private static final int EVENTS = 256;
  private static final int FIRST_SOCKETS = 1024;

  private final String threadName;
  private final LongSupplier clock;
  private final int maxDatagramBytes;
  private final AtomicBoolean wakeAsked = new AtomicBoolean();

  /** Held to write to the eventfd or to close it: its number may be another file's afterwards. */
  private final Object eventFdLock = new Object();

  private boolean eventFdClosed;
  private volatile boolean isStopping;
  private @Nullable Thread thread;

  private final Arena arena = Arena.ofAuto();
  private final Caller system = new Caller(arena);
  private final int epollFd;
  private final int eventFd;

  /** struct epoll_event of one wait, and the view to read them by. */
  private final MemorySegment eventMemory = arena.allocate((long) EVENTS * EPOLL_EVENT_BYTES, 8);

  private final ByteBuffer events = eventMemory.asByteBuffer().order(ByteOrder.nativeOrder());

  /** The datagram that is being read. */
  private final MemorySegment datagramMemory;

  private final ByteBuffer datagram;
  private final long datagramAddress;

  /** Arguments of calls: a sockaddr, a length, an option's value. */
  private final MemorySegment sourceMemory = arena.allocate(32, 8);

  private final ByteBuffer source = sourceMemory.asByteBuffer();
  private final ByteBuffer sourceNative =
      sourceMemory.asByteBuffer().order(ByteOrder.nativeOrder());
  private final MemorySegment lengthMemory = arena.allocate(8, 8);
  private final ByteBuffer length = lengthMemory.asByteBuffer().order(ByteOrder.nativeOrder());
  private final MemorySegment optionMemory = arena.allocate(4L * SK_MEMINFO_VARS, 8);
  private final ByteBuffer option = optionMemory.asByteBuffer().order(ByteOrder.nativeOrder());

  /** By file descriptor, which the kernel keeps small. */
  private @Nullable Socket[] sockets = new Socket[FIRST_SOCKETS];

  private long nowNs;
  private long turn;

  /**
   * @param clock nanoseconds that never go back
   * @param maxDatagramBytes a longer datagram is dropped
   */
  public FfmPacketLoop(String threadName, LongSupplier clock, int maxDatagramBytes) {
    if (!isSupported()) {
      throw new IllegalStateException("Expected Linux on x86-64 or aarch64");
    }
    this.threadName = threadName;
    this.clock = clock;
    this.maxDatagramBytes = maxDatagramBytes;
    datagramMemory = arena.allocate(maxDatagramBytes, 64);
    datagram = datagramMemory.asByteBuffer();
    datagramAddress = datagramMemory.address();
    epollFd = system.epollCreate();
    eventFd = system.eventFd();
    if (epollFd < 0 || eventFd < 0 || !watch(eventFd)) {
      throw new IllegalStateException(
          "Expected epoll and eventfd, but got errno " + system.errno());
    }
  }

  /**
   * Whether the loop knows the system calls of this machine, and the JVM lets it make them ({@code
   * --illegal-native-access=deny} may not).
   */
  public static boolean isSupported() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    if (!System.getProperty("os.name").equals("Linux")
        || !arch.matches("amd64|x86_64|aarch64|arm64")) {
      return false;
    }
    try {
      return new Caller(Arena.ofAuto()).errno() == 0;
    } catch (LinkageError | IllegalCallerException e) {
      return false;
    }
  }

  private boolean watch(int fd) {
    events.putInt(0, EPOLLIN);
    events.putLong(EPOLL_EVENT_DATA_AT, fd);
    return system.epollControl(epollFd, EPOLL_CTL_ADD, fd, eventMemory.address()) == 0;
  }

  @Override
  public void start(Owner owner) {
    nowNs = clock.getAsLong();
    thread = Thread.ofPlatform().name(threadName).daemon(true).start(() -> run(owner));
  }

  @Override
  public void wakeUp() {
    if (wakeAsked.compareAndSet(false, true)) {
      synchronized (eventFdLock) {
        if (!eventFdClosed) {
          LinuxSockets.wake(eventFd);
        }
      }
    }
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running == null) {
      if (!isStopping) {
        isStopping = true;
        closeAll();
      }
      return;
    }
    isStopping = true;
    wakeUp();
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run(Owner owner) {
    long lastTickNs = nowNs;
    while (!isStopping) {
      int ready = epollWait(epollFd, eventMemory.address(), EVENTS, TICK_MS);
      nowNs = clock.getAsLong();
      turn++;
      if (ready < 0) {
        // interrupted by a signal: there is nothing to learn but whether that is all
        ready = system.epollLook(epollFd, eventMemory.address(), EVENTS);
        if (ready < 0 && system.errno() != EINTR) {
          owner.failed(new IllegalStateException("epoll_wait: errno " + system.errno()));
        }
      }
      try {
        boolean woken = false;
        for (int i = 0; i < ready; i++) {
          Socket socket = sockets[events.getInt(i * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA_AT)];
          if (socket == null) {
            woken = true;
          } else {
            socket.read();
          }
        }
        if (woken) {
          clearWake();
          owner.wokenUp();
        }
        if (nowNs - lastTickNs >= TICK_MS * 1_000_000L) {
          lastTickNs = nowNs;
          owner.tick();
        }
      } catch (RuntimeException e) {
        owner.failed(e);
      }
    }
    closeAll();
    owner.stopped();
  }

  /** Clears the eventfd before the flag, so that no later wake-up is lost. */
  private void clearWake() {
    long ignored = LinuxSockets.read(eventFd, optionMemory.address(), 8);
    wakeAsked.set(false);
  }

  private void closeAll() {
    for (Socket socket : sockets) {
      if (socket != null) {
        socket.close();
      }
    }
    system.close(epollFd);
    synchronized (eventFdLock) {
      eventFdClosed = true;
      system.close(eventFd);
    }
  }

  @Override
  public BindAnswer bind(Endpoint local, SocketOptions options) {
    boolean isV6 = local.ip().isV6();
    int fd = system.socket(isV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return failed("socket");
    }
    // IPV6_V6ONLY: the IPv4 port of the same number is lent on its own
    if (isV6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
      return failed("setsockopt IPV6_V6ONLY", fd);
    }
    // What follows is a wish: a smaller buffer or an unmarked packet is no reason to refuse a call.
    if (options.receiveBufferBytes() > 0) {
      set(fd, SOL_SOCKET, SO_RCVBUF, options.receiveBufferBytes());
    }
    if (options.sendBufferBytes() > 0) {
      set(fd, SOL_SOCKET, SO_SNDBUF, options.sendBufferBytes());
    }
    if (options.dscp() > 0) {
      // the upper six bits of the octet are the DSCP (RFC 2474 3)
      set(fd, isV6 ? IPPROTO_IPV6 : IPPROTO_IP, isV6 ? IPV6_TCLASS : IP_TOS, options.dscp() << 2);
    }
    writeSockaddr(
        source,
        sourceNative,
        isV6,
        AddressBits.high(local.ip()),
        AddressBits.low(local.ip()),
        local.port());
    int bytes = isV6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
    if (system.bind(fd, sourceMemory.address(), bytes) != 0) {
      return failed("bind", fd);
    }
    length.putInt(0, SOCKADDR_IN6_BYTES);
    if (system.getsockname(fd, sourceMemory.address(), lengthMemory.address()) != 0) {
      return failed("getsockname", fd);
    }
    int port = source.getShort(SOCKADDR_PORT_AT) & 0xffff;
    var socket = new Socket(fd, local.withPort(port), granted(fd));
    if (fd >= sockets.length) {
      sockets = Arrays.copyOf(sockets, Math.max(fd + 1, sockets.length * 2));
    }
    if (!watch(fd)) {
      return failed("epoll_ctl", fd);
    }
    sockets[fd] = socket;
    return new BindAnswer.Bound(socket);
  }

  private boolean set(int fd, int level, int name, int value) {
    option.putInt(0, value);
    return system.setsockopt(fd, level, name, optionMemory.address(), 4) == 0;
  }

  private int granted(int fd) {
    length.putInt(0, 4);
    int result =
        system.getsockopt(
            fd, SOL_SOCKET, SO_RCVBUF, optionMemory.address(), lengthMemory.address());
    return result == 0 ? option.getInt(0) : 0;
  }

  private BindAnswer failed(String call, int fd) {
    BindAnswer answer = failed(call);
    system.close(fd);
    return answer;
  }

  private BindAnswer failed(String call) {
    int errno = system.errno();
    BindFailure failure =
        switch (errno) {
          case EADDRINUSE -> BindFailure.ADDRESS_IN_USE;
          case EADDRNOTAVAIL -> BindFailure.ADDRESS_NOT_AVAILABLE;
          case EACCES, EPERM -> BindFailure.NOT_PERMITTED;
          case EMFILE, ENFILE -> BindFailure.TOO_MANY_OPEN_FILES;
          default -> BindFailure.OTHER;
        };
    return new BindAnswer.Failed(failure, errno, call + ": errno " + errno);
  }

  /** A closed socket's port is free when close returns. */
  @Override
  public void afterClosing(Runnable task) {
    task.run();
  }

  @Override
  public long nowNs() {
    return nowNs;
  }

  private static void writeSockaddr(
      ByteBuffer network, ByteBuffer host, boolean isV6, long high, long low, int port) {
    host.putShort(0, (short) (isV6 ? AF_INET6 : AF_INET));
    network.putShort(SOCKADDR_PORT_AT, (short) port);
    if (isV6) {
      network.putInt(SOCKADDR_IN_ADDRESS_AT, 0);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT, high);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT + 8, low);
      network.putInt(SOCKADDR_IN6_ADDRESS_AT + 16, 0);
    } else {
      network.putInt(SOCKADDR_IN_ADDRESS_AT, (int) low);
      network.putLong(SOCKADDR_IN_ADDRESS_AT + 4, 0);
    }
  }

  /** A socket; its file descriptor is open to tests. */
  final class Socket implements PacketSocket {

    final int fd;
    private final Endpoint local;
    private final boolean isV6;
    private final int receiveBufferBytes;

    private final MemorySegment destinationMemory = Arena.ofAuto().allocate(32, 8);
    private final long destinationAddress = destinationMemory.address();
    private final int destinationBytes;
    private final ByteBuffer destination = destinationMemory.asByteBuffer();
    private final ByteBuffer destinationNative =
        destinationMemory.asByteBuffer().order(ByteOrder.nativeOrder());

    private @Nullable PacketReader reader;
    private long readyTurn;
    private boolean isClosed;

    Socket(int fd, Endpoint local, int receiveBufferBytes) {
      this.fd = fd;
      this.local = local;
      this.isV6 = local.ip().isV6();
      this.receiveBufferBytes = receiveBufferBytes;
      destinationBytes = isV6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
    }

    private void read() {
      int times = readyTurn == turn - 1 ? BURST : 1;
      readyTurn = turn;
      for (int i = 0; i < times && !isClosed; i++) {
        length.putInt(0, SOCKADDR_IN6_BYTES);
        long bytes =
            receive(
                fd,
                datagramAddress,
                maxDatagramBytes,
                sourceMemory.address(),
                lengthMemory.address());
        if (bytes < 0) {
          // EAGAIN, or an error of the socket that the call has taken away with it
          return;
        }
        deliver((int) bytes);
      }
    }

    private void deliver(int bytes) {
      PacketReader to = reader;
      if (to == null) {
        return;
      }
      if (bytes > maxDatagramBytes) {
        to.receivedTooLong();
        return;
      }
      int port = source.getShort(SOCKADDR_PORT_AT) & 0xffff;
      if (isV6) {
        to.received(
            datagram,
            0,
            bytes,
            source.getLong(SOCKADDR_IN6_ADDRESS_AT),
            source.getLong(SOCKADDR_IN6_ADDRESS_AT + 8),
            port);
      } else {
        long low = AddressBits.v4Low(source.getInt(SOCKADDR_IN_ADDRESS_AT));
        to.received(datagram, 0, bytes, AddressBits.V4_HIGH, low, port);
      }
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
      return receiveBufferBytes;
    }

    @Override
    public void destination(long high, long low, int port) {
      writeSockaddr(destination, destinationNative, isV6, high, low, port);
    }

    @Override
    public boolean send(int at, int bytes) {
      return LinuxSockets.send(
              fd, datagramAddress + at, bytes, destinationAddress, destinationBytes)
          >= 0;
    }

    @Override
    public long kernelDrops() {
      length.putInt(0, 4 * SK_MEMINFO_VARS);
      int result =
          system.getsockopt(
              fd, SOL_SOCKET, SO_MEMINFO, optionMemory.address(), lengthMemory.address());
      boolean told = result == 0 && length.getInt(0) >= 4 * SK_MEMINFO_VARS;
      return told ? option.getInt(4 * SK_MEMINFO_DROPS) & 0xffff_ffffL : 0;
    }

    @Override
    public void close() {
      if (!isClosed) {
        isClosed = true;
        sockets[fd] = null;
        // closing takes the socket out of epoll: no other file descriptor refers to it
        system.close(fd);
      }
    }
  }
}
