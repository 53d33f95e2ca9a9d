package io.sippbx.event.webhook;

import io.sippbx.event.EventTaker;
import io.sippbx.event.OwnThread;
import io.sippbx.event.webhook.DeliveryWitness.Told;
import io.sippbx.event.webhook.DeliveryWitness.What;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One receiver: takes events, has them posted and puts aside what cannot be delivered. It has a
 * thread and a queue of its own, so that it waits for no other and no other for it.
 */
public final class WebhookReceiver implements EventTaker, AutoCloseable {

  /** Calls whose events are known when they come again. */
  static final int REMEMBERED = 50_000;

  /** For which an event waits for those before it, which a node that is gone may have left. */
  static final Duration GAP = Duration.ofSeconds(30);

  private static final Logger log = LoggerFactory.getLogger(WebhookReceiver.class);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(3);

  private final EventsConfig.Receiver receiver;
  private final WebhookSender sender;
  private final DeadLetters deadLetters;
  private final DeliveryWitness witness;
  private final RateLimitedLog limited = RateLimitedLog.of(log);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ReceiverQueue queue;
  private final Thread thread;
  private final LongAdder requests = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder delivered = new LongAdder();
  private final LongAdder dead = new LongAdder();
  private volatile boolean failing;
  private volatile boolean closing;

  /**
   * Where events come from.
   *
   * @param inOrder whether a call's events come in their order; else what is missing is waited for
   * @param spills whether what there is no room for is put aside at once, because others would wait
   */
  public record Source(boolean inOrder, boolean spills) {
    /** From Kafka: it keeps what there is no room for. */
    public static final Source KAFKA = new Source(false, false);

    /** From the outbox of this process, which all consumers share. */
    public static final Source OUTBOX = new Source(true, true);

    /** From those that were put aside, and stay there until they are delivered. */
    public static final Source DEAD_LETTERS = new Source(true, false);
  }

  private WebhookReceiver(
      EventsConfig.Receiver receiver,
      ReceiverQueue queue,
      WebhookSender sender,
      DeadLetters deadLetters,
      DeliveryWitness witness) {
    this.receiver = receiver;
    this.queue = queue;
    this.sender = sender;
    this.deadLetters = deadLetters;
    this.witness = witness;
    this.thread =
        Thread.ofPlatform().name("webhook-" + receiver.name()).daemon().unstarted(this::run);
  }

  /** Starts to deliver. */
  public static WebhookReceiver start(
      EventsConfig.Receiver receiver,
      EventsConfig.Delivery delivery,
      Source source,
      WebhookSender sender,
      DeadLetters deadLetters,
      DeliveryWitness witness) {
    var queue =
        new ReceiverQueue(
            new ReceiverQueue.Limits(
                delivery.concurrency(),
                delivery.queueLength(),
                source.inOrder() ? Duration.ZERO : GAP,
                source.spills(),
                REMEMBERED),
            new RetrySchedule(delivery.retries(), () -> ThreadLocalRandom.current().nextDouble()));
    var started = new WebhookReceiver(receiver, queue, sender, deadLetters, witness);
    started.thread.start();
    return started;
  }

  @Override
  public boolean take(CallEvent event, Runnable done) {
    Optional<Webhook> webhook = WebhookBody.of(event);
    return take(
        webhook.orElseGet(() -> WebhookBody.placeOf(event)),
        webhook.isPresent() && receiver.wants(webhook.get().type()),
        done);
  }

  @Override
  public boolean take(RegistrationEvent event, Runnable done) {
    if (!receiver.wants(EventsConfig.WebhookType.REGISTRATION_CHANGED)) {
      done.run();
      return true;
    }
    return take(WebhookBody.of(event), true, done);
  }

  /** As {@link #take(CallEvent, Runnable)}, for what this receiver is to have. */
  public boolean take(Webhook webhook, Runnable done) {
    return take(webhook, true, done);
  }

