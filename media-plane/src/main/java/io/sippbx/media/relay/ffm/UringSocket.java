package io.sippbx.media.relay.ffm;

import io.sippbx.shared.net.Endpoint;

/** A socket of the loop on io_uring, of its thread. */
final class UringSocket extends LinuxSocket {

  /** Its place in the loop, until the system has no request of it any more. */
  final int place;

  /** Whether the system has its request to receive. */
  boolean isArmed;

  private final UringPacketLoop loop;

  UringSocket(int fd, Endpoint local, int place, UringPacketLoop loop) {
    super(fd, local, loop);
    this.place = place;
    this.loop = loop;
  }

  /** Taken for now: whether it went through is known when the turn is over. */
  @Override
  public boolean send(int at, int bytes, int kind) {
    loop.send(this, at, bytes, kind);
    return true;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      loop.closing(this);
      system.close(fd);
    }
  }
}
