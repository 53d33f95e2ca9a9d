package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A socket of a loop on Linux, of its thread. It has no memory outside the heap: a call has four
 * sockets, and the collector would have to look after the memory of each.
 */
abstract class LinuxSocket implements PacketSocket {

  final int fd;
  final boolean isV6;
  final CallMemory memory;
  final Caller system;

  boolean isClosed;
  @Nullable PacketReader reader;
  int destinationPort;
  long destinationHigh;
  long destinationLow;

  private final Endpoint local;

  LinuxSocket(int fd, Endpoint local, LinuxLoop loop) {
    this.fd = fd;
    this.local = local;
    this.isV6 = local.ip().isV6();
    this.memory = loop.memory;
    this.system = loop.system;
  }

  @Override
  public final Endpoint local() {
    return local;
  }

  @Override
  public final void readBy(PacketReader to) {
    reader = to;
  }

  @Override
  public final void destination(long high, long low, int port) {
    destinationHigh = high;
    destinationLow = low;
    destinationPort = port;
  }

  @Override
  public final int receiveBufferBytes() {
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
  public final long kernelDrops() {
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
}
