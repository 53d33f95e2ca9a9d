package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.PacketLoop;
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

  private final CallMemory memory;

  /** By file descriptor, which the kernel keeps small. */
  private @Nullable FfmSocket[] sockets = new FfmSocket[FIRST_SOCKETS];

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
    memory = new CallMemory(arena, maxDatagramBytes);
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
    boolean ignored = LinuxSockets.askForShortTurns(arena.allocate(SCHED_ATTR_BYTES, 8));
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
          FfmSocket socket = sockets[events.getInt(i * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA_AT)];
          if (socket == null) {
            woken = true;
          } else {
            socket.read(turn);
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
    long ignored = LinuxSockets.read(eventFd, memory.optionMemory.address(), 8);
    wakeAsked.set(false);
  }

  private void closeAll() {
    for (FfmSocket socket : sockets) {
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
    int bytes =
        memory.source.write(
            isV6, AddressBits.high(local.ip()), AddressBits.low(local.ip()), local.port());
    if (system.bind(fd, memory.source.address, bytes) != 0) {
      return failed("bind", fd);
    }
    int port = local.port() == 0 ? chosenPort(fd) : local.port();
    if (port == 0) {
      return failed("getsockname", fd);
    }
    var socket =
        new FfmSocket(
            fd,
            local.port() == 0 ? local.withPort(port) : local,
            system,
            memory,
            closed -> sockets[closed] = null);
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
    memory.option.putInt(0, value);
    return system.setsockopt(fd, level, name, memory.optionMemory.address(), 4) == 0;
  }

  /** The port that the system has bound; 0 if it does not tell. */
  private int chosenPort(int fd) {
    memory.length.putInt(0, SOCKADDR_IN6_BYTES);
    int result = system.getsockname(fd, memory.source.address, memory.lengthMemory.address());
    return result == 0 ? memory.source.port() : 0;
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
}
