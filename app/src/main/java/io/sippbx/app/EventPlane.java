package io.sippbx.app;

import io.sippbx.event.EventTaker;
import io.sippbx.event.cdr.CdrFolder;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.event.kafka.Checkpoint;
import io.sippbx.event.kafka.KafkaPump;
import io.sippbx.event.postgres.PostgresCdrs;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The consumers of Kafka's events in this process. Loaded only where Kafka is configured. */
final class EventPlane implements AutoCloseable {

  /** Beside the records that it tells of. */
  static final String CHECKPOINT = ".cdr.checkpoint";

  private static final String POSTGRES_CHECKPOINT = ".postgres.checkpoint";

  private static final Logger log = LoggerFactory.getLogger(EventPlane.class);
  private static final Duration START_WITHIN = Duration.ofSeconds(5);

  private final Path folder;
  private final CdrWriter writer;
  private final KafkaPump pump;
  private final Optional<Database> database;

  /** A database and the way of events to it: of its own, so that neither waits for the other. */
  private record Database(PostgresCdrs cdrs, KafkaPump pump) {}

  private EventPlane(Path folder, CdrWriter writer, KafkaPump pump, Optional<Database> database) {
    this.folder = folder;
    this.writer = writer;
    this.pump = pump;
    this.database = database;
  }

  /**
   * Starts them; the brokers need not be there yet.
   *
   * @param otherwise where records go when their default folder cannot be written
   * @throws IOException if a file or folder that is configured is of no use; names the key
   * @throws NodeStartException if Kafka is there and a topic is not; names the key
   */
  static EventPlane start(Configuration config, Optional<Path> otherwise, Metrics metrics)
      throws IOException, NodeStartException, InterruptedException {
    KafkaAccess access = KafkaAccess.of(config.kafka());
    switch (KafkaTopics.ensure(
        access, config.kafka().topics(), KafkaConfig.Topic.CALLS, START_WITHIN)) {
      case KafkaTopics.Found.Ready ready -> check(config.cdr().kafkaPartitions(), ready);
      case KafkaTopics.Found.Missing(String problem) -> throw new NodeStartException(problem);
      case KafkaTopics.Found.NotReached(String problem) ->
          log.atWarn()
              .addKeyValue("brokers", config.kafka().bootstrapServers())
              .addKeyValue("problem", problem)
              .log("kafka.not-reached");
    }
    CdrFolder folder = CdrFolder.choose(config.cdr(), otherwise);
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("cdr.folder"));
    CdrWriter writer = CdrWriter.start(folder.path(), config.cdr(), Clock.systemUTC());
    writer.bind(metrics);
    KafkaPump pump = pump("cdr", config, access, writer, folder.path().resolve(CHECKPOINT));
    pump.bind(metrics);
    Optional<Database> database =
        config
            .cdr()
            .postgres()
            .map(
                postgres ->
                    database(
                        PostgresCdrs.start(postgres, config.cdr().queueLength()),
                        config,
                        access,
                        folder.path()));
    database.ifPresent(
        each -> {
          each.cdrs().bind(metrics);
          each.pump().bind(metrics);
        });
    return new EventPlane(folder.path(), writer, pump, database);
  }

  private static Database database(
      PostgresCdrs cdrs, Configuration config, KafkaAccess access, Path folder) {
    return new Database(
        cdrs, pump("postgres", config, access, cdrs, folder.resolve(POSTGRES_CHECKPOINT)));
  }

  private static KafkaPump pump(
      String name, Configuration config, KafkaAccess access, EventTaker taker, Path checkpoint) {
    return KafkaPump.start(
        new KafkaPump.Settings(
            name,
            access,
            config.kafka().topics(),
            KafkaConfig.Topic.CALLS,
            config.cdr().kafkaPartitions()),
        taker,
        new Checkpoint(checkpoint));
  }

  private static void check(List<Integer> mine, KafkaTopics.Found.Ready topic)
      throws NodeStartException {
    for (int each : mine) {
      if (each >= topic.partitions()) {
        throw new NodeStartException(
            "cdr.kafka_partitions = "
                + each
                + ": expected a partition of kafka.call_topic, from 0 to "
                + (topic.partitions() - 1));
      }
    }
  }

  /** Whether events come. */
  boolean isConnected() {
    return pump.isConnected() && database.filter(each -> !each.pump().isConnected()).isEmpty();
  }

  /** Where records are. */
  Path folder() {
    return folder;
  }

  @Override
  public void close() {
    pump.close();
    database.ifPresent(each -> each.pump().close());
    writer.close();
    database.ifPresent(each -> each.cdrs().close());
  }
}
