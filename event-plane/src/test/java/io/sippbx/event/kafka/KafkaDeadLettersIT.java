package io.sippbx.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.event.webhook.DeadLetter;
import io.sippbx.event.webhook.DeadLetterSource;
import io.sippbx.event.webhook.Webhook;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What cannot be delivered, in a topic of a real broker. */
class KafkaDeadLettersIT {

  private static final Duration WITHIN = Duration.ofMinutes(2);
  private static final Instant TIME = Instant.parse("2025-01-05T10:15:30Z");

  /** A broker that was killed is let in again when its former self is given up: else after 9 s. */
  private static final List<String> LET_IN_SOON =
      List.of("broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500");

  @TempDir private Path folder;

  private static DeadLetter letter(String call, boolean settled) {
    return new DeadLetter(
        "crm",
        new Webhook(
            call + ":c:0", EventsConfig.WebhookType.CALL_ENDED, call, 4, settled ? "" : "{}"),
        TIME,
        4,
        settled ? "delivered" : "503",
        settled);
  }

  /** As a receiver does: again, until it is kept. It may be there twice then. */
  private static void keep(KafkaDeadLetters letters, DeadLetter letter) {
    Awaitility.await()
        .atMost(WITHIN)
        .until(
            () -> {
              var kept = new CompletableFuture<Boolean>();
              letters.keep(letter, kept::complete);
              letters.flush();
              return kept.get(WITHIN.toSeconds(), TimeUnit.SECONDS);
            });
  }

  @Test
  void keepsLettersThroughTheDeathOfTheBrokerInATopicThatIsMadeForTheFirst() throws Exception {
    try (KafkaBroker broker = KafkaBroker.start(folder, LET_IN_SOON)) {
      int port = Integer.parseInt(broker.bootstrapServers().split(":")[1]);
      KafkaConfig kafka = CdrProcess.kafka(port, 3);
      KafkaAccess access = KafkaAccess.of(kafka);
      try (var letters = new KafkaDeadLetters(access, kafka.topics(), "dead-letters")) {
        keep(letters, letter("a", false));
        keep(letters, letter("b", false));
        broker.kill();
        broker.restart();
        keep(letters, letter("a", true));
      }
      try (var letters = new KafkaDeadLetters(access, kafka.topics(), "dead-letters")) {
        assertThat(read(letters))
            .containsOnly(letter("a", false), letter("b", false), letter("a", true));
      }
    }
  }

  private static List<DeadLetter> read(KafkaDeadLetters letters)
      throws IOException, InterruptedException {
    var found = new ArrayList<DeadLetter>();
    letters.read(new DeadLetterSource.Range(Instant.EPOCH, Instant.MAX), found::add);
    return found;
  }
}