  private boolean take(Webhook webhook, boolean wanted, Runnable done) {
    lock.lock();
    try {
      boolean taken = !closing && queue.offer(webhook, wanted, done, System.nanoTime());
      changed.signal();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void recall(CallEvent event) {
    lock.lock();
    try {
      queue.recall(event.getCallKey(), event.getSeq(), event.getEventId());
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    var todo = new ArrayList<ReceiverQueue.Action>();
    try {
      while (!closing) {
        await(todo);
        boolean isAside = false;
        for (ReceiverQueue.Action each : todo) {
          switch (each) {
            case ReceiverQueue.Action.Post(WebhookItem item) -> post(item);
            case ReceiverQueue.Action.PutAside(WebhookItem item, String reason) -> {
              isAside = true;
              putAside(item, reason);
            }
            case ReceiverQueue.Action.Done(List<Runnable> dones) -> dones.forEach(Runnable::run);
          }
        }
        if (isAside) {
          deadLetters.flush();
        }
        todo.clear();
      }
    } catch (InterruptedException e) {
      // Only close() interrupts.
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until there is something to do, and takes it. */
  private void await(List<ReceiverQueue.Action> todo) throws InterruptedException {
    lock.lock();
    try {
      while (!closing) {
        long nowNs = System.nanoTime();
        queue.advance(nowNs);
        for (ReceiverQueue.@Nullable Action next = queue.poll();
            next != null;
            next = queue.poll()) {
          todo.add(next);
        }
        if (!todo.isEmpty()) {
          return;
        }
        OptionalLong atNs = queue.nextAtNs();
        if (atNs.isEmpty()) {
          changed.await();
        } else {
          long leftNs = changed.awaitNanos(atNs.getAsLong() - nowNs);
          log.atTrace().addKeyValue("left_ns", leftNs).log("webhook.woken");
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void post(WebhookItem item) {
    requests.increment();
    long beganNs = System.nanoTime();
    sender.post(item.webhook(), outcome -> answered(item, outcome, beganNs));
  }

  private void answered(WebhookItem item, Outcome outcome, long beganNs) {
    long nowNs = System.nanoTime();
    Told told =
        switch (outcome) {
          case Outcome.Delivered(int status) -> told(item, What.DELIVERED, status, "");
          case Outcome.Again(int status, String problem, var after) ->
              told(item, What.FAILED, status, problem);
          case Outcome.Refused(int status, String problem) ->
              told(item, What.REFUSED, status, problem);
        };
    if (told.what() == What.DELIVERED) {
      delivered.increment();
      if (failing) {
        failing = false;
        log.atInfo().addKeyValue("receiver", receiver.name()).log("webhook.recovered");
      }
    } else {
      failures.increment();
      failing = true;
      limited
          .at(Level.WARN, "webhook.failed")
          .addKeyValue("receiver", receiver.name())
          .addKeyValue("type", item.webhook().type().text())
          .addKeyValue("call", item.webhook().subject())
          .addKeyValue("attempt", item.attempts())
          .addKeyValue("problem", told.problem())
          .log("webhook.failed");
    }
    witness.told(
        new Told(
            told.receiver(),
            told.webhook(),
            told.attempt(),
            told.what(),
            told.status(),
            told.problem(),
            (nowNs - beganNs) / 1_000_000));
    lock.lock();
    try {
      queue.answered(item, outcome, nowNs);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private Told told(WebhookItem item, What what, int status, String problem) {
    return new Told(receiver.name(), item.webhook(), item.attempts(), what, status, problem, 0);
  }

  private void putAside(WebhookItem item, String reason) {
    var letter =
        new DeadLetter(
            receiver.name(),
            item.webhook(),
            Clock.systemUTC().instant(),
            item.attempts(),
            reason,
            false);
    deadLetters.keep(letter, isKept -> isAside(item, reason, isKept));
  }

  private void isAside(WebhookItem item, String reason, boolean isKept) {
    if (isKept) {
      dead.increment();
      limited
          .at(Level.ERROR, "webhook.dead-letter")
          .addKeyValue("receiver", receiver.name())
          .addKeyValue("type", item.webhook().type().text())
          .addKeyValue("call", item.webhook().subject())
          .addKeyValue("attempts", item.attempts())
          .addKeyValue("problem", reason)
          .log("webhook.dead-letter");
      witness.told(told(item, What.DEAD_LETTER, 0, reason));
    }
    lock.lock();
    try {
      queue.putAside(item, isKept, System.nanoTime());
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Shows its counts as metrics of the process.
   *
   * @param place in the configuration, from 1
   */
  public void bind(Metrics metrics, int place) {
    String label = String.valueOf(place);
    metrics.counter(EventMetric.WEBHOOK_DELIVERED, delivered::sum, label);
    metrics.counter(EventMetric.WEBHOOK_RECEIVER_FAILURES, failures::sum, label);
    metrics.counter(EventMetric.WEBHOOK_DEAD_LETTERS, dead::sum, label);
    metrics.counter(EventMetric.WEBHOOK_REPEATS, () -> locked(queue::repeats), label);
    metrics.counter(EventMetric.WEBHOOK_GAPS, () -> locked(queue::gaps), label);
    metrics.counter(EventMetric.WEBHOOK_LATE, () -> locked(queue::late), label);
    metrics.counter(EventMetric.WEBHOOK_SPILLED, () -> locked(queue::spilled), label);
    metrics.gauge(EventMetric.WEBHOOK_QUEUE, this::depth, label);
    metrics.gauge(EventMetric.WEBHOOK_POSTING, () -> locked(queue::posting), label);
    metrics.gauge(EventMetric.WEBHOOK_ALARM, () -> failing ? 1 : 0, label);
  }

  private long locked(LongSupplier value) {
    lock.lock();
    try {
      return value.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  /** Its name. */
  public String name() {
    return receiver.name();
  }

  /** Requests that were begun. */
  public long requests() {
    return requests.sum();
  }

  /** Requests that were not taken. */
  public long failures() {
    return failures.sum();
  }

  /** Events that were delivered. */
  public long delivered() {
    return delivered.sum();
  }

  /** Events that were put aside. */
  public long dead() {
    return dead.sum();
  }

  /** Events in hand. */
  public int depth() {
    return (int) locked(queue::inHand);
  }

  /** Begins nothing more. What is not done with comes again from where it came. */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    OwnThread.awaitEnd(thread, CLOSE_WITHIN);
  }
}
