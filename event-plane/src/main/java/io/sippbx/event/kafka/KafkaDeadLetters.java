package io.sippbx.event.kafka;

import io.sippbx.event.webhook.DeadLetter;
import io.sippbx.event.webhook.DeadLetterSource;
import io.sippbx.event.webhook.DeadLetters;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Dead letters in a topic: the call's key, and a line of JSON. */
public final class KafkaDeadLetters implements DeadLetters, DeadLetterSource, AutoCloseable {

  /** The key that names the topic. */
  public static final String KEY = "events.webhook_dead_letter_topic";

  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(3);
  private static final Duration ASK_WITHIN = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration SILENT = Duration.ofSeconds(60);

  private final KafkaAccess access;
  private final KafkaConfig.Topics topics;
  private final String topic;
  private final RateLimitedLog limited =
      RateLimitedLog.of(LoggerFactory.getLogger(KafkaDeadLetters.class));
  private @Nullable KafkaProducer<String, byte[]> producer;
  private boolean closed;

  /** In this topic, which is made when it is needed; Kafka need not be there yet. */
  public KafkaDeadLetters(KafkaAccess access, KafkaConfig.Topics topics, String topic) {
    this.access = access;
    this.topics = topics;
    this.topic = topic;
  }

  @Override
  public void keep(DeadLetter letter, Consumer<Boolean> answer) {
    try {
      // What comes of it is told to the callback.
      var _ =
          opened()
              .send(
                  new ProducerRecord<>(topic, letter.webhook().subject(), letter.encode()),
                  (metadata, problem) -> {
                    if (problem != null) {
                      failed(problem.toString());
                    }
                    answer.accept(problem == null);
                  });
    } catch (KafkaException | IOException e) {
      failed(e.toString());
      answer.accept(false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer.accept(false);
    }
  }

  private void failed(String problem) {
    limited
        .at(Level.ERROR, "webhook.dead-letter-not-kept")
        .addKeyValue("topic", topic)
        .addKeyValue("problem", problem)
        .log("webhook.dead-letter-not-kept");
  }

  private synchronized KafkaProducer<String, byte[]> opened()
      throws IOException, InterruptedException {
    if (closed) {
      throw new IOException("this process ends");
    }
    KafkaProducer<String, byte[]> open = producer;
    if (open == null) {
      ready();
      open = new KafkaProducer<>(access.producer("sip-pbx-webhooks"));
      producer = open;
    }
    return open;
  }

  private void ready() throws IOException, InterruptedException {
    switch (KafkaTopics.ensure(access, topics, KEY, topic, ASK_WITHIN)) {
      case KafkaTopics.Found.Ready ready -> {}
      case KafkaTopics.Found.NotReached(String problem) -> throw new IOException(problem);
      case KafkaTopics.Found.Missing(String problem) -> throw new IOException(problem);
    }
  }

  @Override
  public void flush() {
    // The producer sends by itself.
  }

  @Override
  public void read(Range range, Consumer<DeadLetter> reader)
      throws IOException, InterruptedException {
    ready();
    try (var consumer = new KafkaConsumer<String, byte[]>(access.consumer("sip-pbx-redeliver"))) {
      read(consumer, range, reader);
    } catch (KafkaException e) {
      throw new IOException(KEY + " = " + topic + ": " + e.getMessage(), e);
    }
  }

  private void read(
      KafkaConsumer<String, byte[]> consumer, Range range, Consumer<DeadLetter> reader)
      throws IOException {
    List<TopicPartition> partitions = new ArrayList<>();
    consumer
        .partitionsFor(topic)
        .forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
    consumer.assign(partitions);
    // To the end, whatever the range is: what became of a letter stands after it.
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    var times = new LinkedHashMap<TopicPartition, Long>();
    partitions.forEach(each -> times.put(each, Math.max(0, range.from().toEpochMilli())));
    Map<TopicPartition, OffsetAndTimestamp> begins = consumer.offsetsForTimes(times);
    for (TopicPartition each : partitions) {
      OffsetAndTimestamp begin = begins.get(each);
      consumer.seek(each, begin == null ? ends.getOrDefault(each, 0L) : begin.offset());
    }
    long heardNs = System.nanoTime();
    while (partitions.stream()
        .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
      for (ConsumerRecord<String, byte[]> each : consumer.poll(POLL)) {
        heardNs = System.nanoTime();
        if (each.value() != null) {
          DeadLetter.decode(each.value()).ifPresent(reader);
        }
      }
      if (System.nanoTime() - heardNs > SILENT.toNanos()) {
        throw new IOException(KEY + " = " + topic + ": the brokers do not answer");
      }
    }
  }

  /** Sends what was given, within a bound. */
  @Override
  public synchronized void close() {
    closed = true;
    KafkaProducer<String, byte[]> open = producer;
    producer = null;
    if (open != null) {
      open.close(CLOSE_WITHIN);
    }
  }
}
