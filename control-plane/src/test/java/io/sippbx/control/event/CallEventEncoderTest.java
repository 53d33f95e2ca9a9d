package io.sippbx.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.event.CallHappening.MediaTotals;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the published form of what happens to calls")
class CallEventEncoderTest {

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.5Z");
  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);
  private static final Path GOLDEN = Path.of("src/test/resources/golden/event/call-event.v1");
  private static final Party ALICE = new Party("1004", "sip:1004@pbx", "a@1", "192.0.2.1");
  private static final Party BOB = new Party("1008", "sip:1008@pbx", "b@2", "2001:db8::1");
  private static final MediaTotals COUNTS = new MediaTotals(1, 2, -3, 4, 5, 6, 7, 8);

  /** One of each kind. */
  private static final List<CallHappening> ALL =
      List.of(
          new CallHappening.Started(ALICE, BOB),
          new CallHappening.Ringing(180),
          new CallHappening.EarlyMedia(183),
          new CallHappening.Answered("opus"),
          new CallHappening.Held(true),
          new CallHappening.Resumed(false),
          new CallHappening.Reanchored(new NodeId("m-1"), new NodeId("m-2")),
          new CallHappening.Quality(new NodeId("m-2"), COUNTS),
          new CallHappening.Ended(
              ALICE,
              BOB,
              NOW,
              Optional.of(NOW.plusSeconds(2)),
              NOW.plusSeconds(9),
              new Termination(Termination.Result.COMPLETED, Termination.Reason.NORMAL, 200),
              "opus",
              "m-2",
              Optional.of(COUNTS),
              Optional.of(NOW.plusSeconds(1)),
              "node-0",
              Optional.of(NOW.plusSeconds(5))));

  private final List<CallEvent> events =
      new CallEventEncoder(new NodeId("node-1")).encode(CALL, "0123", 5, NOW, ALL);

  @Test
  @DisplayName("golden bytes of version 1")
  void isWrittenAsVersion1() throws IOException {
    List<String> lines =
        events.stream().map(each -> HexFormat.of().formatHex(each.toByteArray())).toList();
    if (Boolean.getBoolean("sippbx.golden.write")) {
      Files.createDirectories(GOLDEN.getParent());
      Files.write(GOLDEN, lines);
    }
    assertThat(lines)
        .as("changed: what readers have must not; if nobody does, -Dsippbx.golden.write=true")
        .isEqualTo(Files.readAllLines(GOLDEN));
  }

  @Test
  void numbersAndNamesEachEvent() {
    assertThat(events).hasSize(ALL.size());
    for (int i = 0; i < events.size(); i++) {
      assertThat(events.get(i).getSeq()).isEqualTo(5 + i);
      assertThat(events.get(i).getEventId()).isEqualTo(CALL.text() + ":0123:" + i);
      assertThat(events.get(i).getSchemaVersion()).isEqualTo(1);
    }
    assertThat(events).extracting(CallEvent::getEventCase).doesNotHaveDuplicates();
    // Each kind that the schema has is among them.
    assertThat(events).hasSize(CallEvent.EventCase.values().length - 1);
  }
}
