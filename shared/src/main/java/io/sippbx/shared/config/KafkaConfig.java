package io.sippbx.shared.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Section {@code kafka}: where events are published, and from where they are consumed.
 *
 * @param bootstrapServers brokers to begin with; empty: events are consumed by the process that
 *     commits them
 * @param propertiesFile further settings of Kafka's clients, as its own tools take them
 * @param maxInFlight events that a node hands over and that are not acknowledged; more wait in the
 *     outbox
 */
public record KafkaConfig(
    List<HostPort> bootstrapServers,
    Optional<Path> propertiesFile,
    Login login,
    Topics topics,
    int maxInFlight) {

  /** Copies {@code bootstrapServers}. */
  public KafkaConfig {
    bootstrapServers = List.copyOf(bootstrapServers);
  }

  /** Whether events go through Kafka. */
  public boolean isUsed() {
    return !bootstrapServers.isEmpty();
  }

  /** How brokers are talked to. */
  public enum Protocol {
    PLAINTEXT,
    SSL,
    SASL_PLAINTEXT,
    SASL_SSL
  }

  /** How a user name and a password are shown to a broker. */
  public enum Mechanism {
    PLAIN("PLAIN"),
    SCRAM_SHA_256("SCRAM-SHA-256"),
    SCRAM_SHA_512("SCRAM-SHA-512");

    private final String text;

    Mechanism(String text) {
      this.text = text;
    }

    /** As SASL names it. */
    public String text() {
      return text;
    }
  }

  /**
   * Who we are there, and whom we trust.
   *
   * @param caFile certificates that are trusted; empty: those of the JDK
   */
  public record Login(
      Protocol protocol,
      Mechanism mechanism,
      Optional<String> username,
      Optional<Secret<String>> password,
      Optional<Path> caFile) {}

  /**
   * The topics.
   *
   * @param calls of call events
   * @param registrations of registration events
   * @param create whether those that are not there are made
   * @param partitions of those that are made
   * @param replicas of those that are made; empty: as many as the brokers make by themselves
   * @param retention of those that are made
   */
  public record Topics(
      String calls,
      String registrations,
      boolean create,
      int partitions,
      Optional<Integer> replicas,
      Duration retention) {

    /** What it is called. */
    public String name(Topic topic) {
      return switch (topic) {
        case CALLS -> calls;
        case REGISTRATIONS -> registrations;
      };
    }
  }

  /** A topic, by what is in it. */
  public enum Topic {
    CALLS("kafka.call_topic"),
    REGISTRATIONS("kafka.registration_topic");

    private final String key;

    Topic(String key) {
      this.key = key;
    }

    /** The configuration key that names it. */
    public String key() {
      return key;
    }
  }
}
