package io.sippbx.system;

import io.sippbx.benchmarks.survival.PortBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Free ports of loopback, from blocks that no other run on the same machine uses: that a port is
 * free says nothing of what another is about to do with it. One that was handed out comes again
 * only when thousands of others were, so that nobody is left who sends to whoever had it before.
 */
final class Ports {

  /** Fleets take whole blocks, too, and so do other runs. */
  private static final int MOST_BLOCKS = 2;

  private static final List<PortBlock> blocks = new ArrayList<>();
  private static int inUse = -1;
  private static int next;
  private static int last = -1;

  private Ports() {}

  /** A port that is free on UDP and TCP, and the one above it. */
  static int pair() {
    return range(2);
  }

  /** The first, even, of so many free ports in a row. */
  static synchronized int range(int count) {
    for (int turns = 0; turns <= 2 * MOST_BLOCKS; turns++) {
      while (next + next % 2 + count - 1 <= last) {
        int first = next + next % 2;
        int taken = taken(first, count);
        if (taken == first + count) {
          next = taken;
          return first;
        }
        next = taken + 1;
      }
      turnToNextBlock();
    }
    throw new AssertionError("no " + count + " ports in a row in the blocks of this run");
  }

  /** Takes one more, or if this run has its share, goes on with its oldest. */
  private static void turnToNextBlock() {
    inUse = (inUse + 1) % MOST_BLOCKS;
    if (inUse == blocks.size()) {
      try {
        blocks.add(PortBlock.take());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    next = blocks.get(inUse).first();
    last = blocks.get(inUse).last();
  }

  /** The first of so many that is somebody's; the one behind them if none is. */
  private static int taken(int first, int count) {
    for (int port = first; port < first + count; port++) {
      try (var udp = new DatagramSocket(null);
          var tcp = new ServerSocket()) {
        udp.setReuseAddress(false);
        udp.bind(new InetSocketAddress(port));
        tcp.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      } catch (IOException e) {
        return port;
      }
    }
    return first + count;
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
