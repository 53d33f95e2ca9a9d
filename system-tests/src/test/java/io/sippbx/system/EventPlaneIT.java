package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.servers.Kafka;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From calls through a real broker to records. */
class EventPlaneIT {

  private static final int CALLS = 15;
  private static final Duration WITHIN = Duration.ofMinutes(3);

  private static final Pattern PYTHON = Pattern.compile("```python\\n(.*?)```", Pattern.DOTALL);

  @TempDir Path folder = Path.of("");

  private Path folder(String name) throws IOException {
    return Files.createDirectory(folder.resolve(name));
  }

  private static EdgeProcess start(Path folder, Kafka broker, String role, String... more) {
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

  @Test
  void aProcessDoesNotStartWithoutATopicThatItMayNotMake() throws IOException {
    try (Kafka broker = Kafka.start(folder("broker"));
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
    try (Kafka broker = Kafka.start(folder("broker"));
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
  private static List<RegistrationEvent> registrations(Kafka broker) throws IOException {
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
  private List<String> printedByTheConsumerOfTheGuide(Kafka broker) throws IOException {
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

  private Child consumer(Child schema, Path script, Kafka broker) {
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
