package io.sippbx.app;

import io.sippbx.control.event.OutboxRelay;
import io.sippbx.control.event.kafka.KafkaPublisher;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way of events to Kafka. Loaded only where it is configured. */
final class KafkaOutlet {

  private static final Logger log = LoggerFactory.getLogger(KafkaOutlet.class);
  private static final Duration START_WITHIN = Duration.ofSeconds(5);
  private static final String CLIENT = "sip-pbx-control";

  private KafkaOutlet() {}

  static EventOutlet open(KafkaConfig config, Metrics metrics)
      throws IOException, NodeStartException, InterruptedException {
    KafkaAccess access = KafkaAccess.of(config);
    switch (ensure(access, config)) {
      case KafkaTopics.Found.Ready ready ->
          log.atInfo()
              .addKeyValue("topic", config.topics().calls())
              .addKeyValue("registration_topic", config.topics().registrations())
              .log("kafka.topics");
      case KafkaTopics.Found.Missing(String problem) -> throw new NodeStartException(problem);
      case KafkaTopics.Found.NotReached(String problem) ->
          // Calls do not wait for it: their events do, in the outbox.
          log.atWarn()
              .addKeyValue("brokers", config.bootstrapServers())
              .addKeyValue("problem", problem)
              .log("kafka.not-reached");
    }
    KafkaPublisher publisher =
        KafkaPublisher.start(
            () -> producer(access, config),
            new KafkaPublisher.Topics(config.topics().calls(), config.topics().registrations()),
            config.maxInFlight());
    metrics.counter(ControlMetric.KAFKA_PUBLISHED, publisher::published);
    metrics.counter(ControlMetric.KAFKA_FAILURES, publisher::failures);
    metrics.counter(ControlMetric.KAFKA_REFUSED, publisher::refused);
    metrics.gauge(ControlMetric.KAFKA_IN_HAND, publisher::inHand);
    metrics.gauge(ControlMetric.KAFKA_ALARM, () -> publisher.isFailing() ? 1 : 0);
    return new EventOutlet(
        publisher,
        OutboxRelay.PROMPT,
        Optional.of("kafka=" + config.topics().calls()),
        publisher::close);
  }

  /** Both topics; what is the matter with the first that is not there. */
  private static KafkaTopics.Found ensure(KafkaAccess access, KafkaConfig config)
      throws InterruptedException {
    KafkaTopics.Found calls =
        KafkaTopics.ensure(access, config.topics(), KafkaConfig.Topic.CALLS, START_WITHIN);
    return calls instanceof KafkaTopics.Found.Ready
        ? KafkaTopics.ensure(access, config.topics(), KafkaConfig.Topic.REGISTRATIONS, START_WITHIN)
        : calls;
  }

  /** On the publisher's thread, which tries again after a failure. */
  private static Producer<String, byte[]> producer(KafkaAccess access, KafkaConfig config) {
    try {
      return switch (ensure(access, config)) {
        case KafkaTopics.Found.Ready _ -> new KafkaProducer<>(access.producer(CLIENT));
        case KafkaTopics.Found.Missing(String problem) -> throw new KafkaException(problem);
        case KafkaTopics.Found.NotReached(String problem) -> throw new KafkaException(problem);
      };
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }
}
