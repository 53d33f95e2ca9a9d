package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.event.webhook.DeliveryWitness.Told;
import io.sippbx.event.webhook.DeliveryWitness.What;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeliveryLogTest {

  @TempDir private Path folder;
  private Instant now = Instant.parse("2025-01-05T23:59:00Z");

  private static Told told(String call, What what) {
    return new Told(
        "crm",
        WebhookBody.of(Events.ended(call, 4)).orElseThrow(),
        2,
        what,
        what == What.DELIVERED ? 200 : 500,
        what == What.DELIVERED ? "" : "status 500",
        17);
  }

  private List<String> find(String call) throws Exception {
    var lines = new ArrayList<String>();
    DeliveryLog.find(folder, call, lines::add);
    return lines;
  }

  @Test
  void hasALineForEachAttemptThatIsFoundByItsCallOverDays() throws Exception {
    try (var log = new DeliveryLog(folder, 7, () -> now)) {
      log.told(told("a", What.FAILED));
      log.told(told("b", What.DELIVERED));
      now = now.plus(Duration.ofMinutes(2));
      log.told(told("a", What.DELIVERED));
    }
    List<String> lines = find("a");
    assertThat(lines).hasSize(2);
    JsonNode first = new ObjectMapper().readTree(lines.getFirst());
    assertThat(first.get("time").asText()).isEqualTo("2025-01-05T23:59:00Z");
    assertThat(first.get("receiver").asText()).isEqualTo("crm");
    assertThat(first.get("call").asText()).isEqualTo("a");
    assertThat(first.get("type").asText()).isEqualTo("call.ended");
    assertThat(first.get("attempt").asInt()).isEqualTo(2);
    assertThat(first.get("result").asText()).isEqualTo("failed");
    assertThat(first.get("status").asInt()).isEqualTo(500);
    assertThat(first.get("ms").asInt()).isEqualTo(17);
    assertThat(first.get("problem").asText()).isEqualTo("status 500");
    assertThat(new ObjectMapper().readTree(lines.get(1)).get("result").asText())
        .isEqualTo("delivered");
  }

  @Test
  void keepsItsDaysAndWhatIsNotItsOwn() throws Exception {
    for (String name :
        List.of(
            "deliveries-2024-12-28.jsonl",
            "deliveries-2024-12-29.jsonl",
            "deliveries-old.jsonl",
            "dead-letters.jsonl")) {
      Files.createFile(folder.resolve(name));
    }
    try (var log = new DeliveryLog(folder, 7, () -> now)) {
      log.told(told("a", What.DELIVERED));
    }
    try (var files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "deliveries-2024-12-29.jsonl",
              "deliveries-2025-01-05.jsonl",
              "deliveries-old.jsonl",
              "dead-letters.jsonl");
    }
  }

  @Test
  void dropsAndCountsWhatADaysFileHasNoRoomFor() throws Exception {
    try (var log = new DeliveryLog(folder, 7, () -> now, 500)) {
      for (int i = 0; i < 10; i++) {
        log.told(told("a", What.DELIVERED));
      }
      assertThat(log.dropped()).isEqualTo(10 - find("a").size()).isPositive();
    }
    assertThat(Files.size(folder.resolve("deliveries-2025-01-05.jsonl"))).isLessThanOrEqualTo(500);
  }

  @Test
  void dropsAndCountsWhatTheDiskDoesNotTake() {
    try (var log = new DeliveryLog(folder.resolve("gone"), 7, () -> now)) {
      log.told(told("a", What.DELIVERED));
      assertThat(log.dropped()).isEqualTo(1);
    }
  }
}
