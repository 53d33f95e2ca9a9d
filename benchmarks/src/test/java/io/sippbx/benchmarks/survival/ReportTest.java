package io.sippbx.benchmarks.survival;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ReportTest {

  private static Row.Result result(
      Phase phase, String transport, String loss, boolean atVictim, int silenceMs) {
    return new Row.Result(
        phase,
        transport,
        loss.isEmpty(),
        loss,
        atVictim,
        Duration.ofMillis(silenceMs),
        Duration.ofMillis(21),
        loss.isEmpty() ? Optional.of(Duration.ofMillis(5)) : Optional.empty(),
        "call");
  }

  private static Outcome outcome(List<Row.Result> results) {
    return new Outcome(
        Victim.CONTROL,
        Outcome.rows(results),
        Map.of("up: not set up", 2),
        3,
        4,
        5,
        Outcome.Cdrs.of(List.of("a", "b", "c"), Map.of("b", 1, "c", 2)),
        6,
        List.of("a note"));
  }

  private static Report report(List<Row.Result> results) {
    var report = new Report(new Report.Head("today", "./bench", "2 cores", "3 nodes", "abc"));
    report.add(outcome(results));
    return report;
  }

  @Test
  void takesPercentilesByNearestRank() {
    List<Long> hundred = LongStream.rangeClosed(1, 100).boxed().toList();
    assertThat(Row.percentile(hundred, 50)).contains(50L);
    assertThat(Row.percentile(hundred, 99)).contains(99L);
    assertThat(Row.percentile(List.of(7L), 99)).contains(7L);
    assertThat(Row.percentile(List.of(), 50)).isEmpty();
  }

  @Test
  void groupsByPhaseAndTransportInTheirOrder() {
    var results = new ArrayList<Row.Result>();
    results.add(result(Phase.UP, "TCP", "", false, 30));
    results.add(result(Phase.RINGING, "UDP", "", true, 0));
    results.add(result(Phase.UP, "UDP", "no media", true, 900));
    results.add(result(Phase.UP, "UDP", "", true, 40));
    assertThat(Outcome.rows(results))
        .extracting(Row::phase, Row::transport, Row::calls, Row::kept, Row::lost, Row::keptAtVictim)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(Phase.RINGING, "UDP", 1, 1, 0, 1),
            org.assertj.core.groups.Tuple.tuple(Phase.UP, "UDP", 2, 1, 1, 1),
            org.assertj.core.groups.Tuple.tuple(Phase.UP, "TCP", 1, 1, 0, 0));
  }

  @Test
  void saysWhatWasLostAndWhy() {
    String text =
        report(
                List.of(
                    result(Phase.UP, "UDP", "no media", true, 900),
                    result(Phase.UP, "UDP", "", true, 40)))
            .markdown();
    assertThat(text)
        .contains("| up | UDP | 2 | 1 | 1 | 1/2 | 40 / 900 | 21 / 21 | 5 / 5 |")
        .contains("- lost, up, UDP: 1 x no media")
        .contains("- not set up before the death: 2 x up: not set up")
        .contains("3 records, 4 index entries, 5 ports")
        .contains("1 calls have one, 1 none, 1 more")
        .contains("shared one: 6")
        .contains("- a note");
  }

  @Test
  void saysNothingOfSilenceWhereThereWasNoTalk() {
    String text = report(List.of(result(Phase.RINGING, "UDP", "", true, 900))).markdown();
    assertThat(text).contains("| 180 | UDP | 1 | 1 | 0 | 1/1 | - | - | 5 / 5 |");
  }

  @Test
  void writesTheSameAsJson() throws IOException {
    JsonNode json =
        new ObjectMapper()
            .readTree(report(List.of(result(Phase.UP, "UDP", "no media", true, 900))).json());
    JsonNode victim = json.path("victims").path(0);
    assertThat(victim.path("victim").asText()).isEqualTo("control");
    assertThat(victim.path("ports_left").asInt()).isEqualTo(5);
    JsonNode row = victim.path("rows").path(0);
    assertThat(row.path("phase").asText()).isEqualTo("up");
    assertThat(row.path("lost").asInt()).isEqualTo(1);
    assertThat(row.path("silence_ms_p99").asInt()).isEqualTo(900);
    assertThat(row.path("reasons").path("no media").asInt()).isEqualTo(1);
  }
}
