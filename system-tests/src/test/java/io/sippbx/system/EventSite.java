package io.sippbx.system;

import io.sippbx.servers.KafkaBroker;
import io.sippbx.servers.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Whatever an event passes through, from the node that takes calls to records, rows and webhooks:
 * each a process that may be killed at any moment, and is started again at once. Several may be
 * down at a time.
 */
final class EventSite implements AutoCloseable {

  private static final Duration UP_WITHIN = Duration.ofMinutes(3);

  /** Longer than any of them may take, so that its own error is told. */
  private static final Duration WITHIN = UP_WITHIN.plusMinutes(1);

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Future<?>> restarts = new TreeMap<>();
  private final HookReceiver receiver;
  private final KafkaBroker broker;
  private final PostgresServer database;
  private volatile EdgeProcess edge;
  private volatile EdgeProcess events;

  /**
   * Starts all of it.
   *
   * @param rtpPorts for media, some of which those who called a node that was killed may have yet
   */
  EventSite(Path folder, int rtpPorts) throws IOException {
    receiver = new HookReceiver();
    Future<PostgresServer> startingDatabase = threads.submit(PostgresServer::start);
    broker = KafkaBroker.start(Files.createDirectory(folder.resolve("broker")));
    database = got(startingDatabase);
    String brokers = "kafka.bootstrap_servers=" + broker.bootstrapServers();
    Future<EdgeProcess> startingEvents =
        threads.submit(
            () ->
                EdgeProcess.start(
                    Files.createDirectory(folder.resolve("events")),
                    160,
                    List.of(),
                    List.of(),
                    arguments(folder.resolve("webhooks"), brokers)));
    edge =
        EdgeProcess.start(
            Files.createDirectory(folder.resolve("edge")),
            rtpPorts,
            List.of(),
            List.of("rtp_timeout: 5"),
            List.of("standalone", "--set", brokers, "--set", "cdr.enabled=false"));
    events = got(startingEvents);
  }

  private static <T> T got(Future<T> future) {
    try {
      return future.get(WITHIN.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private List<String> arguments(Path webhooks, String brokers) {
    var all = new ArrayList<String>(List.of("event-plane", "--cdr", "--webhooks"));
    for (String each :
        List.of(
            brokers,
            "cdr.postgres.url=" + database.url(),
            "cdr.postgres.username=sip",
            "events.webhooks=[{name: takes, url: '%s'}, {name: silent, url: '%s'}]"
                .formatted(receiver.url(), receiver.silentUrl()),
            "events.webhook_dir=" + webhooks,
            "events.webhook_timeout=1",
            "events.webhook_private_receivers=true")) {
      all.addAll(List.of("--set", each));
    }
    return all;
  }

  EdgeProcess edge() {
    return edge;
  }

  HookReceiver receiver() {
    return receiver;
  }

  private static EdgeProcess again(EdgeProcess process) {
    process.child().kill();
    process.close();
    // What it needs may be down, too.
    return process.again(UP_WITHIN);
  }

  /** Kills what is up, or as soon as it is: else it would hardly ever be. */
  private void inBackground(String what, Callable<?> kill) {
    Future<?> before = restarts.get(what);
    if (before != null) {
      got(before);
    }
    restarts.put(what, threads.submit(kill));
  }

  void killEdge() {
    inBackground("edge", () -> edge = again(edge));
  }

  void killEvents() {
    inBackground("events", () -> events = again(events));
  }

  void killBroker() {
    inBackground(
        "broker",
        () -> {
          broker.kill();
          broker.restart();
          return broker;
        });
  }

  void killBrokerAndEvents() {
    killBroker();
    killEvents();
  }

  void killDatabase() {
    inBackground(
        "database",
        () -> {
          database.kill();
          database.restart();
          return database;
        });
  }

  /** Waits until everything that was killed is up again. */
  void awaitAllUp() {
    restarts.values().forEach(EventSite::got);
  }

  /** The keys of the calls of which there is a record, one of each record. */
  List<String> records() {
    return events.cdrs().stream().map(each -> each.path("call_key").asText()).toList();
  }

  /** The Call-IDs of the callers' legs, one of each record. */
  List<String> callIds() {
    return events.cdrs().stream().map(each -> each.path("call_id").asText()).toList();
  }

  /** The keys of the calls of which there is a row. */
  List<String> rows() {
    var keys = new ArrayList<String>();
    try (Connection connection = DriverManager.getConnection(database.url(), "sip", "");
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("select call_key from cdr")) {
      while (result.next()) {
        keys.add(result.getString(1));
      }
    } catch (SQLException e) {
      // Not there yet, or not yet again.
      return List.of();
    }
    return keys;
  }

  @Override
  public void close() throws IOException {
    // What is being started is waited for, else it would outlive this.
    threads.close();
    events.close();
    edge.close();
    receiver.close();
    database.close();
    broker.close();
  }
}
