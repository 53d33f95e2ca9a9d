package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What the loops on Linux have in common: thread, wake-up by an eventfd, and bound sockets. */
abstract class LinuxLoop implements PacketLoop {

  final LongSupplier clock;
  final Arena arena = Arena.ofAuto();
  final Caller system = new Caller(arena);
  final CallMemory memory;
  final int eventFd;

  /** The clock as of the beginning of this turn. */
  long nowNs;

  volatile boolean isStopping;

  private final String threadName;
  private final AtomicBoolean wakeAsked = new AtomicBoolean();

  /** Held to write to the eventfd or to close it: its number may be another file's afterwards. */
  private final Object eventFdLock = new Object();

  private boolean eventFdClosed;
  private @Nullable Thread thread;

  LinuxLoop(String threadName, LongSupplier clock, int maxDatagramBytes) {
    if (!isLinux()) {
      throw new IllegalStateException("Expected Linux on x86-64 or aarch64");
    }
    this.threadName = threadName;
    this.clock = clock;
    memory = new CallMemory(arena, maxDatagramBytes);
    eventFd = system.eventFd();
    if (eventFd < 0) {
      throw new IllegalStateException("Expected an eventfd, but got errno " + system.errno());
    }
  }

  /**
   * Whether the system calls of this machine are known, and the JVM lets them be made ({@code
   * --illegal-native-access=deny} may not).
   */
  static boolean isLinux() {
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

  /** Turns until {@link #isStopping}, on the loop's thread. */
  abstract void turns(Owner owner);

  /** Closes all but the eventfd. */
  abstract void closeAll();

  /** The socket of this file descriptor, watched from now on; null if that cannot be. */
  abstract @Nullable LinuxSocket hold(int fd, Endpoint local);

  @Override
  public final void start(Owner owner) {
    nowNs = clock.getAsLong();
    thread = Thread.ofPlatform().name(threadName).daemon(true).start(() -> run(owner));
  }

  private void run(Owner owner) {
    boolean ignored = LinuxSockets.askForShortTurns(arena.allocate(SCHED_ATTR_BYTES, 8));
    turns(owner);
    end();
    owner.stopped();
  }

  private void end() {
    closeAll();
    synchronized (eventFdLock) {
      eventFdClosed = true;
      system.close(eventFd);
    }
  }

  @Override
  public final void wakeUp() {
    if (wakeAsked.compareAndSet(false, true)) {
      synchronized (eventFdLock) {
        if (!eventFdClosed) {
          LinuxSockets.wake(eventFd);
        }
      }
    }
  }

  /** Clears the eventfd before the flag, so that no later wake-up is lost. */
  final void clearWake() {
    long ignored = LinuxSockets.read(eventFd, memory.optionMemory.address(), 8);
    wakeAsked.set(false);
  }

  @Override
  public final void stop() {
    Thread running = thread;
    if (running == null) {
      if (!isStopping) {
        isStopping = true;
        end();
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

  @Override
  public final BindAnswer bind(Endpoint local, SocketOptions options) {
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
    LinuxSocket socket = hold(fd, local.port() == 0 ? local.withPort(port) : local);
    return socket == null ? failed("watch", fd) : new BindAnswer.Bound(socket);
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

  @Override
  public final long nowNs() {
    return nowNs;
  }
}
