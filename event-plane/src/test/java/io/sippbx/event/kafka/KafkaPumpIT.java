package io.sippbx.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Timestamp;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.Ringing;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From a real broker to records, with processes and the broker killed in between. */
@Timeout(300)
class KafkaPumpIT {

  private static final int PARTITIONS = 3;
  private static final int CALLS = 2_000;
  private static final Duration WITHIN = Duration.ofSeconds(90);
  private static final long END_S = 1_736_072_325L;

  @TempDir private static Path brokerFolder;
  private static KafkaBroker broker;

  @TempDir Path folder;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = KafkaBroker.start(brokerFolder);
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  private static int port() {
    return Integer.parseInt(broker.bootstrapServers().split(":")[1]);
  }

  private static Process launch(Path folder) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--sun-misc-unsafe-memory-access=allow",
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            CdrProcess.class.getName(),
            "" + port(),
            "" + PARTITIONS,
            folder.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolveSibling("log").toFile()))
        .start();
  }

  /** Two days, so that more than one file is open to doubt. */
  private static CallEvent end(int call) {
    Timestamp time = Timestamp.newBuilder().setSeconds(END_S + (call % 2) * 86_400L + call).build();
    return CallEvent.newBuilder()
        .setEventId("call-" + call + ":1:0")
        .setCallKey("call-" + call)
        .setSeq(2)
        .setEnded(Ended.newBuilder().setStartTime(time).setEndTime(time).setReason("normal"))
        .build();
  }

  /** Those of a call stay in order: they go to one partition, by a producer that is idempotent. */
  private static void send(KafkaProducer<String, byte[]> producer, List<CallEvent> events)
      throws Exception {
    var sent = new ArrayList<Future<RecordMetadata>>();
    for (CallEvent each : events) {
      sent.add(producer.send(new ProducerRecord<>("calls", each.getCallKey(), each.toByteArray())));
    }
    for (Future<RecordMetadata> each : sent) {
      each.get(WITHIN.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private static List<String> recorded(Path folder) throws IOException {
    var keys = new ArrayList<String>();
    var mapper = new ObjectMapper();
    try (var files = Files.list(folder)) {
      for (Path each : files.filter(file -> file.toString().endsWith(".jsonl")).toList()) {
        for (String line : Files.readAllLines(each)) {
          keys.add(mapper.readTree(line).get("call_key").asText());
        }
      }
    }
    return keys;
  }

  /** Whole lines only: the process may be writing. */
  private static long lines(Path folder) throws IOException {
    long count = 0;
    try (var files = Files.list(folder)) {
      for (Path each : files.filter(file -> file.toString().endsWith(".jsonl")).toList()) {
        for (byte octet : Files.readAllBytes(each)) {
          count += octet == '\n' ? 1 : 0;
        }
      }
    }
    return count;
  }

  @Test
  void writesEachCallOnceThoughItAndTheBrokerAreKilled() throws Exception {
    Path cdrs = Files.createDirectories(folder.resolve("cdr"));
    KafkaConfig config = CdrProcess.kafka(port(), PARTITIONS);
    KafkaAccess access = KafkaAccess.of(config);
    assertThat(KafkaTopics.ensure(access, config.topics(), KafkaConfig.Topic.CALLS, WITHIN))
        .isInstanceOf(KafkaTopics.Found.Ready.class);
    var random = new Random(7);
    Process process = launch(cdrs);
    Map<String, Object> settings = new TreeMap<>(access.producer("test"));
    // The test waits for a broker that is being started again; the product tries again instead.
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (int) WITHIN.toMillis());
    try (var producer = new KafkaProducer<String, byte[]>(settings)) {
      int sent = 0;
      while (sent < CALLS) {
        var events = new ArrayList<CallEvent>();
        for (int i = 0; i < CALLS / 4; i++) {
          // Some come twice, at once or after others, as from a publisher that was killed.
          events.add(end(sent));
          events.add(ringing(sent));
          if (random.nextInt(4) == 0) {
            events.add(end(random.nextInt(sent + 1)));
          }
          sent++;
        }
        send(producer, events);
        // At whatever it does now: that there are records shows that it has come to work.
        int least = sent / 2;
        Awaitility.await().atMost(WITHIN).until(() -> lines(cdrs) > least);
        process.destroyForcibly().waitFor();
        if (sent == CALLS / 2) {
          broker.kill();
          broker.restart();
        }
        process = launch(cdrs);
      }
      Awaitility.await().atMost(WITHIN).until(() -> lines(cdrs) >= CALLS);
      // Whatever comes again after that is known too.
      send(producer, IntStream.range(0, 200).mapToObj(KafkaPumpIT::end).toList());
      send(producer, List.of(end(CALLS)));
      Awaitility.await().atMost(WITHIN).until(() -> lines(cdrs) > CALLS);
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(recorded(cdrs)).doesNotHaveDuplicates().hasSize(CALLS + 1);
  }

  private static CallEvent ringing(int call) {
    return CallEvent.newBuilder()
        .setCallKey("call-" + call)
        .setSeq(1)
        .setRinging(Ringing.newBuilder().setStatus(180))
        .build();
  }

  @Test
  void passesOverWhatNobodyCanReadAndGoesOnWhereItWas() throws Exception {
    Path cdrs = Files.createDirectories(folder.resolve("cdr"));
    KafkaConfig config = CdrProcess.kafka(port(), 1);
    var topics =
        new KafkaConfig.Topics(
            "poisoned",
            "registrations",
            true,
            1,
            config.topics().replicas(),
            config.topics().retention());
    KafkaAccess access = KafkaAccess.of(config);
    var settings =
        new KafkaPump.Settings("cdr", access, topics, KafkaConfig.Topic.CALLS, List.of(0));
    assertThat(KafkaTopics.ensure(access, topics, KafkaConfig.Topic.CALLS, WITHIN))
        .isInstanceOf(KafkaTopics.Found.Ready.class);
    try (var producer = new KafkaProducer<String, byte[]>(access.producer("test"))) {
      byte[] good = end(1).toByteArray();
      byte[] junk = {(byte) 0xff, 1, 2};
      for (byte[] each : List.of(junk, good, new byte[0])) {
        producer
            .send(new ProducerRecord<>("poisoned", "k", each))
            .get(WITHIN.toSeconds(), TimeUnit.SECONDS);
      }
    }
    var checkpoint = new Checkpoint(cdrs.resolve("checkpoint"));
    try (CdrWriter writer = CdrWriter.start(cdrs, CdrProcess.cdr(cdrs), Clock.systemUTC());
        KafkaPump pump = KafkaPump.start(settings, writer, checkpoint)) {
      Awaitility.await().atMost(WITHIN).until(() -> pump.unreadable() == 2 && lines(cdrs) == 1);
      assertThat(pump.isConnected()).isTrue();
    }
    try (CdrWriter writer = CdrWriter.start(cdrs, CdrProcess.cdr(cdrs), Clock.systemUTC());
        KafkaPump pump = KafkaPump.start(settings, writer, checkpoint)) {
      Awaitility.await().atMost(WITHIN).until(pump::isConnected);
      assertThat(pump.taken()).isZero();
      assertThat(writer.duplicates()).isZero();
    }
    assertThat(recorded(cdrs)).containsExactly("call-1");
  }
}
