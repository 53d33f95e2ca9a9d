package io.sippbx.app;

import io.sippbx.event.EventTaker;
import io.sippbx.event.cdr.CdrFolder;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.event.kafka.Checkpoint;
import io.sippbx.event.kafka.KafkaDeadLetters;
import io.sippbx.event.kafka.KafkaPump;
import io.sippbx.event.postgres.PostgresCdrs;
import io.sippbx.event.webhook.WebhookReceiver;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The consumers of Kafka's events in this process, each with a way of its own through the topic, so
 * that none waits for another. Loaded only where Kafka is configured.
 */
final class EventPlane implements AutoCloseable {

  /** Beside the records that it tells of. */
  static final String CHECKPOINT = ".cdr.checkpoint";

  private static final String POSTGRES_CHECKPOINT = ".postgres.checkpoint";

  /** Events of a partition that show a starting process which calls go on, and how far they are. */
  private static final int RECALLED = 20_000;

  private static final Logger log = LoggerFactory.getLogger(EventPlane.class);
  private static final Duration START_WITHIN = Duration.ofSeconds(5);

  private final Configuration config;
  private final KafkaAccess access;
  private final Metrics metrics;
  private final List<KafkaPump> pumps = new ArrayList<>();
  private final List<String> addresses = new ArrayList<>();

  /** The ends of what the pumps bring events to; after theirs, the last first. */
  private final Deque<Runnable> takers = new ArrayDeque<>();

  private EventPlane(Configuration config, KafkaAccess access, Metrics metrics) {
    this.config = config;
    this.access = access;
    this.metrics = metrics;
  }

  /**
   * Starts them; the brokers need not be there yet.
   *
   * @param otherwise the folder of folders that are used when default ones cannot be written
   * @throws IOException if a file or folder that is configured is of no use; names the key
   * @throws NodeStartException if Kafka is there and a topic is not; names the key
   */
  static EventPlane start(Configuration config, Optional<Path> otherwise, Metrics metrics)
      throws IOException, NodeStartException, InterruptedException {
    var plane = new EventPlane(config, KafkaAccess.of(config.kafka()), metrics);
    try {
      plane.ensure(KafkaConfig.Topic.CALLS);
      if (config.cdr().enabled()) {
        plane.startRecords(otherwise);
      }
      if (config.events().isUsed()) {
        plane.startWebhooks(otherwise);
      }
      return plane;
    } catch (IOException | NodeStartException | InterruptedException e) {
      plane.close();
      throw e;
    }
  }

  private void ensure(KafkaConfig.Topic topic) throws NodeStartException, InterruptedException {
    switch (KafkaTopics.ensure(access, config.kafka().topics(), topic, START_WITHIN)) {
      case KafkaTopics.Found.Ready ready -> {
        if (topic == KafkaConfig.Topic.CALLS) {
          check("cdr.kafka_partitions", config.cdr().kafkaPartitions(), ready);
          check("events.webhook_kafka_partitions", config.events().kafkaPartitions(), ready);
        }
      }
      case KafkaTopics.Found.Missing(String problem) -> throw new NodeStartException(problem);
      case KafkaTopics.Found.NotReached(String problem) ->
          log.atWarn()
              .addKeyValue("brokers", config.kafka().bootstrapServers())
              .addKeyValue("problem", problem)
              .log("kafka.not-reached");
    }
  }

  private static void check(String key, List<Integer> mine, KafkaTopics.Found.Ready topic)
      throws NodeStartException {
    for (int each : mine) {
      if (each >= topic.partitions()) {
        throw new NodeStartException(
            key
                + " = "
                + each
                + ": expected a partition of kafka.call_topic, from 0 to "
                + (topic.partitions() - 1));
      }
    }
  }

