package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;

/**
 * A bound UDP socket of a {@link PacketLoop}, with one place that it sends to. For the loop's
 * thread only.
 */
public interface PacketSocket {

  /** Where it is bound, with the actual port. */
  Endpoint local();

  /** Gives what comes to this reader from now on. */
  void readBy(PacketReader reader);

  /** What the system gave as receive buffer, in bytes; it is asked each time. */
  int receiveBufferBytes();

  /**
   * Sends here from now on.
   *
   * @param high see {@link AddressBits}; of the socket's own family
   */
  void destination(long high, long low, int port);

  /**
   * Sends bytes of the datagram that is being read (of this or another socket of the loop) to the
   * destination, of which there must be one.
   *
   * @param kind 0 to 255, which {@link PacketReader#refused} is told if it comes to that
   * @return whether the system took it, or may have: false when its buffer is full or it refuses
   */
  boolean send(int at, int length, int kind);

  /** Datagrams that the kernel dropped because the receive buffer was full; 0 if not known. */
  long kernelDrops();

  /** Closes the socket, unless it is closed; see {@link PacketLoop#afterClosing}. */
  void close();
}
