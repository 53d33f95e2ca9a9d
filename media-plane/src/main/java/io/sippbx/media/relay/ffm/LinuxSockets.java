package io.sippbx.media.relay.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The system calls of the packet loop, as Linux has them on x86-64 and aarch64, and their numbers.
 *
 * <p>Each returns what the C library returns. After -1, {@link Caller#errno} tells why for those of
 * a {@link Caller}; the others, made for each packet, do without it, because taking it along makes
 * an object where the JIT does not remove it. Pointers are passed as {@code long}: the memory
 * behind them belongs to the loop and outlives every call, so that nothing need keep it alive for
 * the time of one, and passing it makes no object.
 *
 * <p>Calls that cannot block are linked as critical: the thread does not leave and enter the Java
 * state. They hold up a safepoint for as long as they take, some microseconds; that is why {@code
 * epoll_wait} is not.
 */
final class LinuxSockets {

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int SOCK_DGRAM = 2;
  static final int SOCK_NONBLOCK = 0x800;
  static final int SOCK_CLOEXEC = 0x80000;
  static final int SOL_SOCKET = 1;
  static final int SO_SNDBUF = 7;
  static final int SO_RCVBUF = 8;
  static final int SO_MEMINFO = 55;
  static final int SK_MEMINFO_VARS = 9;
  static final int SK_MEMINFO_DROPS = 8;
  static final int IPPROTO_IP = 0;
  static final int IP_TOS = 1;
  static final int IPPROTO_IPV6 = 41;
  static final int IPV6_V6ONLY = 26;
  static final int IPV6_TCLASS = 67;
  static final int MSG_TRUNC = 0x20;
  static final int MSG_DONTWAIT = 0x40;
  static final int EPOLL_CLOEXEC = 0x80000;
  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLLIN = 1;
  static final int EFD_NONBLOCK = 0x800;
  static final int EFD_CLOEXEC = 0x80000;

  static final int EPERM = 1;
  static final int EINTR = 4;
  static final int EACCES = 13;
  static final int ENFILE = 23;
  static final int EMFILE = 24;
  static final int EADDRINUSE = 98;
  static final int EADDRNOTAVAIL = 99;
  static final int ENOBUFS = 105;

  /** struct sockaddr_in: family, port, address, 8 bytes of nothing. */
  static final int SOCKADDR_IN_BYTES = 16;

  /** struct sockaddr_in6: family, port, flow information, address, scope. */
  static final int SOCKADDR_IN6_BYTES = 28;

  static final int SOCKADDR_PORT_AT = 2;
  static final int SOCKADDR_IN_ADDRESS_AT = 4;
  static final int SOCKADDR_IN6_ADDRESS_AT = 8;

  /** struct epoll_event is packed on x86-64, and on no other: the 64 bits of data follow at 4. */
  static final boolean EPOLL_EVENT_IS_PACKED = isX86();

  static final int EPOLL_EVENT_BYTES = EPOLL_EVENT_IS_PACKED ? 12 : 16;
  static final int EPOLL_EVENT_DATA_AT = EPOLL_EVENT_IS_PACKED ? 4 : 8;

  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 1;
  private static final int MAP_POPULATE = 0x8000;
  private static final long SYS_IO_URING_SETUP = 425;
  private static final long SYS_IO_URING_ENTER = 426;
  private static final long SYS_IO_URING_REGISTER = 427;

  /** struct sched_attr of SCHED_OTHER, in which the runtime is the length of a turn. */
  static final int SCHED_ATTR_BYTES = 48;

  static final long SCHED_ATTR_RUNTIME_AT = 24;
  private static final long SCHED_ATTR_POLICY_AT = 4;
  private static final int SCHED_OTHER = 0;
  static final long SHORTEST_TURN_NS = 100_000;
  private static final long SYS_SCHED_SETATTR = isX86() ? 314 : 274;
  private static final long SYS_SCHED_GETATTR = isX86() ? 315 : 275;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle SOCKET = shortCall("socket", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = shortCall("bind", JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = shortCall("close", JAVA_INT);
  private static final MethodHandle GETSOCKNAME =
      shortCall("getsockname", JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SETSOCKOPT =
      shortCall("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle GETSOCKOPT =
      shortCall("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EPOLL_CREATE1 = shortCall("epoll_create1", JAVA_INT);
  private static final MethodHandle EPOLL_CTL =
      shortCall("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle EVENTFD = shortCall("eventfd", JAVA_INT, JAVA_INT);
  private static final MethodHandle EPOLL_WAIT =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("epoll_wait"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));
  private static final MethodHandle EPOLL_LOOK =
      shortCall("epoll_wait", JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle RECVFROM =
      shortTransfer("recvfrom", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SENDTO =
      shortTransfer("sendto", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle READ = shortTransfer("read", JAVA_INT, JAVA_LONG, JAVA_LONG);

  /** By other threads than the loop's, so without errno. */
  private static final MethodHandle WRITE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("write"),
          FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG),
          Linker.Option.critical(false));

  /** For calls that the C library has no function for. */
  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("syscall"),
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(1));

  private static final MethodHandle MMAP =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("mmap"),
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("munmap"),
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle RING_CALL = ringCall();
  private static final MethodHandle RING_CALL_WITH_ERRNO =
      ringCall(Linker.Option.captureCallState("errno"));

  private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1L);

  private LinuxSockets() {}

  private static boolean isX86() {
    return System.getProperty("os.arch").toLowerCase(Locale.ROOT).matches("amd64|x86_64");
  }

  private static MethodHandle shortCall(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(JAVA_INT, arguments),
        Linker.Option.captureCallState("errno"),
        Linker.Option.critical(false));
  }

  /** The number of a call and its arguments. */
  private static MethodHandle ringCall(Linker.Option... options) {
    var all = new ArrayList<>(List.of(options));
    all.add(Linker.Option.firstVariadicArg(1));
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow("syscall"),
        FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
        all.toArray(Linker.Option[]::new));
  }

  /** Without errno: a datagram that does not go through is lost whatever the reason. */
  private static MethodHandle shortTransfer(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(JAVA_LONG, arguments),
        Linker.Option.critical(false));
  }

  /**
   * Asks for the shortest turns that the scheduler gives, so that this thread runs soon after it
   * was woken, before others that compute for longer; its share of the time stays what it is. Needs
   * no privilege. A system that does not know of it (Linux before 6.12) goes on as before.
   *
   * @param attributes memory of {@value #SCHED_ATTR_BYTES} bytes
   * @return whether the system took it
   */
  static boolean askForShortTurns(MemorySegment attributes) {
    if (!readScheduling(attributes)
        || attributes.get(JAVA_INT, SCHED_ATTR_POLICY_AT) != SCHED_OTHER) {
      return false;
    }
    attributes.set(JAVA_LONG, SCHED_ATTR_RUNTIME_AT, SHORTEST_TURN_NS);
    try {
      return (long) SYSCALL.invokeExact(SYS_SCHED_SETATTR, 0, attributes.address(), 0, 0) == 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** How this thread is scheduled, as a struct sched_attr; whether the system told. */
  static boolean readScheduling(MemorySegment attributes) {
    try {
      return (long)
              SYSCALL.invokeExact(SYS_SCHED_GETATTR, 0, attributes.address(), SCHED_ATTR_BYTES, 0)
          == 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Adds 1 to an eventfd; from any thread. */
  static void wake(int eventFd) {
    try {
      long ignored = (long) WRITE.invokeExact(eventFd, ONE, 8L);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Blocks for up to {@code timeoutMs}; -1 when interrupted, see {@link Caller#epollLook}. */
  static int epollWait(int epollFd, long events, int capacity, int timeoutMs) {
    try {
      return (int) EPOLL_WAIT.invokeExact(epollFd, events, capacity, timeoutMs);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static long read(int fd, long buffer, long bytes) {
    try {
      return (long) READ.invokeExact(fd, buffer, bytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Never blocks; the length is that of the datagram, even if it was cut off. */
  static long receive(int fd, long buffer, long capacity, long sockaddr, long sockaddrBytes) {
    try {
      return (long)
          RECVFROM.invokeExact(
              fd, buffer, capacity, MSG_DONTWAIT | MSG_TRUNC, sockaddr, sockaddrBytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Never blocks. */
  static long send(int fd, long buffer, long length, long sockaddr, int sockaddrBytes) {
    try {
      return (long) SENDTO.invokeExact(fd, buffer, length, MSG_DONTWAIT, sockaddr, sockaddrBytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /**
   * Gives an io_uring requests, and waits if it is told to; negative for one of many reasons, see
   * {@link Caller#ringLook}.
   */
  static long ringEnter(int fd, int requests, int answers, int flags, long argument, int bytes) {
    try {
      return (long)
          RING_CALL.invokeExact(
              SYS_IO_URING_ENTER,
              (long) fd,
              (long) requests,
              (long) answers,
              (long) flags,
              argument,
              (long) bytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Memory that is shared with the kernel; -1 if there is none. */
  static long map(int fd, long bytes, long offset) {
    try {
      return (long)
          MMAP.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static void unmap(long address, long bytes) {
    try {
      int ignored = (int) MUNMAP.invokeExact(address, bytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static IllegalStateException unexpected(Throwable t) {
    return new IllegalStateException("Expected a system call to return, but it threw", t);
  }

  /** Calls on behalf of one thread, with errno. */
  static final class Caller {

    private final MemorySegment state;

    Caller(Arena arena) {
      state = arena.allocate(CALL_STATE);
    }

    /** Why the last call returned -1. */
    int errno() {
      return (int) ERRNO.get(state, 0L);
    }

    int socket(int family, int type) {
      try {
        return (int) SOCKET.invokeExact(state, family, type, 0);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int bind(int fd, long sockaddr, int bytes) {
      try {
        return (int) BIND.invokeExact(state, fd, sockaddr, bytes);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int close(int fd) {
      try {
        return (int) CLOSE.invokeExact(state, fd);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int getsockname(int fd, long sockaddr, long bytes) {
      try {
        return (int) GETSOCKNAME.invokeExact(state, fd, sockaddr, bytes);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int setsockopt(int fd, int level, int option, long value, int bytes) {
      try {
        return (int) SETSOCKOPT.invokeExact(state, fd, level, option, value, bytes);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int getsockopt(int fd, int level, int option, long value, long bytes) {
      try {
        return (int) GETSOCKOPT.invokeExact(state, fd, level, option, value, bytes);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int epollCreate() {
      try {
        return (int) EPOLL_CREATE1.invokeExact(state, EPOLL_CLOEXEC);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int epollControl(int epollFd, int operation, int fd, long event) {
      try {
        return (int) EPOLL_CTL.invokeExact(state, epollFd, operation, fd, event);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    /** What {@link LinuxSockets#epollWait} would say without waiting, and with errno. */
    int epollLook(int epollFd, long events, int capacity) {
      try {
        return (int) EPOLL_LOOK.invokeExact(state, epollFd, events, capacity, 0);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int eventFd() {
      try {
        return (int) EVENTFD.invokeExact(state, 0, EFD_NONBLOCK | EFD_CLOEXEC);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }

    int ringSetup(int requests, long params) {
      return (int) ringCall(SYS_IO_URING_SETUP, requests, params, 0, 0, 0, 0);
    }

    int ringRegister(int fd, int operation, long argument, int count) {
      return (int) ringCall(SYS_IO_URING_REGISTER, fd, operation, argument, count, 0, 0);
    }

    /** What {@link LinuxSockets#ringEnter} would say without waiting, and with errno. */
    int ringLook(int fd, int requests, int flags) {
      return (int) ringCall(SYS_IO_URING_ENTER, fd, requests, 0, flags, 0, 0);
    }

    private long ringCall(long number, long a, long b, long c, long d, long e, long f) {
      try {
        return (long) RING_CALL_WITH_ERRNO.invokeExact(state, number, a, b, c, d, e, f);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }
  }
}
