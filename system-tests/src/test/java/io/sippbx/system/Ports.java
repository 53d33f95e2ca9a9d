package io.sippbx.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** Free ports of loopback, below the ephemeral ones, each handed out once in a run. */
final class Ports {

  private static final int FIRST = 11_000;
  private static final int LAST = 31_000;
  // Where a run begins differs, so that two runs on one machine seldom meet.
  private static final AtomicInteger next =
      new AtomicInteger(FIRST + (int) (ProcessHandle.current().pid() % 180) * 100);

  private Ports() {}

  /** A port that is free on UDP and TCP, and the one above it. */
  static int pair() {
    return range(2);
  }

  /** The first, even, of so many free ports in a row. */
  static synchronized int range(int count) {
    for (int tries = 0; tries < LAST - FIRST; tries++) {
      int first = next.getAndAdd(count + count % 2);
      first += first % 2;
      if (first + count > LAST) {
        next.set(FIRST);
        continue;
      }
      if (areFree(first, count)) {
        return first;
      }
    }
    throw new AssertionError("no " + count + " free ports in a row on loopback");
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
