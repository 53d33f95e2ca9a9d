package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * RTP or RTCP of one end of a stream: the socket, whom it is latched to, and so where it sends. Of
 * the worker's thread, but for {@link #held}.
 *
 * <p>It is the latch rather than holding one: with many sessions each object that a packet touches
 * has to come from far memory.
 */
final class Lane extends Latch {

  final PacketSocket socket;

  /** Whether there is a place to send to, of the socket's address family. */
  boolean canSend;

  private volatile @Nullable Endpoint held;

  Lane(PacketSocket socket) {
    this.socket = socket;
  }

  /** Follows what the end said of where it receives. */
  void signalled(Optional<Endpoint> remote, int epoch) {
    if (remote.isEmpty()) {
      signalledNothing();
    } else {
      Endpoint to = remote.get();
      signalled(AddressBits.high(to.ip()), AddressBits.low(to.ip()), to.port(), epoch);
    }
    latchChanged();
  }

  /** To be called when the held source is another one. */
  void latchChanged() {
    long high = destinationHigh();
    long low = destinationLow();
    int port = destinationPort();
    canSend = hasDestination() && AddressBits.isV4(high, low) != socket.local().ip().isV6();
    if (canSend) {
      socket.destination(high, low, port);
    }
    held = isHeld() ? AddressBits.endpoint(high, low, port) : null;
  }

  /** The source that packets are taken from, once latched. From any thread. */
  Optional<Endpoint> held() {
    return Optional.ofNullable(held);
  }
}
