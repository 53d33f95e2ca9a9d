package io.sippbx.control.event.kafka;

import com.google.protobuf.MessageLite;
import io.sippbx.control.event.EventConsumer;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes committed events. Any thread hands them over and never waits; one thread sends them, as
 * a producer may block. An event is done when all replicas that are in sync have it.
 *
 * <p>What is not acknowledged is sent again, with growing pauses, until it is or the process ends:
 * it may come twice then, with the same id. Meanwhile it stays in the outbox, and beyond the limit
 * no more are taken, so that a Kafka that is away is waited for in the outbox and not in memory.
 */
public final class KafkaPublisher implements EventConsumer, AutoCloseable {

  static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  static final Duration LAST_PAUSE = Duration.ofSeconds(5);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(3);

  private static final Logger log = LoggerFactory.getLogger(KafkaPublisher.class);

  private final Supplier<Producer<String, byte[]>> producers;
  private final Topics topics;
  private final int maxInHand;
  private final Duration firstPause;

  /** Holds no more than {@code inHand} counts. */
  private final LinkedBlockingQueue<Item> waiting = new LinkedBlockingQueue<>();

  private final AtomicInteger inHand = new AtomicInteger();
  private final LongAdder published = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile boolean failing;

  /** Failures in a row: told by the producer's thread, asked by ours. */
  private final AtomicInteger failedInRow = new AtomicInteger();

  private @Nullable Producer<String, byte[]> producer;

  /** Where to: events of calls, and of registrations. */
  public record Topics(String calls, String registrations) {}

  private record Item(ProducerRecord<String, byte[]> message, Runnable done) {}

  private KafkaPublisher(
      Supplier<Producer<String, byte[]>> producers,
      Topics topics,
      int maxInHand,
      Duration firstPause) {
    this.producers = producers;
    this.topics = topics;
    this.maxInHand = maxInHand;
    this.firstPause = firstPause;
    this.thread = Thread.ofPlatform().name("kafka-publisher").daemon().unstarted(this::run);
  }

  /**
   * Starts to publish; Kafka need not be there yet.
   *
   * @param producers makes a producer, and another when one is of no more use
   * @param maxInHand events that were taken and are not acknowledged
   */
  public static KafkaPublisher start(
      Supplier<Producer<String, byte[]>> producers, Topics topics, int maxInHand) {
    return start(producers, topics, maxInHand, FIRST_PAUSE);
  }

  static KafkaPublisher start(
      Supplier<Producer<String, byte[]>> producers,
      Topics topics,
      int maxInHand,
      Duration firstPause) {
    var publisher = new KafkaPublisher(producers, topics, maxInHand, firstPause);
    publisher.thread.start();
    return publisher;
  }

  @Override
  public boolean take(CallEvent event, Runnable done) {
    return take(topics.calls(), event.getCallKey(), event, done);
  }

  @Override
  public boolean take(RegistrationEvent event, Runnable done) {
    return take(topics.registrations(), event.getAor(), event, done);
  }

  private boolean take(String topic, String key, MessageLite event, Runnable done) {
    if (inHand.incrementAndGet() > maxInHand || closing.getCount() == 0) {
      inHand.decrementAndGet();
      refused.increment();
      return false;
    }
    waiting.add(new Item(new ProducerRecord<>(topic, key, event.toByteArray()), done));
    return true;
  }

  private void run() {
    try {
      while (closing.getCount() > 0) {
        Item item = waiting.poll(500, TimeUnit.MILLISECONDS);
        if (item == null) {
          continue;
        }
        if (failedInRow.get() > 0 && closing.await(pause().toNanos(), TimeUnit.NANOSECONDS)) {
          break;
        }
        send(item);
      }
    } catch (InterruptedException | InterruptException e) {
      // Only close() interrupts.
      Thread.currentThread().interrupt();
    } finally {
      closeProducer(CLOSE_WITHIN);
    }
  }

  private Duration pause() {
    int doublings = Math.clamp(failedInRow.get() - 1, 0, 10);
    Duration pause = firstPause.multipliedBy(1L << doublings);
    return pause.compareTo(LAST_PAUSE) < 0 ? pause : LAST_PAUSE;
  }

  // What the future says the callback is told too.
  @SuppressWarnings("FutureReturnValueIgnored")
  private void send(Item item) {
    try {
      Producer<String, byte[]> open = producer;
      if (open == null) {
        open = producers.get();
        producer = open;
      }
      open.send(item.message(), (metadata, problem) -> told(item, problem));
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException | IllegalStateException e) {
      // A producer that throws stays in that state; failures that pass are told by the callback.
      closeProducer(Duration.ZERO);
      told(item, e);
    }
  }

  /** On the producer's thread, or on ours. */
  private void told(Item item, @Nullable Exception problem) {
    if (problem == null) {
      failedInRow.set(0);
      inHand.decrementAndGet();
      published.increment();
      if (failing) {
        failing = false;
        log.atInfo().addKeyValue("waiting", inHand.get()).log("kafka.publish-recovered");
      }
      item.done().run();
      return;
    }
    failures.increment();
    if (!failing) {
      failing = true;
      log.atError()
          .addKeyValue("topic", item.message().topic())
          .addKeyValue("problem", problem.toString())
          .log("kafka.publish-failed");
    }
    failedInRow.incrementAndGet();
    waiting.add(item);
  }

  private void closeProducer(Duration within) {
    Producer<String, byte[]> open = producer;
    producer = null;
    if (open != null) {
      try {
        open.close(within);
      } catch (KafkaException e) {
        log.atDebug().setCause(e).log("kafka.close-failed");
      }
    }
  }

  /** Events that Kafka has acknowledged. */
  public long published() {
    return published.sum();
  }

  /** Events that it did not acknowledge; each was sent again. */
  public long failures() {
    return failures.sum();
  }

  /** Events that were not taken. */
  public long refused() {
    return refused.sum();
  }

  /** Events that were taken and are not acknowledged. */
  public int inHand() {
    return inHand.get();
  }

  /** Whether the last attempt failed. */
  public boolean isFailing() {
    return failing;
  }

  /** Sends nothing more, and waits a little for what is on its way. The rest is in the outbox. */
  @Override
  public void close() {
    closing.countDown();
    try {
      if (!thread.join(CLOSE_WITHIN.plusSeconds(1))) {
        thread.interrupt();
        thread.join(Duration.ofSeconds(1));
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
