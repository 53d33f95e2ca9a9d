package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A socket of the loop on epoll, of its thread. */
final class FfmSocket implements PacketSocket {

  final int fd;
  private final LinuxSockets.Caller system;
  private final CallMemory memory;
  private final IntConsumer onClosed;
  private final Endpoint local;
  private final boolean isV6;
  private final int receiveBufferBytes;

  private final MemorySegment destinationMemory = Arena.ofAuto().allocate(32, 8);
  private final long destinationAddress = destinationMemory.address();
  private final int destinationBytes;
  private final ByteBuffer destination = destinationMemory.asByteBuffer();
  private final ByteBuffer destinationNative =
      destinationMemory.asByteBuffer().order(ByteOrder.nativeOrder());

  private @Nullable PacketReader reader;
  private long readyTurn;
  private boolean isClosed;

  /**
   * @param onClosed hears of the file descriptor that is about to be closed
   */
  FfmSocket(
      int fd,
      Endpoint local,
      int receiveBufferBytes,
      LinuxSockets.Caller system,
      CallMemory memory,
      IntConsumer onClosed) {
    this.fd = fd;
    this.system = system;
    this.memory = memory;
    this.onClosed = onClosed;
    this.local = local;
    this.isV6 = local.ip().isV6();
    this.receiveBufferBytes = receiveBufferBytes;
    destinationBytes = isV6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
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
              memory.source.address(),
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
    int port = memory.sourceBytes.getShort(SOCKADDR_PORT_AT) & 0xffff;
    if (isV6) {
      to.received(
          memory.datagram,
          0,
          bytes,
          memory.sourceBytes.getLong(SOCKADDR_IN6_ADDRESS_AT),
          memory.sourceBytes.getLong(SOCKADDR_IN6_ADDRESS_AT + 8),
          port);
    } else {
      long low = AddressBits.v4Low(memory.sourceBytes.getInt(SOCKADDR_IN_ADDRESS_AT));
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
    return receiveBufferBytes;
  }

  @Override
  public void destination(long high, long low, int port) {
    CallMemory.writeSockaddr(destination, destinationNative, isV6, high, low, port);
  }

  @Override
  public boolean send(int at, int bytes) {
    return LinuxSockets.send(
            fd, memory.datagramAddress + at, bytes, destinationAddress, destinationBytes)
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
