package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;

/**
 * One thread and its UDP sockets: the port to the system, of which there are two adapters.
 *
 * <p>Only {@link #wakeUp} and {@link #stop} may be called from other threads; the rest, and all
 * methods of the sockets, belong to the loop's own thread, on which also the owner and the readers
 * are called.
 */
public interface PacketLoop {

  /** How often {@link Owner#tick} comes, about, in milliseconds. */
  int TICK_MS = 100;

  /** How many datagrams are read from one socket before the others get their turn. */
  int BURST = 16;

  /** What the loop runs besides its sockets. */
  interface Owner {

    /** After one or more calls of {@link PacketLoop#wakeUp}. */
    void wokenUp();

    /** About every {@value PacketLoop#TICK_MS} ms of the loop's clock. */
    void tick();

    /** At the end, once no socket is open any more. The last call. */
    void stopped();

    /** One of the above, or a reader, threw: a defect. The loop goes on. */
    void failed(RuntimeException defect);
  }

  /** The answer to {@link #bind}. */
  sealed interface BindAnswer {

    /** The socket is bound; until it has a reader, what comes is lost. */
    record Bound(PacketSocket socket) implements BindAnswer {}

    /**
     * It is not.
     *
     * @param errno 0 where the adapter does not tell
     * @param detail for a log line
     */
    record Failed(OpenResult.BindFailure failure, int errno, String detail) implements BindAnswer {}
  }

  /**
   * How a socket is to be.
   *
   * @param receiveBufferBytes 0: the system's default
   * @param sendBufferBytes 0: the system's default
   * @param dscp 0 to 63
   */
  record SocketOptions(int receiveBufferBytes, int sendBufferBytes, int dscp) {}

  /** Starts the thread. Called once. */
  void start(Owner owner);

  /** Makes the loop call {@link Owner#wokenUp} soon. Many calls may come to one. */
  void wakeUp();

  /** Closes all sockets and waits until the thread has ended. */
  void stop();

  /** Binds a UDP socket; an IPv6 one takes IPv6 only. */
  BindAnswer bind(Endpoint local, SocketOptions options);

  /** Runs {@code task} on the loop once all ports of sockets closed before are free. */
  void afterClosing(Runnable task);

  /** The loop's clock as of the beginning of this turn: it is read once for many packets. */
  long nowNs();
}
