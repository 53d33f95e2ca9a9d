package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.config.EventsConfig;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RedeliveryTest {

  private static final Instant NOON = Instant.parse("2025-01-05T12:00:00Z");
  private static final EventsConfig.Receiver CRM =
      new EventsConfig.Receiver("crm", URI.create("http://crm.example/"), List.of(), List.of());
  private static final EventsConfig.Delivery DELIVERY =
      new EventsConfig.Delivery(Duration.ofSeconds(1), 0, 4, 3);
  private static final Redelivery.Choice ALL =
      new Redelivery.Choice(
          new DeadLetterSource.Range(Instant.EPOCH, Instant.MAX),
          Optional.empty(),
          Optional.empty());

  @TempDir private Path folder;
  private final List<String> posted = Collections.synchronizedList(new ArrayList<>());
  private DeadLetterFile file;
  private Redelivery redelivery;

  @BeforeEach
  void fill() {
    file = new DeadLetterFile(folder);
    redelivery = new Redelivery(file, file, InstantSource.fixed(NOON));
    keep("crm", "a", 4, NOON.minusSeconds(30));
    keep("crm", "a", 1, NOON.minusSeconds(60));
    keep("crm", "b", 4, NOON.minusSeconds(10));
    keep("gone", "a", 1, NOON.minusSeconds(60));
  }

  private void keep(String receiver, String call, int seq, Instant time) {
    Webhook webhook =
        WebhookBody.of(seq == 1 ? Events.started(call, 1) : Events.ended(call, seq)).orElseThrow();
    file.keep(new DeadLetter(receiver, webhook, time, 4, "status 500", false), kept -> {});
    file.flush();
  }

  private WebhookSender sender(EventsConfig.Receiver receiver) {
    return (webhook, answer) -> {
      posted.add(receiver.name() + " " + webhook.id());
      answer.accept(
          webhook.subject().equals("b")
              ? new Outcome.Again(500, "status 500", Optional.empty())
              : new Outcome.Delivered(200));
    };
  }

  private Redelivery.Done run(Redelivery.Choice choice) throws Exception {
    return redelivery.run(choice, List.of(CRM), DELIVERY, this::sender, told -> {});
  }

  @Test
  void deliversThoseOfACallInOrderAndEachOnlyOnce() throws Exception {
    assertThat(run(ALL)).isEqualTo(new Redelivery.Done(2, 1, 1, true));
    assertThat(posted).containsSubsequence("crm a:c1:0", "crm a:c4:0").hasSize(3);
    posted.clear();
    assertThat(run(ALL)).isEqualTo(new Redelivery.Done(0, 1, 1, true));
    assertThat(posted).containsExactly("crm b:c4:0");
  }

  @Test
  void deliversAgainWhatWasGivenUpAgain() throws Exception {
    run(ALL);
    keep("crm", "a", 4, NOON.plusSeconds(5));
    posted.clear();
    run(ALL);
    assertThat(posted).containsExactlyInAnyOrder("crm a:c4:0", "crm b:c4:0");
  }

  @Test
  void chooses() throws Exception {
    var lately = new DeadLetterSource.Range(NOON.minusSeconds(30), NOON.minusSeconds(10));
    assertThat(redelivery.choose(new Redelivery.Choice(lately, Optional.empty(), Optional.empty())))
        .extracting(letter -> letter.webhook().id())
        .containsExactly("a:c4:0");
    assertThat(
            redelivery.choose(
                new Redelivery.Choice(ALL.range(), Optional.of("gone"), Optional.empty())))
        .extracting(DeadLetter::receiver)
        .containsExactly("gone");
    assertThat(
            redelivery.choose(
                new Redelivery.Choice(ALL.range(), Optional.empty(), Optional.of("b"))))
        .extracting(letter -> letter.webhook().subject())
        .containsExactly("b");
  }

  @Test
  void hasRoomForMoreLettersThanTheQueue() throws Exception {
    for (int i = 0; i < 50; i++) {
      keep("crm", "c" + i, 4, NOON);
    }
    assertThat(run(ALL).delivered()).isEqualTo(52);
  }
}
