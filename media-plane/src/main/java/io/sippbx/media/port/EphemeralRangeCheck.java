package io.sippbx.media.port;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the kernel gives ports of the media range to outgoing connections of any program, which
 * then cannot be bound for media. Read once, at start.
 */
public final class EphemeralRangeCheck {

  /** Where Linux says which ports it gives; holds for IPv6 too. */
  public static final Path LINUX = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  /** Where Linux lists ports of that range that it does not give after all. */
  public static final Path LINUX_RESERVED = Path.of("/proc/sys/net/ipv4/ip_local_reserved_ports");

  private static final int MAX_BYTES = 65_536;
  private static final Pattern FORM = Pattern.compile("(\\d{1,5})\\s+(\\d{1,5})");
  private static final Pattern RESERVED = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?");

  private final Path rangeFile;
  private final Path reservedFile;

  /** A check that reads these two files; a missing one is taken for another system than Linux. */
  public EphemeralRangeCheck(Path rangeFile, Path reservedFile) {
    this.rangeFile = rangeFile;
    this.reservedFile = reservedFile;
  }

  /** A check of this machine. */
  public static EphemeralRangeCheck ofThisMachine() {
    return new EphemeralRangeCheck(LINUX, LINUX_RESERVED);
  }

  /**
   * What is wrong with {@code media}, as a sentence that names both ranges and says what to do;
   * empty if they are apart, or if the overlap is reserved, or if the system does not say.
   */
  public Optional<String> problem(PortRange media) {
    Optional<PortRange> ephemeral = ephemeral();
    if (ephemeral.isEmpty() || !media.overlaps(ephemeral.get())) {
      return Optional.empty();
    }
    int first = Math.max(media.first(), ephemeral.get().first());
    int last = Math.min(media.last(), ephemeral.get().last());
    if (isReserved(first, last)) {
      return Optional.empty();
    }
    return Optional.of(
        "The port range for media "
            + media
            + " overlaps the range from which the system gives ports to outgoing connections, "
            + ephemeral.get()
            + " (net.ipv4.ip_local_port_range): any program may take a port of ours. Choose a"
            + " range outside, change that of the system, reserve ours in"
            + " net.ipv4.ip_local_reserved_ports, or say that the overlap is meant");
  }

  /** The range of the system, if it says so. */
  public Optional<PortRange> ephemeral() {
    Matcher matcher = FORM.matcher(read(rangeFile));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int first = Integer.parseInt(matcher.group(1));
    int last = Integer.parseInt(matcher.group(2));
    return first >= 1 && last <= 65_535 && first < last
        ? Optional.of(new PortRange(first, last))
        : Optional.empty();
  }

  /** Whether each port from {@code first} to {@code last} is in the list of reserved ports. */
  private boolean isReserved(int first, int last) {
    int next = first;
    // The kernel writes the list in order, with neighbours joined.
    for (String part : List.of(read(reservedFile).split(","))) {
      Matcher matcher = RESERVED.matcher(part);
      if (!matcher.matches()) {
        return false;
      }
      int from = Integer.parseInt(matcher.group(1));
      int to = matcher.group(2) == null ? from : Integer.parseInt(matcher.group(2));
      if (from <= next && next <= to) {
        next = to + 1;
      }
    }
    return next > last;
  }

  private static String read(Path file) {
    // Not Files.readString: it trusts the size, which /proc does not tell.
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_BYTES), StandardCharsets.US_ASCII).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
