package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.PacketLoop;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The packet loop on epoll. Level-triggered: a socket with more to read is told of again, so that
 * one datagram is read of each, with no call to learn that there is no other. A socket that was
 * ready in the turn before too has a queue, and is read up to {@value PacketLoop#BURST} times.
 */
public final class FfmPacketLoop extends LinuxLoop {

  private static final int EVENTS = 256;
  private static final int FIRST_SOCKETS = 1024;

  private final int epollFd;

  /** struct epoll_event of one wait, and the view to read them by. */
  private final MemorySegment eventMemory = arena.allocate((long) EVENTS * EPOLL_EVENT_BYTES, 8);

  private final ByteBuffer events = eventMemory.asByteBuffer().order(ByteOrder.nativeOrder());

  /** By file descriptor, which the kernel keeps small. */
  private @Nullable FfmSocket[] sockets = new FfmSocket[FIRST_SOCKETS];

  private long turn;

  /**
   * @param clock nanoseconds that never go back
   * @param maxDatagramBytes a longer datagram is dropped
   */
  public FfmPacketLoop(String threadName, LongSupplier clock, int maxDatagramBytes) {
    super(threadName, clock, maxDatagramBytes);
    epollFd = system.epollCreate();
    if (epollFd < 0 || !watch(eventFd)) {
      throw new IllegalStateException("Expected epoll, but got errno " + system.errno());
    }
  }

  /**
   * Whether the loop knows the system calls of this machine, and the JVM lets it make them ({@code
   * --illegal-native-access=deny} may not).
   */
  public static boolean isSupported() {
    return isLinux();
  }

  private boolean watch(int fd) {
    events.putInt(0, EPOLLIN);
    events.putLong(EPOLL_EVENT_DATA_AT, fd);
    return system.epollControl(epollFd, EPOLL_CTL_ADD, fd, eventMemory.address()) == 0;
  }

  @Override
  void turns(Owner owner) {
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
  }

  @Override
  @Nullable LinuxSocket hold(int fd, Endpoint local) {
    if (fd >= sockets.length) {
      sockets = Arrays.copyOf(sockets, Math.max(fd + 1, sockets.length * 2));
    }
    if (!watch(fd)) {
      return null;
    }
    var socket = new FfmSocket(fd, local, this);
    sockets[fd] = socket;
    return socket;
  }

  /** A socket that is about to be closed. */
  void forget(FfmSocket socket) {
    sockets[socket.fd] = null;
  }

  @Override
  void closeAll() {
    for (FfmSocket socket : sockets) {
      if (socket != null) {
        socket.close();
      }
    }
    system.close(epollFd);
  }

  /** A closed socket's port is free when close returns. */
  @Override
  public void afterClosing(Runnable task) {
    task.run();
  }
}
