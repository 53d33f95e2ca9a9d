package io.sippbx.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Free ports of loopback, below the ephemeral ones, each handed out once in a run. A run takes them
 * from blocks that it has locked: that a port is free says nothing of what another run on the same
 * machine is about to do with it.
 */
final class Ports {

  private static final int FIRST = 11_000;
  private static final int BLOCK = 2_000;
  private static final int BLOCKS = 10;
  private static final List<FileChannel> locked = new ArrayList<>();
  private static int nextBlock;
  private static int next;
  private static int end;

  private Ports() {}

  /** A port that is free on UDP and TCP, and the one above it. */
  static int pair() {
    return range(2);
  }

  /** The first, even, of so many free ports in a row. */
  static synchronized int range(int count) {
    while (true) {
      int first = next + next % 2;
      if (first + count > end) {
        lockBlock(count);
        continue;
      }
      next = first + count;
      if (areFree(first, count)) {
        return first;
      }
    }
  }

  /** Goes on in the next block that no other run holds. */
  private static void lockBlock(int count) {
    if (count > BLOCK) {
      throw new IllegalArgumentException("Expected " + BLOCK + " ports at most, but got " + count);
    }
    for (; nextBlock < BLOCKS; nextBlock++) {
      Path file =
          Path.of(
              System.getProperty("java.io.tmpdir"), "sip-pbx-test-ports-" + nextBlock + ".lock");
      try {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() != null) {
          // Until this run is over.
          locked.add(channel);
          next = FIRST + nextBlock * BLOCK;
          end = next + BLOCK;
          nextBlock++;
          return;
        }
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    throw new AssertionError(
        "no " + count + " ports left for this run, which holds " + locked.size() + " blocks");
  }

  private static boolean areFree(int first, int count) {
    for (int port = first; port < first + count; port++) {
      try (var udp = new DatagramSocket(null);
          var tcp = new ServerSocket()) {
        udp.setReuseAddress(false);
        udp.bind(new InetSocketAddress(port));
        tcp.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      } catch (IOException e) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether a socket is bound to the port, as the kernel lists it: to try to bind it would take the
   * port from the one that is waited for.
   */
  static boolean isListening(int port, boolean tcp) {
    String hex = String.format(Locale.ROOT, ":%04X ", port);
    for (String family : new String[] {"", "6"}) {
      try {
        Path table = Path.of("/proc/net/" + (tcp ? "tcp" : "udp") + family);
        for (String line : Files.readAllLines(table, StandardCharsets.US_ASCII)) {
          String[] fields = line.strip().split("\\s+");
          // "sl local_address rem_address st"; 0A is LISTEN, 07 an unconnected UDP socket.
          if (fields.length > 3
              && (fields[1] + " ").endsWith(hex)
              && fields[3].equals(tcp ? "0A" : "07")) {
            return true;
          }
        }
      } catch (java.nio.file.NoSuchFileException e) {
        // No IPv6 on this machine.
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return false;
  }
}
