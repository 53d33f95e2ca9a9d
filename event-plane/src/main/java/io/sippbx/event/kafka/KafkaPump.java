package io.sippbx.event.kafka;

import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.event.EventTaker;
import io.sippbx.event.OwnThread;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Brings the events of a topic from Kafka to one taker, each at least once, and remembers how far
 * it has come once the taker is done with them.
 *
 * <p>Its partitions are its own for good: no group shares them out, so that an event that was sent
 * twice comes to the same taker twice. While the taker has no room nothing more is fetched; what
 * goes wrong with Kafka is tried again with pauses.
 */
public final class KafkaPump implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(KafkaPump.class);

  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration FULL_POLL = Duration.ofMillis(10);
  private static final Duration ASK_WITHIN = Duration.ofSeconds(5);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);
  private static final long STORE_EVERY_NS = TimeUnit.MILLISECONDS.toNanos(500);

  private final Settings settings;
  private final EventTaker taker;
  private final Positions positions;
  private final RateLimitedLog limited =
      new RateLimitedLog(log, 10, Duration.ofMinutes(1), System::nanoTime);
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  private final LongAdder taken = new LongAdder();
  private final LongAdder unreadable = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private volatile boolean connected;
  private volatile long lag;

  /** What the thread has of its partitions. */
  private final Map<Integer, OffsetTracker> trackers = new TreeMap<>();

  /** By partition, the first offset that is handed over. */
  private final Map<Integer, Long> begins = new TreeMap<>();

  private final Deque<ConsumerRecord<String, byte[]>> waiting = new ArrayDeque<>();
  private Map<Integer, Long> stored = Map.of();
  private long storedNs;

  /**
   * What to bring.
   *
   * @param name of what is made of the events: "cdr"
   * @param topic what it brings
   * @param partitions of the topic; empty: all
   * @param key that names the partitions
   * @param begin where, as long as nothing is known of a partition
   */
  public record Settings(
      String name,
      KafkaAccess access,
      KafkaConfig.Topics topics,
      KafkaConfig.Topic topic,
      List<Integer> partitions,
      String key,
      Begin begin) {
    private String topicName() {
      return topics.name(topic);
    }

    /** Copies {@code partitions}. */
    public Settings {
      partitions = List.copyOf(partitions);
    }

    /** For records of calls: of everything that there is. */
    public Settings(
        String name,
        KafkaAccess access,
        KafkaConfig.Topics topics,
        KafkaConfig.Topic topic,
        List<Integer> partitions) {
      this(name, access, topics, topic, partitions, "cdr.kafka_partitions", new Begin(false, 0));
    }
  }

  /**
   * Where it begins.
   *
   * @param withNew where nothing is known of a partition yet: with what comes from now on; else
   *     with the oldest that is there
   * @param recalled events of a partition, before the first that is handed over, that the taker is
   *     shown
   */
  public record Begin(boolean withNew, int recalled) {}

  private KafkaPump(Settings settings, EventTaker taker, Positions positions) {
    this.settings = settings;
    this.taker = taker;
    this.positions = positions;
    this.thread =
        Thread.ofPlatform().name("events-" + settings.name()).daemon().unstarted(this::run);
  }

  /** Starts to bring events; Kafka need not be there yet. */
  public static KafkaPump start(Settings settings, EventTaker taker, Positions positions) {
    var pump = new KafkaPump(settings, taker, positions);
    pump.thread.start();
    return pump;
  }

  private void run() {
    try {
      boolean ended = false;
      while (!ended) {
        try {
          consume();
        } catch (WakeupException e) {
          log.atDebug().addKeyValue("consumer", settings.name()).log("kafka.woken");
        } catch (KafkaException | IOException e) {
          if (e instanceof InterruptException) {
            Thread.currentThread().interrupt();
            return;
          }
          failures.increment();
          limited
              .at(Level.ERROR, "kafka.consume-failed")
              .addKeyValue("consumer", settings.name())
              .addKeyValue("topic", settings.topicName())
              .addKeyValue("problem", e.toString())
              .log("kafka.consume-failed");
        }
        connected = false;
        ended = closing.await(RETRY.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      // Only close() interrupts.
      Thread.currentThread().interrupt();
    }
  }

  /** From one connection to its end. */
  private void consume() throws IOException, InterruptedException {
    KafkaTopics.Found.Ready topic =
        switch (KafkaTopics.ensure(
            settings.access(), settings.topics(), settings.topic(), ASK_WITHIN)) {
          case KafkaTopics.Found.Ready ready -> ready;
          case KafkaTopics.Found.NotReached(String problem) -> throw new IOException(problem);
          case KafkaTopics.Found.Missing(String problem) -> throw new IOException(problem);
        };
    List<TopicPartition> mine = partitions(topic.partitions());
    try (var consumer =
        new KafkaConsumer<String, byte[]>(
            settings.access().consumer("sip-pbx-" + settings.name()))) {
      consumer.assign(mine);
      begin(consumer, mine, topic.id());
      connected = true;
      log.atInfo()
          .addKeyValue("consumer", settings.name())
          .addKeyValue("topic", settings.topicName())
          .addKeyValue("partitions", mine.size())
          .log("kafka.consuming");
      while (closing.getCount() > 0) {
        for (ConsumerRecord<String, byte[]> each :
            consumer.poll(waiting.isEmpty() ? POLL : FULL_POLL)) {
          waiting.add(each);
        }
        hand();
        if (waiting.isEmpty()) {
          consumer.resume(consumer.paused());
        } else {
          consumer.pause(mine);
        }
        lag = lag(consumer, mine);
        remember(topic.id(), false);
      }
      remember(topic.id(), true);
    }
  }

  private List<TopicPartition> partitions(int there) throws IOException {
    var mine = new ArrayList<TopicPartition>();
    if (settings.partitions().isEmpty()) {
      for (int i = 0; i < there; i++) {
        mine.add(new TopicPartition(settings.topicName(), i));
      }
    }
    for (int each : settings.partitions()) {
      if (each >= there) {
        throw new IOException(
            settings.key()
                + ": expected partitions of "
                + settings.topicName()
                + ", which has 0 to "
                + (there - 1)
                + ", but got "
                + each);
      }
      mine.add(new TopicPartition(settings.topicName(), each));
    }
    return mine;
  }

  /** Goes to where it was when all that was done with was remembered. */
  private void begin(
      KafkaConsumer<String, byte[]> consumer, List<TopicPartition> mine, String topicId)
      throws IOException {
    trackers.clear();
    waiting.clear();
    Map<Integer, Long> known = positions.load(topicId);
    Map<TopicPartition, Long> oldest = consumer.beginningOffsets(mine);
    Map<TopicPartition, Long> fresh =
        settings.begin().withNew() ? consumer.endOffsets(mine) : oldest;
    begins.clear();
    for (TopicPartition each : mine) {
      long first = oldest.getOrDefault(each, 0L);
      long next = known.getOrDefault(each.partition(), fresh.getOrDefault(each, first));
      if (next < first) {
        lost.add(first - next);
        log.atError()
            .addKeyValue("consumer", settings.name())
            .addKeyValue("partition", each)
            .addKeyValue("events", first - next)
            .log("kafka.events-deleted-before-they-were-consumed");
      }
      long begin = Math.max(first, next);
      consumer.seek(each, Math.max(first, begin - settings.begin().recalled()));
      begins.put(each.partition(), begin);
      trackers.put(each.partition(), new OffsetTracker(begin));
    }
    stored = known;
    // Where it began with what was new then, it must not begin later the next time.
    remember(topicId, true);
  }

  private void hand() {
    for (ConsumerRecord<String, byte[]> next = waiting.peek();
        next != null;
        next = waiting.peek()) {
      OffsetTracker tracker = trackers.get(next.partition());
      if (tracker != null && !hand(next, tracker)) {
        return;
      }
      waiting.remove();
    }
  }

  /** Shows what was done with before. */
  private void recall(ConsumerRecord<String, byte[]> before) {
    if (settings.topic() != KafkaConfig.Topic.CALLS) {
      return;
    }
    try {
      taker.recall(CallEvent.parseFrom(before.value() == null ? new byte[0] : before.value()));
    } catch (InvalidProtocolBufferException e) {
      // It was counted when it came.
      log.atDebug().addKeyValue("offset", before.offset()).log("kafka.unreadable-before");
    }
  }

  /** False if there is no room. */
  private boolean hand(ConsumerRecord<String, byte[]> next, OffsetTracker tracker) {
    long offset = next.offset();
    if (offset < begins.getOrDefault(next.partition(), 0L)) {
      recall(next);
      return true;
    }
    // Taken before it is handed over: the taker may be done with it at once.
    tracker.taken(offset);
    Offer offer;
    try {
      offer = read(next.value() == null ? new byte[0] : next.value());
    } catch (InvalidProtocolBufferException e) {
      unreadable.increment();
      limited
          .at(Level.ERROR, "kafka.unreadable")
          .addKeyValue("partition", next.partition())
          .addKeyValue("offset", offset)
          .addKeyValue("problem", e.getMessage())
          .log("kafka.unreadable");
      tracker.done(offset);
      return true;
    }
    if (!offer.to(taker, () -> tracker.done(offset))) {
      tracker.givenBack(offset);
      return false;
    }
    taken.increment();
    return true;
  }

  /** An event that was read, and is to be offered. */
  private interface Offer {
    boolean to(EventTaker taker, Runnable done);
  }

  private Offer read(byte[] value) throws InvalidProtocolBufferException {
    return switch (settings.topic()) {
      case CALLS -> {
        CallEvent event = CallEvent.parseFrom(value);
        if (event.getCallKey().isEmpty()) {
          throw new InvalidProtocolBufferException("it has no call_key");
        }
        yield (taker, done) -> taker.take(event, done);
      }
      case REGISTRATIONS -> {
        RegistrationEvent event = RegistrationEvent.parseFrom(value);
        if (event.getAor().isEmpty()) {
          throw new InvalidProtocolBufferException("it has no aor");
        }
        yield (taker, done) -> taker.take(event, done);
      }
    };
  }

  private static long lag(KafkaConsumer<String, byte[]> consumer, List<TopicPartition> mine) {
    long sum = 0;
    for (TopicPartition each : mine) {
      sum += consumer.currentLag(each).orElse(0);
    }
    return sum;
  }

  private void remember(String topicId, boolean now) throws IOException {
    if (!now && System.nanoTime() - storedNs < STORE_EVERY_NS) {
      return;
    }
    var reached = new LinkedHashMap<Integer, Long>(stored);
    trackers.forEach((partition, tracker) -> reached.put(partition, tracker.position()));
    if (!reached.equals(stored)) {
      positions.store(topicId, reached);
      stored = reached;
    }
    storedNs = System.nanoTime();
  }

  /** Shows its counts as metrics of the process. */
  public void bind(Metrics metrics) {
    metrics.counter(EventMetric.KAFKA_CONSUMED, taken::sum, settings.name());
    metrics.counter(EventMetric.KAFKA_UNREADABLE, unreadable::sum, settings.name());
    metrics.counter(EventMetric.KAFKA_DELETED_UNREAD, lost::sum, settings.name());
    metrics.counter(EventMetric.KAFKA_CONSUME_FAILURES, failures::sum, settings.name());
    metrics.gauge(EventMetric.KAFKA_LAG, () -> lag, settings.name());
  }

  /** Whether it has its partitions and asks for events. */
  public boolean isConnected() {
    return connected;
  }

  /** Events that were handed over. */
  public long taken() {
    return taken.sum();
  }

  /** Events that nobody can read, which were passed over. */
  public long unreadable() {
    return unreadable.sum();
  }

  /** Brings no more, and remembers what is done with. */
  @Override
  public void close() {
    closing.countDown();
    OwnThread.awaitEnd(thread, CLOSE_WITHIN);
  }
}
