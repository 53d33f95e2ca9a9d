package io.sippbx.app;

import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.event.EventTaker;
import io.sippbx.event.cdr.CdrFolder;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.event.postgres.PostgresCdrs;
import io.sippbx.event.webhook.DeadLetterFile;
import io.sippbx.event.webhook.WebhookReceiver;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a node that takes calls hands its events: to Kafka where there is one, else to consumers in
 * the same process.
 *
 * @param pause for which events other than ends may wait for more of them
 * @param address for the banner
 * @param ending lets go what was opened
 */
record EventOutlet(
    EventConsumer consumer, Duration pause, Optional<String> address, Runnable ending)
    implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EventOutlet.class);

  /** For a process that makes nothing of its events: nobody else waits for them. */
  private static final EventTaker NOBODY =
      (event, done) -> {
        done.run();
        return true;
      };

  /** Consumers of this process as the outbox sees them. */
  private record Here(EventTaker taker) implements EventConsumer {
    @Override
    public boolean take(CallEvent event, Runnable done) {
      return taker.take(event, done);
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      return taker.take(event, done);
    }
  }

  /**
   * An event is done when all are done with it. Where one has no room it comes again to all, and
   * the others know it.
   */
  private record All(List<EventTaker> takers) implements EventTaker {
    @Override
    public boolean take(CallEvent event, Runnable done) {
      Runnable one = afterAll(done);
      return takers.stream().allMatch(taker -> taker.take(event, one));
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      Runnable one = afterAll(done);
      return takers.stream().allMatch(taker -> taker.take(event, one));
    }

    private Runnable afterAll(Runnable done) {
      var left = new AtomicInteger(takers.size());
      return () -> {
        if (left.decrementAndGet() == 0) {
          done.run();
        }
      };
    }
  }

  /**
   * Opens it.
   *
   * @throws IOException if a file or folder that is configured is of no use; names the key
   * @throws NodeStartException if Kafka is there and a topic is not; names the key
   */
  static EventOutlet open(Configuration config, Metrics metrics)
      throws IOException, NodeStartException, InterruptedException {
    return config.kafka().isUsed()
        ? KafkaOutlet.open(config.kafka(), metrics)
        : consumers(config, metrics);
  }

  private static EventOutlet consumers(Configuration config, Metrics metrics) throws IOException {
    var takers = new ArrayList<EventTaker>();
    var addresses = new ArrayList<String>();
    var ends = new ArrayDeque<Runnable>();
    Path data = config.standalone().dataDir();
    try {
      if (config.cdr().enabled()) {
        records(config, data, metrics, takers, addresses, ends);
      }
      if (config.events().isUsed()) {
        WebhookPosts posts =
            WebhookPosts.start(
                config.events(),
                Optional.of(data.resolve("webhooks")),
                WebhookReceiver.Source.OUTBOX,
                DeadLetterFile::new,
                metrics);
        ends.push(posts::close);
        takers.addAll(posts.receivers());
        addresses.add("webhooks=" + posts.receivers().size());
      }
    } catch (IOException e) {
      ends.forEach(Runnable::run);
      throw e;
    }
    EventTaker taker =
        switch (takers.size()) {
          case 0 -> NOBODY;
          case 1 -> takers.getFirst();
          default -> new All(List.copyOf(takers));
        };
    return new EventOutlet(
        new Here(taker),
        // Receivers want to hear of a call while it rings.
        config.events().isUsed() ? OutboxRelay.PROMPT : OutboxRelay.LAZY,
        addresses.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", addresses)),
        () -> ends.forEach(Runnable::run));
  }

  private static void records(
      Configuration config,
      Path data,
      Metrics metrics,
      List<EventTaker> takers,
      List<String> addresses,
      Deque<Runnable> ends)
      throws IOException {
    CdrFolder folder = CdrFolder.choose(config.cdr(), Optional.of(data.resolve("cdr")));
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("cdr.folder"));
    CdrWriter writer = CdrWriter.start(folder.path(), config.cdr(), Clock.systemUTC());
    ends.push(writer::close);
    writer.bind(metrics);
    takers.add(writer);
    addresses.add("cdr=" + folder.path());
    config
        .cdr()
        .postgres()
        .ifPresent(
            postgres -> {
              PostgresCdrs database = PostgresCdrs.start(postgres, config.cdr().queueLength());
              ends.push(database::close);
              database.bind(metrics);
              takers.add(database);
            });
  }

  @Override
  public void close() {
    ending.run();
  }
}
