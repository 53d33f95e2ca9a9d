package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeadLetterTest {

  private static final Instant TIME = Instant.parse("2025-01-05T10:15:30.5Z");
  private static final DeadLetter LETTER =
      new DeadLetter(
          "crm",
          WebhookBody.of(Events.started("k", 1)).orElseThrow(),
          TIME,
          4,
          "status 500",
          false);

  @Test
  void isOneLineAndComesBackAsItWas() {
    byte[] line = LETTER.encode();
    assertThat(new String(line, StandardCharsets.UTF_8)).doesNotContain("\n");
    assertThat(DeadLetter.decode(line)).contains(LETTER);
  }

  @Test
  void asANoteOfDeliveryNeedsNoBody() {
    DeadLetter note = LETTER.settled(TIME.plusSeconds(9));
    assertThat(DeadLetter.decode(note.encode()))
        .hasValueSatisfying(
            read -> {
              assertThat(read.isSettled()).isTrue();
              assertThat(read.webhook().id()).isEqualTo(LETTER.webhook().id());
              assertThat(read.webhook().body()).isEmpty();
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "x", "[]", "{}", "{\"receiver\":\"a\",\"id\":\"b\",\"type\":\"call.ended\"}"})
  void isNotMadeOfSomethingElse(String line) {
    assertThat(DeadLetter.decode(line.getBytes(StandardCharsets.UTF_8))).isEmpty();
  }

  @Test
  void isNotMadeOfALineThatWasCut() {
    byte[] line = LETTER.encode();
    for (int length = 0; length < line.length; length++) {
      assertThat(DeadLetter.decode(Arrays.copyOf(line, length))).isEmpty();
    }
  }
}
