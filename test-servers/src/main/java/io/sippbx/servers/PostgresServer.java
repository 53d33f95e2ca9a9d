package io.sippbx.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL from the binaries of Debian's package, empty, with a database "postgres" and a
 * user "sip" who needs no password. It does not run as root: then it is the user of the package.
 * Used by one thread.
 */
public final class PostgresServer implements Postgres {

  private static final Path PACKAGES = Path.of("/usr/lib/postgresql");
  private static final Duration START = Duration.ofSeconds(60);

  private final Path folder;
  private final Path log;
  private final Path binaries;
  private final int port;
  private @Nullable Process process;

  private PostgresServer(Path folder, Path log, Path binaries, int port) {
    this.folder = folder;
    this.log = log;
    this.binaries = binaries;
    this.port = port;
  }

  /** Starts one and waits until it takes connections. */
  public static PostgresServer start() throws IOException {
    Path folder = Files.createTempDirectory("postgres");
    Path log = Files.createTempFile("postgres", ".log");
    var server = new PostgresServer(folder, log, binaries(), Ports.free());
    if (isRoot()) {
      server.run(List.of("chown", "postgres", folder.toString()));
    }
    server.run(
        server.asUser(
            List.of(
                server.binaries.resolve("initdb").toString(),
                "--pgdata=" + folder.resolve("data"),
                "--username=sip",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C")));
    server.restart();
    Announcement.of("PostgreSQL", "a process from " + server.binaries);
    return server;
  }

  private static Path binaries() throws IOException {
    if (Files.isDirectory(PACKAGES)) {
      try (Stream<Path> versions = Files.list(PACKAGES)) {
        List<Path> found =
            versions
                .map(each -> each.resolve("bin"))
                .filter(each -> Files.isExecutable(each.resolve("initdb")))
                .sorted()
                .toList();
        if (!found.isEmpty()) {
          return found.getLast();
        }
      }
    }
    throw new IOException("no PostgreSQL in " + PACKAGES + ": install Debian's package postgresql");
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private List<String> asUser(List<String> command) {
    var all = new ArrayList<>(LastingChild.endsWithUs());
    if (isRoot()) {
      all.addAll(List.of("--reuid=postgres", "--regid=postgres", "--clear-groups"));
    }
    all.add("--");
    all.addAll(command);
    return all;
  }

  private Process launch(List<String> command) throws IOException {
    Process started =
        LastingChild.start(
            new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())));
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
    return started;
  }

  private void run(List<String> command) throws IOException {
    Process running = launch(command);
    if (!awaitEnd(running, START) || running.exitValue() != 0) {
      running.destroyForcibly();
      throw new IOException(command + ": " + Files.readString(log));
    }
  }

  /** Starts it again, with what it has kept, and waits for it. */
  public void restart() throws IOException {
    Process started =
        launch(
            asUser(
                List.of(
                    binaries.resolve("postgres").toString(),
                    "-D",
                    folder.resolve("data").toString(),
                    "-p",
                    "" + port,
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "unix_socket_directories=",
                    "-c",
                    "shared_buffers=16MB")));
    process = started;
    long end = System.nanoTime() + START.toNanos();
    while (!takesConnections()) {
      if (awaitEnd(started, Duration.ofMillis(50)) || System.nanoTime() > end) {
        close();
        throw new IOException("PostgreSQL did not start: " + Files.readString(log));
      }
    }
  }

  /** It listens a while before it does. */
  private boolean takesConnections() throws IOException {
    Process asking =
        new ProcessBuilder(
                binaries.resolve("pg_isready").toString(), "-q", "-h", "127.0.0.1", "-p", "" + port)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return awaitEnd(asking, START) && asking.exitValue() == 0;
  }

  @Override
  public String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  /** Ends it at once (SIGKILL). */
  public void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      if (!awaitEnd(running, START)) {
        throw new IllegalStateException("PostgreSQL does not end");
      }
      process = null;
    }
  }

  private static boolean awaitEnd(Process process, Duration within) {
    try {
      return process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
