package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a loop's system calls read and write, allocated once: the datagram that is being read, and
 * arguments. Confined to the loop.
 */
final class CallMemory {

  private static final int SOCKADDR_ROOM = 32;

  final int maxDatagramBytes;

  /** The datagram that is being read. */
  final ByteBuffer datagram;

  final long datagramAddress;

  /** Arguments of calls: a sockaddr, a length, an option's value. */
  final MemorySegment source;

  final ByteBuffer sourceBytes;
  private final ByteBuffer sourceNative;
  final MemorySegment lengthMemory;
  final ByteBuffer length;
  final MemorySegment optionMemory;
  final ByteBuffer option;

  CallMemory(Arena arena, int maxDatagramBytes) {
    this.maxDatagramBytes = maxDatagramBytes;
    MemorySegment datagramMemory = arena.allocate(maxDatagramBytes, 64);
    datagram = datagramMemory.asByteBuffer();
    datagramAddress = datagramMemory.address();
    source = arena.allocate(SOCKADDR_ROOM, 8);
    sourceBytes = source.asByteBuffer();
    sourceNative = source.asByteBuffer().order(ByteOrder.nativeOrder());
    lengthMemory = arena.allocate(8, 8);
    length = lengthMemory.asByteBuffer().order(ByteOrder.nativeOrder());
    optionMemory = arena.allocate(4L * SK_MEMINFO_VARS, 8);
    option = optionMemory.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Makes {@link #source} the sockaddr of an address. */
  void address(boolean isV6, long high, long low, int port) {
    writeSockaddr(sourceBytes, sourceNative, isV6, high, low, port);
  }

  /** A sockaddr, in memory of which both buffers are views. */
  static void writeSockaddr(
      ByteBuffer network, ByteBuffer host, boolean isV6, long high, long low, int port) {
    host.putShort(0, (short) (isV6 ? AF_INET6 : AF_INET));
    network.putShort(SOCKADDR_PORT_AT, (short) port);
    if (isV6) {
      network.putInt(SOCKADDR_IN_ADDRESS_AT, 0);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT, high);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT + 8, low);
      network.putInt(SOCKADDR_IN6_ADDRESS_AT + 16, 0);
    } else {
      network.putInt(SOCKADDR_IN_ADDRESS_AT, (int) low);
      network.putLong(SOCKADDR_IN_ADDRESS_AT + 4, 0);
    }
  }
}
