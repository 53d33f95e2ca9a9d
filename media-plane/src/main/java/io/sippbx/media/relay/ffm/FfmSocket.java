package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.shared.net.Endpoint;

/** A socket of the loop on epoll, of its thread. */
final class FfmSocket extends LinuxSocket {

  private final FfmPacketLoop loop;
  private long readyTurn;

  FfmSocket(int fd, Endpoint local, FfmPacketLoop loop) {
    super(fd, local, loop);
    this.loop = loop;
  }

  /**
   * Reads what is there, once or some times.
   *
   * @param turn of the loop: a socket that was ready in the one before too has a queue
   */
  void read(long turn) {
    int times = readyTurn == turn - 1 ? PacketLoop.BURST : 1;
    readyTurn = turn;
    for (int i = 0; i < times && !isClosed; i++) {
      memory.length.putInt(0, SOCKADDR_IN6_BYTES);
      long bytes =
          receive(
              fd,
              memory.datagramAddress,
              memory.maxDatagramBytes,
              memory.source.address,
              memory.lengthMemory.address());
      if (bytes < 0) {
        // EAGAIN, or an error of the socket that the call has taken away with it
        return;
      }
      deliver((int) bytes);
    }
  }

  private void deliver(int bytes) {
    PacketReader to = reader;
    if (to == null) {
      return;
    }
    if (bytes > memory.maxDatagramBytes) {
      to.receivedTooLong();
      return;
    }
    int port = memory.source.port();
    if (isV6) {
      to.received(memory.datagram, 0, bytes, memory.source.v6High(), memory.source.v6Low(), port);
    } else {
      long low = AddressBits.v4Low(memory.source.v4());
      to.received(memory.datagram, 0, bytes, AddressBits.V4_HIGH, low, port);
    }
  }

  @Override
  public boolean send(int at, int bytes, int kind) {
    int sockaddrBytes =
        memory.destination.write(isV6, destinationHigh, destinationLow, destinationPort);
    return LinuxSockets.send(
            fd, memory.datagramAddress + at, bytes, memory.destination.address, sockaddrBytes)
        >= 0;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      loop.forget(this);
      // closing takes the socket out of epoll: no other file descriptor refers to it
      system.close(fd);
    }
  }
}
