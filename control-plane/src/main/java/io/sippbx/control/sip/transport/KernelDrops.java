package io.sippbx.control.sip.transport;

import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The datagrams that Linux dropped for want of room in a socket's receive buffer, from the table of
 * UDP sockets under {@code /proc/net}.
 */
final class KernelDrops {

  private static final List<Path> TABLES =
      List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));
  private static final int LOCAL_COLUMN = 1;

  private KernelDrops() {}

  /** The sum over all sockets bound to one of these endpoints; 0 where it cannot be known. */
  static long of(List<Endpoint> bound) {
    long sum = 0;
    for (Path table : TABLES) {
      try {
        sum += sum(Files.readAllLines(table, StandardCharsets.US_ASCII), bound);
      } catch (IOException e) {
        // No such table on this system, or none of IPv6.
      }
    }
    return sum;
  }

  static long sum(List<String> lines, List<Endpoint> bound) {
    long sum = 0;
    for (String line : lines) {
      String[] columns = line.trim().split("\\s+", -1);
      if (columns.length <= LOCAL_COLUMN) {
        continue;
      }
      Optional<Endpoint> local = endpoint(columns[LOCAL_COLUMN]);
      if (local.isPresent() && bound.contains(local.get())) {
        sum += number(columns[columns.length - 1]);
      }
    }
    return sum;
  }

  /** {@code 0100007F:13C4}: words of four octets, each in the order of a little-endian machine. */
  private static Optional<Endpoint> endpoint(String text) {
    int colon = text.indexOf(':');
    if (colon != 8 && colon != 32) {
      return Optional.empty();
    }
    try {
      byte[] octets = new byte[colon / 2];
      for (int i = 0; i < octets.length; i++) {
        int at = (i / 4 * 4 + 3 - i % 4) * 2;
        octets[i] = (byte) Integer.parseInt(text, at, at + 2, 16);
      }
      return Optional.of(
          new Endpoint(
              IpAddress.ofOctets(octets), Integer.parseInt(text, colon + 1, text.length(), 16)));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
