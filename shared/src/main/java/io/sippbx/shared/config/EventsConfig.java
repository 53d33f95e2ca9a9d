package io.sippbx.shared.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Section {@code events}: webhooks.
 *
 * @param enabled whether this process posts them
 * @param receivers to whom; in the order of the configuration
 * @param kafkaPartitions of which events this process posts them; empty: all
 */
public record EventsConfig(
    boolean enabled,
    List<Receiver> receivers,
    Delivery delivery,
    Reach reach,
    Records records,
    List<Integer> kafkaPartitions) {

  /** Receivers that a process can have. */
  public static final int MAX_RECEIVERS = 16;

  /** Copies the lists. */
  public EventsConfig {
    receivers = List.copyOf(receivers);
    kafkaPartitions = List.copyOf(kafkaPartitions);
  }

  /** Whether there is something to be posted. */
  public boolean isUsed() {
    return enabled && !receivers.isEmpty();
  }

  /** What a webhook tells of. */
  public enum WebhookType {
    CALL_STARTED("call.started"),
    CALL_RINGING("call.ringing"),
    CALL_ANSWERED("call.answered"),
    CALL_ENDED("call.ended"),
    REGISTRATION_CHANGED("registration.changed");

    private final String text;

    WebhookType(String text) {
      this.text = text;
    }

    /** As it stands in bodies and in the configuration. */
    public String text() {
      return text;
    }

    /** The type of this name. */
    public static Optional<WebhookType> of(String text) {
      return Arrays.stream(values()).filter(type -> type.text.equals(text)).findFirst();
    }
  }

  /**
   * Who gets webhooks.
   *
   * @param name of files, log lines and commands: unique
   * @param url http or https, absolute, without user and fragment
   * @param secrets as Standard Webhooks writes them, {@code whsec_...}; each gives a signature;
   *     empty: unsigned
   * @param types what it gets; empty: everything
   */
  public record Receiver(
      String name, URI url, List<Secret<String>> secrets, List<WebhookType> types) {
    /** Copies the lists. */
    public Receiver {
      secrets = List.copyOf(secrets);
      types = List.copyOf(types);
    }

    /** Whether it is to have webhooks of this type. */
    public boolean wants(WebhookType type) {
      return types.isEmpty() || types.contains(type);
    }
  }

  /**
   * How webhooks are posted to each receiver.
   *
   * @param timeout of one attempt
   * @param retries after the first attempt
   * @param concurrency requests to a receiver at once
   * @param queueLength events for a receiver that are in hand at once
   */
  public record Delivery(Duration timeout, int retries, int concurrency, int queueLength) {}

  /**
   * Which receivers are spoken to.
   *
   * @param privateReceivers also those at loopback, private and link-local addresses
   * @param caFile certificates that are trusted; empty: those of the JDK
   */
  public record Reach(boolean privateReceivers, Optional<Path> caFile) {}

  /**
   * What is kept of deliveries.
   *
   * @param dirIsDefault whether nobody has configured {@code dir}
   * @param logDays for which the log of deliveries is kept
   * @param deadLetterTopic of Kafka; without Kafka dead letters are in a file in {@code dir}
   */
  public record Records(Path dir, boolean dirIsDefault, int logDays, String deadLetterTopic) {}
}
