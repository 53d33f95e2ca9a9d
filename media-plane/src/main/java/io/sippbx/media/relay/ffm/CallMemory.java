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

  final int maxDatagramBytes;

  /** The datagram that is being read. */
  final ByteBuffer datagram;

  final long datagramAddress;

  /** Where the datagram that is being read came from, or a socket's own address. */
  final Sockaddr source;

  /** Where a datagram is being sent. */
  final Sockaddr destination;

  /** Arguments of calls: a length, an option's value. */
  final MemorySegment lengthMemory;

  final ByteBuffer length;
  final MemorySegment optionMemory;
  final ByteBuffer option;

  CallMemory(Arena arena, int maxDatagramBytes) {
    this.maxDatagramBytes = maxDatagramBytes;
    MemorySegment datagramMemory = arena.allocate(maxDatagramBytes, 64);
    datagram = datagramMemory.asByteBuffer();
    datagramAddress = datagramMemory.address();
    source = new Sockaddr(arena);
    destination = new Sockaddr(arena);
    lengthMemory = arena.allocate(8, 8);
    length = lengthMemory.asByteBuffer().order(ByteOrder.nativeOrder());
    optionMemory = arena.allocate(4L * SK_MEMINFO_VARS, 8);
    option = optionMemory.asByteBuffer().order(ByteOrder.nativeOrder());
  }
}
