package io.sippbx.servers;

import java.io.IOException;
import java.nio.file.Path;
import org.testcontainers.kafka.KafkaContainer;

/**
 * A real Kafka broker of one node, empty, that makes no topics by itself; for tests that do not end
 * it. Those that do start a {@link KafkaBroker}, which is a process and keeps its port.
 */
public interface Kafka extends AutoCloseable {

  /** The one of docker-compose.yml. */
  String IMAGE = "apache/kafka:4.1.0";

  /**
   * Starts one, of Docker where it answers and has the image, else from Maven's artifacts, and
   * waits until it takes connections.
   *
   * @param folder empty; for its data and its log, where it is a process
   */
  static Kafka start(Path folder) throws IOException {
    if (!Docker.has(IMAGE)) {
      return KafkaBroker.start(folder);
    }
    KafkaContainer container =
        new KafkaContainer(IMAGE)
            .withEnv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
            .withEnv("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "2")
            .withEnv("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0");
    container.start();
    Announcement.of("Kafka", "Docker image " + IMAGE);
    return new Kafka() {
      @Override
      public String bootstrapServers() {
        return container.getBootstrapServers();
      }

      @Override
      public void close() {
        container.stop();
      }
    };
  }

  /** Where clients find it. */
  String bootstrapServers();

  @Override
  void close();
}
