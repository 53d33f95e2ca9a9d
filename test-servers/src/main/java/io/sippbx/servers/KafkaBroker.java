package io.sippbx.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker of one node (KRaft), started from its Maven artifacts in a process with
 * bounded memory, which tests may end. It makes no topics by itself. Used by one thread.
 */
public final class KafkaBroker implements Kafka {

  private static final Duration START = Duration.ofMinutes(3);
  private static final String CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg";

  private final Path folder;
  private final int port;
  private @Nullable Process process;

  private KafkaBroker(Path folder, int port) {
    this.folder = folder;
    this.port = port;
  }

  /**
   * Starts one and waits until it takes connections.
   *
   * @param folder empty; for its data and its log
   */
  public static KafkaBroker start(Path folder) throws IOException {
    return start(folder, List.of());
  }

  /**
   * As {@link #start(Path)}.
   *
   * @param settings further lines of its configuration
   */
  public static KafkaBroker start(Path folder, List<String> settings) throws IOException {
    int port = Ports.free();
    int controller = Ports.free();
    Files.createDirectories(folder);
    var broker = new KafkaBroker(folder, port);
    var lines = new ArrayList<String>();
    lines.addAll(
        List.of(
            "process.roles=broker,controller",
            "node.id=1",
            "controller.quorum.voters=1@127.0.0.1:" + controller,
            "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller,
            "advertised.listeners=PLAINTEXT://127.0.0.1:" + port,
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names=CONTROLLER",
            "log.dirs=" + folder.resolve("data"),
            "auto.create.topics.enable=false",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=2",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "num.network.threads=1",
            "num.io.threads=2",
            "log.cleaner.dedupe.buffer.size=2097152"));
    lines.addAll(settings);
    Files.write(broker.settings(), lines);
    broker.format();
    broker.restart();
    Announcement.of("Kafka", "a process from its Maven artifacts");
    return broker;
  }

  private Path settings() {
    return folder.resolve("server.properties");
  }

  private void format() throws IOException {
    Process formatting =
        java(
            List.of(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", settings().toString()));
    if (!awaitEnd(formatting, START) || formatting.exitValue() != 0) {
      formatting.destroyForcibly();
      throw new IOException("the broker's folder was not made: " + said());
    }
  }

  /** Starts it again, on the same port and with what it has kept, and waits for it. */
  public void restart() throws IOException {
    Process started = java(List.of("kafka.Kafka", settings().toString()));
    process = started;
    long end = System.nanoTime() + START.toNanos();
    while (!Ports.isTaken(port)) {
      if (awaitEnd(started, Duration.ofMillis(50)) || System.nanoTime() > end) {
        close();
        throw new IOException("the broker did not start: " + said());
      }
    }
  }

  private Process java(List<String> arguments) throws IOException {
    var command = new ArrayList<String>();
    Path setpriv = Path.of("/usr/bin/setpriv");
    if (Files.isExecutable(setpriv)) {
      // Tests that are killed leave nothing behind either.
      command.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL", "--"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath()));
    command.addAll(arguments);
    Process started =
        LastingChild.start(
            new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile())));
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
    return started;
  }

  private static String classPath() throws IOException {
    try (InputStream in = KafkaBroker.class.getResourceAsStream("kafka.classpath")) {
      if (in == null) {
        throw new IOException("kafka.classpath is missing: build this module with Maven");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  private String said() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      return "nothing (" + e + ")";
    }
  }

  @Override
  public String bootstrapServers() {
    return "127.0.0.1:" + port;
  }

  /** Ends it at once (SIGKILL). */
  public void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      if (!awaitEnd(running, START)) {
        throw new UncheckedIOException(new IOException("the broker does not end"));
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
