package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A socket of the loop on epoll, of its thread. It has no memory outside the heap: a call has four
 * sockets, and the collector would have to look after the memory of each.
 */
final class FfmSocket implements PacketSocket {

  final int fd;
  private final LinuxSockets.Caller system;
  private final CallMemory memory;
  private final IntConsumer onClosed;
  private final Endpoint local;
  private final boolean isV6;

  private long destinationHigh;
  private long destinationLow;
  private int destinationPort;

  private @Nullable PacketReader reader;
  private long readyTurn;
  private boolean isClosed;

  /**
   * @param onClosed hears of the file descriptor that is about to be closed
   */
  FfmSocket(
      int fd, Endpoint local, LinuxSockets.Caller system, CallMemory memory, IntConsumer onClosed) {
    this.fd = fd;
    this.system = system;
    this.memory = memory;
    this.onClosed = onClosed;
    this.local = local;
    this.isV6 = local.ip().isV6();
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
  public Endpoint local() {
    return local;
  }

  @Override
  public void readBy(PacketReader to) {
    reader = to;
  }

  @Override
  public int receiveBufferBytes() {
    memory.length.putInt(0, 4);
    int result =
        system.getsockopt(
            fd,
            SOL_SOCKET,
            SO_RCVBUF,
            memory.optionMemory.address(),
            memory.lengthMemory.address());
    return result == 0 ? memory.option.getInt(0) : 0;
  }

  @Override
  public void destination(long high, long low, int port) {
    destinationHigh = high;
    destinationLow = low;
    destinationPort = port;
  }

  @Override
  public boolean send(int at, int bytes) {
    int sockaddrBytes =
        memory.destination.write(isV6, destinationHigh, destinationLow, destinationPort);
    return LinuxSockets.send(
            fd, memory.datagramAddress + at, bytes, memory.destination.address, sockaddrBytes)
        >= 0;
  }

  @Override
  public long kernelDrops() {
    memory.length.putInt(0, 4 * SK_MEMINFO_VARS);
    int result =
        system.getsockopt(
            fd,
            SOL_SOCKET,
            SO_MEMINFO,
            memory.optionMemory.address(),
            memory.lengthMemory.address());
    boolean told = result == 0 && memory.length.getInt(0) >= 4 * SK_MEMINFO_VARS;
    return told ? memory.option.getInt(4 * SK_MEMINFO_DROPS) & 0xffff_ffffL : 0;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      onClosed.accept(fd);
      // closing takes the socket out of epoll: no other file descriptor refers to it
      system.close(fd);
    }
  }
}
