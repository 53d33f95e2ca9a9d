package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A struct sockaddr_in or sockaddr_in6 in the memory of a loop, which the kernel reads or writes.
 */
final class Sockaddr {

  private static final int ROOM = 32;

  final long address;
  private final ByteBuffer network;
  private final ByteBuffer host;

  Sockaddr(Arena arena) {
    MemorySegment memory = arena.allocate(ROOM, 8);
    address = memory.address();
    network = memory.asByteBuffer();
    host = memory.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Makes it that of an address; its length in bytes. */
  int write(boolean isV6, long high, long low, int port) {
    network.putShort(SOCKADDR_PORT_AT, (short) port);
    if (isV6) {
      host.putShort(0, (short) AF_INET6);
      network.putInt(SOCKADDR_IN_ADDRESS_AT, 0);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT, high);
      network.putLong(SOCKADDR_IN6_ADDRESS_AT + 8, low);
      network.putInt(SOCKADDR_IN6_ADDRESS_AT + 16, 0);
      return SOCKADDR_IN6_BYTES;
    }
    host.putShort(0, (short) AF_INET);
    network.putInt(SOCKADDR_IN_ADDRESS_AT, (int) low);
    network.putLong(SOCKADDR_IN_ADDRESS_AT + 4, 0);
    return SOCKADDR_IN_BYTES;
  }

  int port() {
    return network.getShort(SOCKADDR_PORT_AT) & 0xffff;
  }

  /** The 32 bits of an IPv4 address. */
  int v4() {
    return network.getInt(SOCKADDR_IN_ADDRESS_AT);
  }

  /** The upper half of an IPv6 address. */
  long v6High() {
    return network.getLong(SOCKADDR_IN6_ADDRESS_AT);
  }

  /** The lower half of an IPv6 address. */
  long v6Low() {
    return network.getLong(SOCKADDR_IN6_ADDRESS_AT + 8);
  }
}
