package io.sippbx.benchmarks.survival;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;

/**
 * Two thousand ports of loopback, below the ephemeral ones, that no other run on this machine uses:
 * survival tables and system tests take theirs from the same blocks, and lock each.
 */
public final class PortBlock implements AutoCloseable {

  public static final int LENGTH = 2_000;
  private static final int FIRST = 11_000;
  private static final int BLOCKS = 10;

  /**
   * Those of this process. Their files are not opened again: closing any channel of a file gives up
   * the lock that the process has on it.
   */
  private static final Set<Integer> held = new TreeSet<>();

  private final FileChannel lock;
  private final int number;
  private int used;

  private PortBlock(FileChannel lock, int number) {
    this.lock = lock;
    this.number = number;
  }

  /**
   * Takes a block that is free. Any thread.
   *
   * @throws IOException if there is none
   */
  public static PortBlock take() throws IOException {
    synchronized (held) {
      for (int i = 0; i < BLOCKS; i++) {
        if (held.contains(i)) {
          continue;
        }
        FileChannel channel =
            FileChannel.open(lockFile(i), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() != null) {
          held.add(i);
          return new PortBlock(channel, i);
        }
        channel.close();
      }
      throw new IOException("all " + BLOCKS + " blocks of ports are in use by other runs");
    }
  }

  private static Path lockFile(int number) {
    return Path.of(System.getProperty("java.io.tmpdir"), "sip-pbx-test-ports-" + number + ".lock");
  }

  /** What other processes see locked. */
  Path lockFile() {
    return lockFile(number);
  }

  public int first() {
    return FIRST + number * LENGTH;
  }

  public int last() {
    return first() + LENGTH - 1;
  }

  /** One port that nobody listens on, over UDP or TCP. */
  int next() throws IOException {
    while (used < LENGTH) {
      int port = first() + used;
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
    throw new IOException("no port is free from " + first() + " to " + last());
  }

  @Override
  public void close() throws IOException {
    synchronized (held) {
      held.remove(number);
      lock.close();
    }
  }
}