  private void startRecords(Optional<Path> otherwise) throws IOException {
    CdrFolder folder = CdrFolder.choose(config.cdr(), otherwise.map(data -> data.resolve("cdr")));
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("cdr.folder"));
    CdrWriter writer = CdrWriter.start(folder.path(), config.cdr(), Clock.systemUTC());
    takers.push(writer::close);
    writer.bind(metrics);
    pumpRecords("cdr", writer, folder.path().resolve(CHECKPOINT));
    if (config.cdr().postgres().isPresent()) {
      PostgresCdrs database =
          PostgresCdrs.start(config.cdr().postgres().get(), config.cdr().queueLength());
      takers.push(database::close);
      database.bind(metrics);
      pumpRecords("postgres", database, folder.path().resolve(POSTGRES_CHECKPOINT));
    }
    addresses.add("cdr=" + folder.path());
  }

  private void pumpRecords(String name, EventTaker taker, Path checkpoint) {
    pump(
        new KafkaPump.Settings(
            name,
            access,
            config.kafka().topics(),
            KafkaConfig.Topic.CALLS,
            config.cdr().kafkaPartitions()),
        taker,
        checkpoint);
  }

  private void startWebhooks(Optional<Path> otherwise)
      throws IOException, NodeStartException, InterruptedException {
    EventsConfig events = config.events();
    var letters =
        new KafkaDeadLetters(access, config.kafka().topics(), events.records().deadLetterTopic());
    takers.push(letters::close);
    WebhookPosts posts =
        WebhookPosts.start(
            events,
            otherwise.map(data -> data.resolve("webhooks")),
            WebhookReceiver.Source.KAFKA,
            folder -> letters,
            metrics);
    takers.push(posts::close);
    if (events.receivers().stream()
        .anyMatch(each -> each.wants(WebhookType.REGISTRATION_CHANGED))) {
      ensure(KafkaConfig.Topic.REGISTRATIONS);
    }
    for (int i = 0; i < events.receivers().size(); i++) {
      EventsConfig.Receiver receiver = events.receivers().get(i);
      WebhookReceiver taker = posts.receivers().get(i);
      boolean ofCalls =
          receiver.types().isEmpty()
              || receiver.types().stream().anyMatch(each -> !isOfRegistrations(each));
      if (ofCalls) {
        pumpWebhooks(
            "webhook-" + (i + 1), KafkaConfig.Topic.CALLS, RECALLED, taker, posts.folder());
      }
      if (receiver.wants(WebhookType.REGISTRATION_CHANGED)) {
        pumpWebhooks(
            "webhook-registrations-" + (i + 1),
            KafkaConfig.Topic.REGISTRATIONS,
            0,
            taker,
            posts.folder());
      }
    }
    addresses.add("webhooks=" + posts.receivers().size());
  }

  private static boolean isOfRegistrations(WebhookType type) {
    return type == WebhookType.REGISTRATION_CHANGED;
  }

  private void pumpWebhooks(
      String name, KafkaConfig.Topic topic, int recalled, WebhookReceiver taker, Path folder) {
    String ofTopic = topic == KafkaConfig.Topic.CALLS ? "" : ".registrations";
    pump(
        new KafkaPump.Settings(
            name,
            access,
            config.kafka().topics(),
            topic,
            config.events().kafkaPartitions(),
            "events.webhook_kafka_partitions",
            new KafkaPump.Begin(true, recalled)),
        taker,
        folder.resolve("." + taker.name() + ofTopic + ".checkpoint"));
  }

  private void pump(KafkaPump.Settings settings, EventTaker taker, Path checkpoint) {
    KafkaPump pump = KafkaPump.start(settings, taker, new Checkpoint(checkpoint));
    pump.bind(metrics);
    pumps.add(pump);
  }

  /** Whether events come. */
  boolean isConnected() {
    return pumps.stream().allMatch(KafkaPump::isConnected);
  }

  /** For the banner. */
  List<String> addresses() {
    return List.copyOf(addresses);
  }

  @Override
  public void close() {
    pumps.forEach(KafkaPump::close);
    takers.forEach(Runnable::run);
  }
}
