package io.sippbx.benchmarks.survival;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Two thousand ports below the ephemeral ones that no other run on this machine uses: the blocks
 * and their lock files are those of the system tests.
 */
final class PortBlock implements AutoCloseable {

  static final int LENGTH = 2_000;
  private static final int FIRST = 11_000;
  private static final int BLOCKS = 10;

  private final FileChannel lock;
  private final int first;
  private int used;

  private PortBlock(FileChannel lock, int first) {
    this.lock = lock;
    this.first = first;
  }

  /** Takes a block that is free. */
  static PortBlock take() throws IOException {
    // The last first: tests begin with the first.
    for (int i = BLOCKS - 1; i >= 0; i--) {
      Path file =
          Path.of(System.getProperty("java.io.tmpdir"), "sip-pbx-test-ports-" + i + ".lock");
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (channel.tryLock() != null) {
          return new PortBlock(channel, FIRST + i * LENGTH);
        }
      } catch (java.nio.channels.OverlappingFileLockException e) {
        // This process has it already.
      }
      channel.close();
    }
    throw new IOException("all " + BLOCKS + " blocks of ports are in use by other runs");
  }

  int first() {
    return first;
  }

  int last() {
    return first + LENGTH - 1;
  }

  /** One port that nobody listens on, over UDP or TCP. */
  int next() throws IOException {
    while (used < LENGTH) {
      int port = first + used;
      used++;
      try (var udp = new DatagramSocket(null);
          var tcp = new ServerSocket()) {
        udp.setReuseAddress(false);
        udp.bind(new InetSocketAddress(port));
        tcp.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // Somebody else's.
      }
    }
    throw new IOException("no port is free from " + first + " to " + last());
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
