package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.servers.PostgresServer;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From calls through a real broker to records, with everything killed in between. */
class EventPlaneIT {

  private static final int CALLS = 15;
  private static final Duration WITHIN = Duration.ofMinutes(3);

  /** Calls during which everything is killed: -Dsippbx.calls=5000 for many. */
  private static final int MANY = Integer.getInteger("sippbx.calls", 90);

  /** A response to an INVITE that says that the call is known. */
  private static final Pattern HEARD =
      Pattern.compile(
          "^[^\\n]*\\s+SIP/2\\.0 (?:1\\d\\d|200) .*?^Call-ID: ([^\\r\\n]+).*?^CSeq: 1 INVITE",
          Pattern.DOTALL | Pattern.MULTILINE);

  private static final Pattern PYTHON = Pattern.compile("```python\\n(.*?)```", Pattern.DOTALL);

  private static final Pattern CALL_ID =
      Pattern.compile("^Call-ID: ([^\\r\\n]+)", Pattern.MULTILINE);

  @TempDir Path folder = Path.of("");

  private Path folder(String name) throws IOException {
    return Files.createDirectory(folder.resolve(name));
  }

  private static EdgeProcess start(Path folder, KafkaBroker broker, String role, String... more) {
    var arguments =
        new ArrayList<String>(
            List.of(role, "--set", "kafka.bootstrap_servers=" + broker.bootstrapServers()));
    arguments.addAll(List.of(more));
    return EdgeProcess.start(folder, 160, List.of(), List.of(), arguments);
  }

  private void call(EdgeProcess edge, Sipp.Builder callee) {
    Phones.call(edge, folder, Transport.UDP, Sipp.scenario("caller").calls(CALLS), callee);
  }

  private void call(EdgeProcess edge) {
    call(edge, Sipp.scenario("callee").calls(CALLS).option("-d", "50"));
  }

  private static void kill(EdgeProcess process) {
    process.child().kill();
    process.close();
  }

  private static List<String> callIds(EdgeProcess process) {
    return process.cdrs().stream().map(each -> each.path("call_id").asText()).toList();
  }

  private static void awaitCdrs(EdgeProcess events, int count) {
    Await.until(
        "there are " + count + " CDRs",
        WITHIN,
        () -> callIds(events).size(),
        size -> size >= count);
  }

  /** Everything of which one may be killed while calls go on, at a moment that is drawn. */
  private final class Site implements AutoCloseable {
    private final KafkaBroker broker = KafkaBroker.start(folder("broker"));
    private final PostgresServer database = PostgresServer.start();
    private EdgeProcess edge;
    private EdgeProcess events;

    Site() throws IOException {
      edge =
          EdgeProcess.start(
              folder("edge"),
              Math.min(5_000, 4 * MANY + 400),
              List.of(),
              List.of("rtp_timeout: 15"),
              List.of(
                  "standalone",
                  "--set",
                  "kafka.bootstrap_servers=" + broker.bootstrapServers(),
                  "--set",
                  "cdr.enabled=false"));
      events =
          start(
              folder("events"),
              broker,
              "event-plane",
              "--cdr",
              "--set",
              "cdr.postgres.url=" + database.url(),
              "--set",
              "cdr.postgres.username=sip");
    }

    void killEdge() {
      kill(edge);
      edge = edge.again();
    }

    void killEvents() {
      kill(events);
      events = events.again();
    }

    void killBroker() {
      broker.kill();
      restartBroker();
    }

    void killBrokerAndEvents() {
      broker.kill();
      kill(events);
      restartBroker();
      events = events.again();
    }

