package io.sippbx.control.store.redis;

import io.sippbx.servers.Announcement;
import io.sippbx.servers.Docker;
import io.sippbx.servers.LastingChild;
import io.sippbx.servers.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * A real Redis for tests, empty and without persistence: of Docker where there is one that has the
 * image, else the server that embedded-redis ships, else the one on the PATH. What it is is printed
 * once. It ends with {@link #close}, and with the JVM.
 */
public final class RedisServer implements AutoCloseable {

  private static final String IMAGE = "redis:7-alpine";
  private static final long START_MS = 10_000;
  private static final Duration POLL = Duration.ofMillis(10);

  private final int port;
  private final @Nullable Process process;
  private final @Nullable GenericContainer<?> container;
  private final @Nullable Path folder;
  private boolean paused;

  private RedisServer(
      int port,
      @Nullable Process process,
      @Nullable GenericContainer<?> container,
      @Nullable Path folder) {
    this.port = port;
    this.process = process;
    this.container = container;
    this.folder = folder;
  }

  /** Starts one. */
  public static RedisServer start() throws IOException {
    if (Docker.has(IMAGE)) {
      var container = new GenericContainer<>(DockerImageName.parse(IMAGE)).withExposedPorts(6379);
      container.start();
      Announcement.of("Redis", "Docker image " + IMAGE);
      return new RedisServer(container.getMappedPort(6379), null, container, null);
    }
    return process(Ports.free(), List.of());
  }

  /**
   * Starts a process.
   *
   * @param options as on the command line
   */
  public static RedisServer process(int port, List<String> options) throws IOException {
    Path folder = Files.createTempDirectory("redis");
    return launch(port, folder, List.of(), options);
  }

  /** Starts a sentinel of this configuration. */
  public static RedisServer sentinel(int port, String configuration) throws IOException {
    Path folder = Files.createTempDirectory("sentinel");
    Path file = Files.writeString(folder.resolve("sentinel.conf"), configuration);
    return launch(port, folder, List.of(file.toString()), List.of("--sentinel"));
  }

  private static RedisServer launch(int port, Path folder, List<String> first, List<String> options)
      throws IOException {
    RedisBinary binary = binary();
    var command = new ArrayList<String>();
    Path setpriv = Path.of("/usr/bin/setpriv");
    if (Files.isExecutable(setpriv)) {
      // Tests that are killed leave nothing behind either.
      command.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL", "--"));
    }
    command.add(binary.path().toString());
    command.addAll(first);
    command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1"));
    if (!options.contains("--sentinel")) {
      command.addAll(List.of("--save", "", "--appendonly", "no"));
    }
    command.addAll(options);
    Process process =
        LastingChild.start(
            new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile()));
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    var server = new RedisServer(port, process, null, folder);
    try {
      await("redis on port " + port, () -> process.isAlive() && server.answers());
    } catch (AssertionError e) {
      String said = Files.readString(folder.resolve("log"));
      server.close();
      throw new IOException("redis did not start: " + said, e);
    }
    return server;
  }

  private static RedisBinary binary() throws IOException {
    try {
      RedisBinary found = RedisBinary.locate(Path.of("target", "redis"));
      Announcement.of("Redis", found.toString());
      return new RedisBinary(found.path().toAbsolutePath(), found.version());
    } catch (RedisStartException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Waits until a condition holds. */
  public static void await(String what, BooleanSupplier condition) {
    await(what, START_MS, condition);
  }

  /** Waits until a condition holds, for a time. */
  public static void await(String what, long ms, BooleanSupplier condition) {
    Awaitility.await(what)
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .atMost(Duration.ofMillis(ms))
        .until(condition::getAsBoolean);
  }

  /** Where it listens, on 127.0.0.1. */
  public int port() {
    return port;
  }

  /** How to reach it. */
  public RedisSettings settings() {
    return RedisSettings.of(address());
  }

  /** Where it is. */
  public RedisAddress address() {
    return new RedisAddress.Single(new RedisAddress.Host("127.0.0.1", port), false);
  }

  private boolean answers() {
    try {
      return ask("PING").startsWith("+PONG");
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Sends a command as words and gives the raw answer, as far as it comes with the first octets.
   */
  public String ask(String... words) throws IOException {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
      socket.setSoTimeout(5000);
      var command = new StringBuilder("*" + words.length + "\r\n");
      for (String each : words) {
        command
            .append('$')
            .append(each.getBytes(StandardCharsets.UTF_8).length)
            .append("\r\n")
            .append(each)
            .append("\r\n");
      }
      socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.UTF_8));
      byte[] answer = new byte[65536];
      int length = socket.getInputStream().read(answer);
      return length < 0 ? "" : new String(answer, 0, length, StandardCharsets.UTF_8);
    }
  }

  /** Drops all data and all scripts. */
  public void clear() throws IOException {
    if (!ask("FLUSHALL").startsWith("+OK") || !ask("SCRIPT", "FLUSH").startsWith("+OK")) {
      throw new IOException("cannot empty redis on port " + port);
    }
  }

  /** Stops its process where it is (SIGSTOP): connections stay open and say nothing. */
  public void pause() throws IOException {
    paused = true;
    if (container != null) {
      DockerClientFactory.instance().client().pauseContainerCmd(container.getContainerId()).exec();
    } else {
      signal("-STOP");
    }
  }

  /** Lets it go on. */
  public void resume() throws IOException {
    paused = false;
    if (container != null) {
      DockerClientFactory.instance()
          .client()
          .unpauseContainerCmd(container.getContainerId())
          .exec();
    } else {
      signal("-CONT");
    }
  }

  private void signal(String signal) throws IOException {
    if (process == null) {
      throw new IllegalStateException("Expected a process");
    }
    Process kill = new ProcessBuilder("kill", signal, "" + process.pid()).start();
    try {
      if (kill.waitFor() != 0) {
        throw new IOException("kill " + signal + " failed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Ends it with SIGKILL. */
  @Override
  public void close() throws IOException {
    if (container != null) {
      if (paused) {
        resume();
      }
      container.stop();
    }
    if (process != null) {
      process.destroyForcibly();
      process.onExit().join();
    }
    if (folder != null && Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(each);
        }
      }
    }
  }
}
