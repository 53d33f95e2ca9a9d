package io.sippbx.control.store.redis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A {@code redis-server} that runs on this machine.
 *
 * @param version as it says itself
 */
public record RedisBinary(Path path, String version) {

  /** The servers that embedded-redis ships: its resource for each system. */
  private static final List<String> SHIPPED =
      List.of(
          "linux amd64 redis-server-6.2.6-v5-linux-amd64",
          "linux arm64 redis-server-6.2.7-linux-arm64",
          "mac amd64 redis-server-6.2.6-v5-darwin-amd64",
          "mac arm64 redis-server-6.2.6-v5-darwin-arm64");

  private static final int VERSION_CHARS = 200;
  private static final long VERSION_SECONDS = 10;

  /**
   * The shipped server, which is laid into {@code folder}, if it runs here; else the one on the
   * PATH.
   *
   * @throws RedisStartException.NoServer if neither runs
   */
  public static RedisBinary locate(Path folder) throws RedisStartException {
    var tried = new ArrayList<String>();
    for (Candidate each : List.<Candidate>of(() -> shipped(folder), RedisBinary::onPath)) {
      try {
        Optional<Path> found = each.find();
        if (found.isPresent()) {
          return new RedisBinary(found.get(), version(found.get()));
        }
      } catch (IOException e) {
        tried.add(String.valueOf(e.getMessage()));
      }
    }
    throw new RedisStartException.NoServer(
        "no redis-server runs on this machine: install one, or set redis.uri to a server elsewhere "
            + tried);
  }

  private interface Candidate {
    Optional<Path> find() throws IOException;
  }

  /** The server that is shipped for this system, laid into a folder. */
  public static Optional<Path> shipped(Path folder) throws IOException {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    String system =
        (os.startsWith("linux") ? "linux " : os.startsWith("mac") ? "mac " : os + " ")
            + (arch.equals("x86_64") ? "amd64 " : arch.equals("aarch64") ? "arm64 " : arch + " ");
    for (String each : SHIPPED) {
      if (each.startsWith(system)) {
        return lay(each.substring(system.length()), folder);
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> lay(String resource, Path folder) throws IOException {
    try (InputStream in = RedisBinary.class.getResourceAsStream("/" + resource)) {
      if (in == null) {
        return Optional.empty();
      }
      Files.createDirectories(folder);
      Path there = folder.resolve(resource);
      if (!Files.isExecutable(there)) {
        Path fresh = Files.createTempFile(folder, resource, ".new");
        Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
        if (!fresh.toFile().setExecutable(true, true)) {
          throw new IOException("cannot make " + fresh + " executable");
        }
        // Whoever looks sees all of it or nothing.
        Files.move(fresh, there, StandardCopyOption.ATOMIC_MOVE);
      }
      return Optional.of(there);
    }
  }

  /** The server on the PATH. */
  public static Optional<Path> onPath() {
    return onPath("redis-server");
  }

  static Optional<Path> onPath(String program) {
    String path = System.getenv("PATH");
    for (String folder : (path == null ? "" : path).split(":", -1)) {
      Path candidate = Path.of(folder.isEmpty() ? "." : folder, program);
      if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
        return Optional.of(candidate.toAbsolutePath());
      }
    }
    return Optional.empty();
  }

  /**
   * What a server says of itself.
   *
   * @throws IOException if it does not run here
   */
  static String version(Path binary) throws IOException {
    Process asked =
        new ProcessBuilder(binary.toString(), "--version").redirectErrorStream(true).start();
    try {
      asked.getOutputStream().close();
      String said =
          new String(
              asked.getInputStream().readNBytes(VERSION_CHARS),
              java.nio.charset.StandardCharsets.UTF_8);
      if (!asked.waitFor(VERSION_SECONDS, TimeUnit.SECONDS) || asked.exitValue() != 0) {
        throw new IOException(binary + " does not run here: " + said.strip());
      }
      return said.strip();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      asked.destroyForcibly();
    }
  }
}