    void killDatabase() {
      database.kill();
      try {
        database.restart();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void restartBroker() {
      try {
        broker.restart();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

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

    List<String> records() {
      return events.cdrs().stream().map(each -> each.path("call_key").asText()).toList();
    }

    @Override
    public void close() {
      events.close();
      edge.close();
      database.close();
      broker.close();
    }
  }

  /** The calls of which a caller has heard: they were committed. */
  private static Set<String> heardOf(Sipp caller) {
    var calls = new TreeSet<String>();
    for (String block : caller.messages().split("message received", -1)) {
      Matcher heard = HEARD.matcher(block);
      if (heard.find()) {
        calls.add(heard.group(1).strip());
      }
    }
    return calls;
  }

  private static Set<String> made(Sipp caller) {
    var calls = new TreeSet<String>();
    Matcher made = CALL_ID.matcher(caller.messages());
    while (made.find()) {
      calls.add(made.group(1).strip());
    }
    return calls;
  }

  @Test
  void everyCallHasOneRecordAndOneRowWhateverIsKilledMeanwhile() throws IOException {
    long seed = Long.getLong("sippbx.seed", System.nanoTime());
    try (var site = new Site();
        Sipp callee =
            Sipp.scenario("callee")
                .calls(MANY * 2)
                .within(400)
                .option("-d", "300")
                .listen(folder)) {
      Phones.register(site.edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      var kills = new ArrayList<Runnable>();
      for (int i = 0; i < Math.max(1, MANY / 90); i++) {
        kills.addAll(
            List.of(
                site::killEdge,
                site::killEvents,
                site::killBroker,
                site::killBrokerAndEvents,
                site::killDatabase));
      }
      var random = new Random(seed);
      Collections.shuffle(kills, random);
      try (Sipp caller =
          Sipp.scenario("caller")
              .calls(MANY)
              .within(350)
              .option("-r", "6", "-d", "1000")
              .start(folder, site.edge.sip(Transport.UDP))) {
        int share = MANY / (kills.size() + 1);
        for (int i = 0; i < kills.size(); i++) {
          int at = share * i + 1 + random.nextInt(share);
          Await.until("call " + at + " began", WITHIN, () -> made(caller).size(), n -> n >= at);
          kills.get(i).run();
        }
        caller.child().awaitExit(WITHIN.multipliedBy(2));
        Set<String> heardOf = heardOf(caller);
        Set<String> made = made(caller);
        String what =
            "seed " + seed + ", of " + made.size() + " calls " + heardOf.size() + " heard";
        assertThat(heardOf).as(what).hasSizeGreaterThan(MANY / 2);
        Await.until(
            what + ": each has a record", WITHIN, () -> missing(site, heardOf), List::isEmpty);
        Await.until(what + ": no call is left", WITHIN, site.edge::activeCalls, n -> n == 0);
        Await.until(
            what + ": nothing is left in the outbox",
            WITHIN,
            site.edge::metrics,
            metrics -> metrics.contains("sip_outbox_events 0.0\n"));
        Await.until(
            what + ": records and rows are of the same calls",
            WITHIN,
            () -> new TreeSet<>(site.rows()).equals(new TreeSet<>(site.records())),
            same -> same);
        assertThat(site.records()).as(what).doesNotHaveDuplicates();
        assertThat(callIds(site.events)).as(what).doesNotHaveDuplicates().isSubsetOf(made);
      }
    }
  }

  private static List<String> missing(Site site, Set<String> calls) {
    var left = new ArrayList<>(calls);
    left.removeAll(callIds(site.events));
    return left;
  }

  @Test
  void aProcessDoesNotStartWithoutATopicThatItMayNotMake() throws IOException {
    try (KafkaBroker broker = KafkaBroker.start(folder("broker"));
        Child child =
            EdgeProcess.run(
                folder,
                List.of(
                    "event-plane",
                    "--set",
                    "kafka.bootstrap_servers=" + broker.bootstrapServers(),
                    "--set",
                    "kafka.create_topics=false",
                    "--set",
                    "cdr.output_dir=" + folder("cdr"),
                    "--set",
                    "monitoring.prometheus_port=0",
                    "--set",
                    "monitoring.health_check_port=0"))) {
      assertThat(child.awaitExit(Duration.ofSeconds(60))).isEqualTo(1);
      assertThat(child.output())
          .contains("kafka.call_topic = sip-pbx.call-events: expected a topic that is there");
    }
  }

  @Test
  void makesFilesAgainFromTheTopic() throws IOException {
    Path again = folder.resolve("again");
    try (KafkaBroker broker = KafkaBroker.start(folder("broker"));
        EdgeProcess edge = start(folder("edge"), broker, "standalone")) {
      call(edge);
      // Standalone writes what it takes from the topic itself.
      awaitCdrs(edge, CALLS);
      try (Child replay =
          EdgeProcess.run(
              folder,
              List.of(
                  "event-plane",
                  "replay",
                  "--from",
                  "2020-01-01T00:00:00Z",
                  "--to",
                  "2100-01-01T00:00:00Z",
                  "--output",
                  again.toString(),
                  "--set",
                  "kafka.bootstrap_servers=" + broker.bootstrapServers()))) {
        assertThat(replay.awaitExit(Duration.ofSeconds(60))).as(replay.output()).isZero();
        assertThat(replay.output()).contains(CALLS + " records written");
      }
      try (var files = Files.list(again)) {
        long lines =
            files
                .filter(each -> each.toString().endsWith(".jsonl"))
                .mapToLong(EventPlaneIT::lines)
                .sum();
        assertThat(lines).isEqualTo(CALLS);
      }
      List<String> keys = edge.cdrs().stream().map(each -> each.path("call_key").asText()).toList();
      assertThat(printedByTheConsumerOfTheGuide(broker))
          .extracting(line -> line.substring(0, line.indexOf(' ')))
          .containsExactlyInAnyOrderElementsOf(keys);
      assertThat(registrations(broker))
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getKind())
                    .isEqualTo(RegistrationKind.REGISTRATION_KIND_REGISTERED);
                assertThat(event.getAor()).startsWith("sip:bob-");
                assertThat(event.getSourceIp()).isEqualTo("127.0.0.1");
                assertThat(event.getTransport()).isEqualTo("udp");
              });
    }
  }

  /** All that is in the topic of registrations. */
  private static List<RegistrationEvent> registrations(KafkaBroker broker) throws IOException {
    var found = new ArrayList<RegistrationEvent>();
    try (var consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.bootstrapServers(), "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor("sip-pbx.registration-events").stream()
              .map(each -> new TopicPartition(each.topic(), each.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream()
          .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
        for (ConsumerRecord<String, byte[]> each : consumer.poll(Duration.ofMillis(200))) {
          RegistrationEvent event = RegistrationEvent.parseFrom(each.value());
          assertThat(each.key()).isEqualTo(event.getAor());
          found.add(event);
        }
      }
    }
    return found;
  }

  /** Runs the Python that docs/EVENTS.md shows. */
  private List<String> printedByTheConsumerOfTheGuide(KafkaBroker broker) throws IOException {
    Path root = Path.of(System.getProperty("sippbx.root", "..")).toAbsolutePath();
    Matcher code = PYTHON.matcher(Files.readString(root.resolve("docs/EVENTS.md")));
    assertThat(code.find()).isTrue();
    Path script = Files.writeString(folder.resolve("consumer.py"), code.group(1));
    try (Child schema =
            Child.start(
                "protoc",
                folder,
                List.of(
                    Tool.PROTOC.path(),
                    "--python_out=.",
                    "-I",
                    root.resolve("proto/src/main/protobuf").toString(),
                    "sippbx/event/v1/call_event.proto"));
        Child consumer = consumer(schema, script, broker)) {
      assertThat(consumer.awaitExit(Duration.ofSeconds(60))).as(consumer.output()).isZero();
      return consumer.output().lines().toList();
    }
  }

  private Child consumer(Child schema, Path script, KafkaBroker broker) {
    assertThat(schema.awaitExit(Duration.ofSeconds(30))).as(schema.output()).isZero();
    return Child.start(
        "consumer of the guide",
        folder,
        List.of("/usr/bin/python3", script.toString(), broker.bootstrapServers()));
  }

  @Test
  void aServerWithoutKafkaLoadsNothingOfItOrOfADatabase() {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Child classes =
            Child.start(
                "jcmd",
                folder,
                List.of(jcmd.toString(), edge.child().pid(), "VM.class_hierarchy", "-i"))) {
      assertThat(classes.awaitExit(Duration.ofSeconds(60))).isZero();
      assertThat(classes.output())
          .contains("io.sippbx.event.cdr.CdrWriter")
          .doesNotContain("org.apache.kafka")
          .doesNotContain("org.flywaydb")
          .doesNotContain("org.postgresql");
    }
  }

  private static long lines(Path file) {
    try (var lines = Files.lines(file)) {
      return lines.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
