package io.sippbx.control.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.kafka.KafkaTopics.Found;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real broker. */
class KafkaPublisherIT {

  private static final Duration WITHIN = Duration.ofSeconds(60);
  private static final int PARTITIONS = 3;

  @TempDir private static Path folder;
  private static KafkaBroker broker;

  @BeforeAll
  static void startBroker() throws IOException {
    broker = KafkaBroker.start(folder);
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  private static KafkaConfig config() {
    KafkaConfig defaults = ConfigLoader.defaults().kafka();
    int port = Integer.parseInt(broker.bootstrapServers().split(":")[1]);
    return new KafkaConfig(
        List.of(new HostPort("127.0.0.1", port)),
        Optional.empty(),
        defaults.login(),
        topics(true),
        defaults.maxInFlight());
  }

  private static KafkaConfig.Topics topics(boolean create) {
    return topics("calls", create);
  }

  private static KafkaConfig.Topics topics(String calls, boolean create) {
    return new KafkaConfig.Topics(
        calls, "registrations", create, PARTITIONS, Optional.empty(), WITHIN);
  }

  private static Found ensure(String topic, boolean create) throws Exception {
    return KafkaTopics.ensure(
        KafkaAccess.of(config()), topics(topic, create), KafkaConfig.Topic.CALLS, WITHIN);
  }

  @Test
  void makesATopicOnceAndFindsIt() throws Exception {
    Found made = ensure("made", true);
    assertThat(made)
        .isInstanceOfSatisfying(
            Found.Ready.class, ready -> assertThat(ready.partitions()).isEqualTo(PARTITIONS));
    assertThat(ensure("made", true)).isEqualTo(made);
    assertThat(ensure("made", false)).isEqualTo(made);
  }

  @Test
  void saysWhichTopicIsMissingWhereItMayNotMakeIt() throws Exception {
    assertThat(ensure("missing", false))
        .isEqualTo(
            new Found.Missing(
                "kafka.call_topic = missing: expected a topic that is there, for"
                    + " kafka.create_topics is false"));
  }

  @Test
  void losesNothingWhenTheBrokerIsKilledAndComesBack() throws Exception {
    String topic = "survives";
    assertThat(ensure(topic, true)).isInstanceOf(Found.Ready.class);
    KafkaAccess access = KafkaAccess.of(config());
    var settings = access.producer("test");
    settings.put("delivery.timeout.ms", "3000");
    settings.put("request.timeout.ms", "1000");
    int first = 300;
    int all = 1_000;
    var early = new CountDownLatch(first);
    var done = new CountDownLatch(all);
    try (var publisher =
        KafkaPublisher.start(
            () -> new KafkaProducer<String, byte[]>(settings),
            new KafkaPublisher.Topics(topic, "registrations"),
            all)) {
      for (int i = 0; i < first; i++) {
        publish(publisher, i, early, done);
      }
      await(early);
      broker.kill();
      for (int i = first; i < all; i++) {
        publish(publisher, i, early, done);
      }
      Awaitility.await().atMost(WITHIN).until(publisher::isFailing);
      assertThat(publisher.inHand()).isEqualTo(all - first);
      broker.restart();
      await(done);
      assertThat(publisher.isFailing()).isFalse();
      assertThat(publisher.inHand()).isZero();
    }
    List<ConsumerRecord<String, byte[]>> records = read(access, topic);
    var ids = new ArrayList<String>();
    for (ConsumerRecord<String, byte[]> each : records) {
      CallEvent event = CallEvent.parseFrom(each.value());
      assertThat(each.key()).isEqualTo(event.getCallKey());
      ids.add(event.getEventId());
    }
    assertThat(ids.stream().distinct()).hasSize(all);
  }

  private static void publish(
      KafkaPublisher publisher, int i, CountDownLatch early, CountDownLatch done) {
    CallEvent event =
        CallEvent.newBuilder().setEventId("event-" + i).setCallKey("call-" + i % 50).build();
    assertThat(
            publisher.take(
                event,
                () -> {
                  early.countDown();
                  done.countDown();
                }))
        .isTrue();
  }

  private static void await(CountDownLatch latch) throws InterruptedException {
    assertThat(latch.await(WITHIN.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private static List<ConsumerRecord<String, byte[]>> read(KafkaAccess access, String topic) {
    var records = new ArrayList<ConsumerRecord<String, byte[]>>();
    try (var consumer = new KafkaConsumer<String, byte[]>(access.consumer("test"))) {
      var partitions = new ArrayList<TopicPartition>();
      for (int i = 0; i < PARTITIONS; i++) {
        partitions.add(new TopicPartition(topic, i));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      var ends = consumer.endOffsets(partitions);
      while (partitions.stream()
          .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }
}
