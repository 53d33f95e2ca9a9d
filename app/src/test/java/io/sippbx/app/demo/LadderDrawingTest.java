package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.app.demo.Ladder.Leg;
import io.sippbx.app.demo.Ladder.Row;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LadderDrawingTest {

  private static final Instant START = Instant.parse("2026-01-01T10:00:00Z");

  private final LadderDrawing drawing = new LadderDrawing("alice", "sip-pbx", "bob");

  private static Row message(long millis, Leg leg, boolean toEdge, String label) {
    return new Row.Message(START.plusMillis(millis), leg, toEdge, label);
  }

  @Test
  void drawsEachLegOnItsSide() {
    List<String> lines =
        drawing.draw(
            List.of(
                message(0, Leg.CALLER, true, "INVITE (SDP)"),
                message(12, Leg.CALLEE, false, "INVITE (SDP)"),
                message(1_013, Leg.CALLEE, true, "180 Ringing"),
                message(61_014, Leg.CALLER, false, "180 Ringing"),
                new Row.Note(START.plusSeconds(62), "RTP both ways")));
    assertThat(String.join("\n", lines))
        .isEqualTo(
            """
                      alice                                 sip-pbx                                   bob
                      |                                        |                                        |
              0.000 s |------------- INVITE (SDP) ------------>|                                        |
              0.012 s |                                        |------------- INVITE (SDP) ------------>|
              1.013 s |                                        |<------------ 180 Ringing --------------|
             61.014 s |<------------ 180 Ringing --------------|                                        |
             62.000 s |================================= RTP both ways =================================|
                      |                                        |                                        |\
            """);
  }

  @Test
  void keepsItsWidthWhateverTheLabel() {
    for (int length = 0; length < 100; length++) {
      String label = "x".repeat(length);
      List<String> lines =
          drawing.draw(
              List.of(
                  message(0, Leg.CALLER, true, label),
                  message(0, Leg.CALLEE, true, label),
                  new Row.Note(START, label)));
      assertThat(lines.subList(1, lines.size()))
          .as("label of %d characters", length)
          .allSatisfy(line -> assertThat(line).hasSize(lines.get(1).length()));
      assertThat(lines.get(2)).contains("->|");
      assertThat(lines.get(3)).contains("|<-");
    }
  }

  @Test
  void cutsAPhraseThatDoesNotFit() {
    String line =
        drawing
            .draw(List.of(message(0, Leg.CALLER, true, "488 " + "Not Acceptable ".repeat(5))))
            .get(2);
    assertThat(line).contains("488 Not Acceptable").contains("... -");
  }
}
