package io.sippbx.media.port;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether this process may open as many sockets as its sessions want: each is an open file. Read
 * once, at start.
 */
public final class OpenFilesCheck {

  /** Where Linux says what a process may do; a Java virtual machine takes all that it may. */
  public static final Path LINUX = Path.of("/proc/self/limits");

  /** RTP and RTCP of each side. */
  private static final int SOCKETS_A_SESSION = 4;

  /** What the process has open besides. */
  private static final int OTHERS = 256;

  private static final int MAX_BYTES = 65_536;
  private static final Pattern SOFT = Pattern.compile("(?m)^Max open files +(\\d{1,18}) ");

  private final Path limitsFile;

  /** A check that reads this file; a missing one is taken for another system than Linux. */
  public OpenFilesCheck(Path limitsFile) {
    this.limitsFile = limitsFile;
  }

  /** A check of this process. */
  public static OpenFilesCheck ofThisProcess() {
    return new OpenFilesCheck(LINUX);
  }

  /**
   * What is wrong, as a sentence that says how many sessions there is room for, and what to do;
   * empty if there is enough, or if the system does not say.
   *
   * @param sessions with one stream each
   * @param sockets that there are ports for, at all addresses together
   */
  public Optional<String> problem(int sessions, long sockets) {
    long wanted = OTHERS + Math.min((long) sessions * SOCKETS_A_SESSION, sockets);
    OptionalLong limit = limit();
    if (limit.isEmpty() || limit.getAsLong() >= wanted) {
      return Optional.empty();
    }
    return Optional.of(
        "At most "
            + limit.getAsLong()
            + " files may be open, which is room for some "
            + Math.max(0, (limit.getAsLong() - OTHERS) / SOCKETS_A_SESSION)
            + " calls with one stream, but media.max_sessions "
            + sessions
            + " and the port range want "
            + wanted
            + ": raise the limit (ulimit -n, LimitNOFILE of systemd, ulimits of a container), or"
            + " lower media.max_sessions");
  }

  private OptionalLong limit() {
    // Not Files.readString: it trusts the size, which /proc does not tell.
    try (InputStream in = Files.newInputStream(limitsFile)) {
      Matcher matcher =
          SOFT.matcher(new String(in.readNBytes(MAX_BYTES), StandardCharsets.US_ASCII));
      return matcher.find()
          ? OptionalLong.of(Long.parseLong(matcher.group(1)))
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
