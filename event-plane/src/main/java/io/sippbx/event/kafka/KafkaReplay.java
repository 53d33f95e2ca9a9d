package io.sippbx.event.kafka;

import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.event.EventTaker;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Brings the ends of calls of a span of time again, as far as the topic still has them. */
public final class KafkaReplay {

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration SILENT = Duration.ofSeconds(60);

  private KafkaReplay() {}

  /**
   * What came.
   *
   * @param unreadable events that nobody can read
   */
  public record Outcome(long calls, long unreadable) {}

  /**
   * Brings them, and waits until the taker is done with all.
   *
   * @param from the earliest end of a call
   * @param to before it all of them ended
   * @throws IOException if Kafka does not answer or the taker does not get done
   */
  public static Outcome run(
      KafkaAccess access, String topic, Instant from, Instant to, EventTaker taker)
      throws IOException, InterruptedException {
    try (var consumer = new KafkaConsumer<String, byte[]>(access.consumer("sip-pbx-replay"))) {
      return run(consumer, topic, from, to, taker);
    } catch (KafkaException e) {
      throw new IOException("kafka.call_topic = " + topic + ": " + e.getMessage(), e);
    }
  }

  private static Outcome run(
      KafkaConsumer<String, byte[]> consumer,
      String topic,
      Instant from,
      Instant to,
      EventTaker taker)
      throws IOException, InterruptedException {
    List<TopicPartition> partitions = new ArrayList<>();
    consumer
        .partitionsFor(topic)
        .forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
    consumer.assign(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    var times = new LinkedHashMap<TopicPartition, Long>();
    // An event is sent after the call has ended, never before.
    partitions.forEach(each -> times.put(each, from.toEpochMilli()));
    Map<TopicPartition, OffsetAndTimestamp> begins = consumer.offsetsForTimes(times);
    for (TopicPartition each : partitions) {
      OffsetAndTimestamp begin = begins.get(each);
      consumer.seek(each, begin == null ? ends.getOrDefault(each, 0L) : begin.offset());
    }
    var counts = new Counts();
    long heardNs = System.nanoTime();
    while (partitions.stream()
        .anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
      for (ConsumerRecord<String, byte[]> each : consumer.poll(POLL)) {
        heardNs = System.nanoTime();
        hand(each, from, to, taker, counts);
      }
      if (System.nanoTime() - heardNs > SILENT.toNanos()) {
        throw new IOException("kafka.call_topic = " + topic + ": the brokers do not answer");
      }
    }
    counts.awaitAll(SILENT);
    return new Outcome(counts.taken, counts.unreadable);
  }

  private static void hand(
      ConsumerRecord<String, byte[]> next,
      Instant from,
      Instant to,
      EventTaker taker,
      Counts counts)
      throws IOException, InterruptedException {
    CallEvent event;
    try {
      event = CallEvent.parseFrom(next.value() == null ? new byte[0] : next.value());
    } catch (InvalidProtocolBufferException e) {
      counts.unreadable++;
      return;
    }
    if (event.getCallKey().isEmpty() || !event.hasEnded()) {
      return;
    }
    Instant end =
        Instant.ofEpochSecond(
            event.getEnded().getEndTime().getSeconds(), event.getEnded().getEndTime().getNanos());
    if (end.isBefore(from) || !end.isBefore(to)) {
      return;
    }
    while (!taker.take(event, counts::isDone)) {
      counts.awaitAll(SILENT);
    }
    counts.taken++;
  }

  /** What was handed over and what is done with. */
  private static final class Counts {
    private final AtomicLong done = new AtomicLong();
    private long taken;
    private long unreadable;

    synchronized void isDone() {
      done.incrementAndGet();
      notifyAll();
    }

    synchronized void awaitAll(Duration within) throws IOException, InterruptedException {
      long end = System.nanoTime() + within.toNanos();
      while (done.get() < taken) {
        long leftMs = (end - System.nanoTime()) / 1_000_000;
        if (leftMs <= 0) {
          throw new IOException(taken - done.get() + " records were not written in " + within);
        }
        wait(leftMs);
      }
    }
  }
}
