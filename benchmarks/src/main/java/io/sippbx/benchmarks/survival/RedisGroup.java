package io.sippbx.benchmarks.survival;

import io.sippbx.control.store.redis.RedisBinary;
import io.sippbx.control.store.redis.RedisStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A Redis, or a primary with a replica and three sentinels. */
final class RedisGroup implements AutoCloseable {

  private static final String NAME = "survival";
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(20);

  private final Path folder;
  private final Hosts hosts;
  private final boolean withReplica;
  private List<String> firstServer = List.of();
  private final List<ChildProcess> processes = new ArrayList<>();
  private final List<Integer> servers = new ArrayList<>();
  private final List<Integer> sentinels = new ArrayList<>();
  private String version = "";

  private RedisGroup(Path folder, Hosts hosts, boolean withReplica) {
    this.folder = folder;
    this.hosts = hosts;
    this.withReplica = withReplica;
  }

  static RedisGroup start(Path folder, Hosts hosts, PortBlock ports, boolean withReplica)
      throws IOException {
    var group = new RedisGroup(folder, hosts, withReplica);
    try {
      RedisBinary found = RedisBinary.locate(folder.resolve("redis"));
      group.version = found.version();
      var binary = new RedisBinary(found.path().toAbsolutePath(), found.version());
      group.server(folder, binary, ports.next());
      if (withReplica) {
        group.server(folder, binary, ports.next());
        for (int i = 0; i < 3; i++) {
          group.sentinel(folder, binary, ports.next());
        }
        Waiting.until("sentinels and replica to be known", STARTS_WITHIN, () -> group.isComplete());
      }
      return group;
    } catch (RedisStartException e) {
      group.close();
      throw new IOException(e.getMessage(), e);
    } catch (IOException e) {
      group.close();
      throw e;
    }
  }

  private void server(Path folder, RedisBinary binary, int port) throws IOException {
    String name = "redis-" + (servers.size() + 1);
    Path data = Files.createDirectories(folder.resolve(name));
    var command =
        new ArrayList<>(
            List.of(
                binary.path().toString(),
                "--port",
                "" + port,
                "--bind",
                hosts.servers(),
                "--protected-mode",
                "no",
                "--dir",
                data.toString(),
                "--save",
                "",
                "--appendonly",
                withReplica ? "no" : "yes",
                "--repl-diskless-sync-delay",
                "0"));
    if (!servers.isEmpty()) {
      command.addAll(List.of("--replicaof", hosts.servers(), "" + servers.getFirst()));
    }
    processes.add(launch(name, command, port));
    firstServer = servers.isEmpty() ? List.copyOf(command) : firstServer;
    servers.add(port);
  }

  private void sentinel(Path folder, RedisBinary binary, int port) throws IOException {
    String name = "sentinel-" + (sentinels.size() + 1);
    Path file =
        Files.writeString(
            folder.resolve(name + ".conf"),
            """
            sentinel monitor %1$s %2$s %3$d 2
            sentinel down-after-milliseconds %1$s 1000
            sentinel failover-timeout %1$s 3000
            """
                .formatted(NAME, hosts.servers(), servers.getFirst()));
    processes.add(
        launch(
            name,
            List.of(
                binary.path().toString(),
                file.toString(),
                "--sentinel",
                "--port",
                "" + port,
                "--bind",
                hosts.servers(),
                "--protected-mode",
                "no"),
            port));
    sentinels.add(port);
  }

  private ChildProcess launch(String name, List<String> command, int port) throws IOException {
    ChildProcess process =
        ChildProcess.start(name, folder, hosts.onServers(), command, line -> false);
    try {
      awaitAnswer(name, process, port);
      return process;
    } catch (IOException e) {
      process.close();
      throw e;
    }
  }

  private void awaitAnswer(String name, ChildProcess process, int port) throws IOException {
    Waiting.until(
        name + " to answer",
        STARTS_WITHIN,
        () -> {
          if (!process.isAlive()) {
            throw new IOException(name + " ended: " + Files.readString(process.log()));
          }
          return RedisAnswers.find(hosts.servers(), port, "PING")
              .filter("PONG"::equals)
              .isPresent();
        });
  }

  private boolean isComplete() throws IOException {
    for (int port : sentinels) {
      String master =
          RedisAnswers.ask(hosts.servers(), port, "SENTINEL", "MASTER", NAME).toString();
      if (!master.contains("num-slaves, 1,") || !master.contains("num-other-sentinels, 2,")) {
        return false;
      }
    }
    return true;
  }

  /** What {@code redis.uri} is to be. */
  String uri() {
    if (!withReplica) {
      return "redis://" + hosts.servers() + ":" + servers.getFirst();
    }
    return "redis-sentinel://"
        + String.join(",", sentinels.stream().map(port -> hosts.servers() + ":" + port).toList())
        + "#"
        + NAME;
  }

  String version() {
    return version;
  }

  /** Ends the first server with SIGKILL. */
  void killPrimary() {
    processes.getFirst().kill();
  }

  /** Sends a signal to the first server. */
  void signal(String signal) throws IOException {
    processes.getFirst().signal(signal);
  }

  /** Ends the first server with SIGTERM. */
  void stop() {
    ChildProcess process = processes.getFirst();
    process.terminate();
    if (!process.awaitEnd(STARTS_WITHIN)) {
      throw new IllegalStateException("Expected Redis to end on SIGTERM, but it did not");
    }
  }

  /** Starts the first server again that has ended, with what it has on its disk. */
  void startAgain() throws IOException {
    processes.set(0, launch("redis-1", firstServer, servers.getFirst()));
  }

  /** Asks the server that is the primary now. */
  Object ask(String... words) throws IOException {
    return RedisAnswers.ask(hosts.servers(), primary(), words);
  }

  private int primary() throws IOException {
    for (int port : servers) {
      if (RedisAnswers.find(hosts.servers(), port, "ROLE")
          .filter(role -> role.toString().startsWith("[master"))
          .isPresent()) {
        return port;
      }
    }
    throw new IOException("no Redis says that it is the primary");
  }

  @Override
  public void close() {
    processes.forEach(ChildProcess::close);
  }
}
