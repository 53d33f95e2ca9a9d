package io.sippbx.media.relay;

import io.sippbx.shared.net.Endpoint;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * RTP or RTCP of one end of a stream: the socket, whom it is latched to, and so where it sends. Of
 * the worker's thread, but for {@link #held}.
 */
final class Lane {

  final PacketSocket socket;
  final Latch latch = new Latch();

  /** Whether there is a place to send to, of the socket's address family. */
  boolean canSend;

  private volatile @Nullable Endpoint held;

  Lane(PacketSocket socket) {
    this.socket = socket;
  }

  /** Follows what the end said of where it receives. */
  void signalled(Optional<Endpoint> remote, int epoch) {
    if (remote.isEmpty()) {
      latch.signalledNothing();
    } else {
      Endpoint to = remote.get();
      latch.signalled(AddressBits.high(to.ip()), AddressBits.low(to.ip()), to.port(), epoch);
    }
    latchChanged();
  }

  /** To be called when the held source is another one. */
  void latchChanged() {
    long high = latch.destinationHigh();
    long low = latch.destinationLow();
    int port = latch.destinationPort();
    canSend = latch.hasDestination() && AddressBits.isV4(high, low) != socket.local().ip().isV6();
    if (canSend) {
      socket.destination(high, low, port);
    }
    held = latch.isHeld() ? AddressBits.endpoint(high, low, port) : null;
  }

  /** The source that packets are taken from, once latched. From any thread. */
  Optional<Endpoint> held() {
    return Optional.ofNullable(held);
  }
}
