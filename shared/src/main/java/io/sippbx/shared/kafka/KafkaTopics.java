package io.sippbx.shared.kafka;

import io.sippbx.shared.config.KafkaConfig;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Looks whether a topic is there, and makes it where that is allowed. */
public final class KafkaTopics {

  private KafkaTopics() {}

  /** What became of looking. */
  public sealed interface Found {
    /**
     * It is there.
     *
     * @param id another one for another topic of the same name
     */
    record Ready(int partitions, String id) implements Found {}

    /** The brokers did not answer: ask again. */
    record NotReached(String problem) implements Found {}

    /** It is not there, or not for us; the message names the key. */
    record Missing(String problem) implements Found {}
  }

  /**
   * Looks, and makes it if it is not there.
   *
   * @param within which the brokers shall answer
   */
  public static Found ensure(
      KafkaAccess access, KafkaConfig.Topics config, KafkaConfig.Topic which, Duration within)
      throws InterruptedException {
    return ensure(access, config, which.key(), config.name(which), within);
  }

  /**
   * As {@link #ensure(KafkaAccess, KafkaConfig.Topics, KafkaConfig.Topic, Duration)}, for a topic
   * that another section names.
   *
   * @param key that names it, for the message
   */
  public static Found ensure(
      KafkaAccess access, KafkaConfig.Topics config, String key, String topic, Duration within)
      throws InterruptedException {
    try (Admin admin = Admin.create(access.admin())) {
      return ensure(admin, config, key + " = " + topic, topic, within);
    } catch (KafkaException e) {
      // Settings that no client can be made of: a host that has no address among them.
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return new Found.NotReached(String.valueOf(cause.getMessage()));
    }
  }

  private static Found ensure(
      Admin admin, KafkaConfig.Topics config, String name, String topic, Duration within)
      throws InterruptedException {
    long end = System.nanoTime() + within.toNanos();
    try {
      Optional<Found.Ready> there = look(admin, topic, within);
      if (there.isPresent()) {
        return there.get();
      }
      if (!config.create()) {
        return new Found.Missing(
            name + ": expected a topic that is there, for kafka.create_topics is false");
      }
      create(admin, config, topic, within);
      // Made is not yet known to every broker.
      while (System.nanoTime() < end) {
        there = look(admin, topic, within);
        if (there.isPresent()) {
          return there.get();
        }
      }
      return new Found.NotReached(name + ": was made and is not seen yet");
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      return cause instanceof RetriableException
          ? new Found.NotReached(String.valueOf(cause.getMessage()))
          : new Found.Missing(
              name + ": expected a topic that can be looked at or made, but " + cause.getMessage());
    }
  }

  private static Optional<Found.Ready> look(Admin admin, String topic, Duration within)
      throws InterruptedException, ExecutionException {
    try {
      TopicDescription description =
          admin
              .describeTopics(
                  List.of(topic),
                  new DescribeTopicsOptions().timeoutMs(Math.toIntExact(within.toMillis())))
              .allTopicNames()
              .get()
              .get(topic);
      return Optional.ofNullable(description)
          .map(each -> new Found.Ready(each.partitions().size(), each.topicId().toString()));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static void create(Admin admin, KafkaConfig.Topics config, String topic, Duration within)
      throws InterruptedException, ExecutionException {
    var wanted =
        new NewTopic(
                topic, Optional.of(config.partitions()), config.replicas().map(Integer::shortValue))
            .configs(
                Map.of(
                    "cleanup.policy",
                    "delete",
                    "retention.ms",
                    String.valueOf(config.retention().toMillis())));
    try {
      admin
          .createTopics(
              List.of(wanted),
              new CreateTopicsOptions().timeoutMs(Math.toIntExact(within.toMillis())))
          .all()
          .get(within.toMillis() * 2, TimeUnit.MILLISECONDS);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new ExecutionException(
          new org.apache.kafka.common.errors.TimeoutException("no answer to making it", e));
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw e;
      }
    }
  }
}
