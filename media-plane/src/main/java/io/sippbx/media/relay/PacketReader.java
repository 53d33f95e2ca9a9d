package io.sippbx.media.relay;

import java.nio.ByteBuffer;

/** Takes what a socket received. Called on the loop's thread. */
public interface PacketReader {

  /**
   * A datagram.
   *
   * @param buffer of the loop, in network byte order; may be changed in place, and is used for
   *     another datagram as soon as this method returns
   * @param at where the datagram begins
   * @param length of the datagram, 0 or more
   * @param high source address, see {@link AddressBits}
   * @param low source address
   * @param port source port
   */
  void received(ByteBuffer buffer, int at, int length, long high, long low, int port);

  /** A datagram that is longer than the limit; it is lost. */
  void receivedTooLong();

  /**
   * The system has refused what {@link PacketSocket#send} of the socket that is read here had taken
   * for sent. Where it is known at once, {@code send} says so and this is not called.
   */
  void refused(int length, int kind);
}
