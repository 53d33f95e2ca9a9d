package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** One call, and one thing that goes wrong, at each of its phases. */
@DisplayName("a call in whatever phase")
class PhasesSimulationTest {

  private static final Duration BEGINS = Duration.ofSeconds(1);

  private static final Duration DRAINED_FOR = Duration.ofSeconds(20);

  /** Rings after some milliseconds, is answered after 330 and talks for 40 s. */
  private static final PlannedCall CALL =
      new PlannedCall(0, BEGINS, CallKind.CALLER_HANGS_UP, 0, 0, Duration.ofSeconds(40), 300);

  /** From the INVITE. */
  private static final int[] PHASES_MS = {
    1, 5, 20, 45, 70, 150, 200, 300, 335, 340, 360, 380, 1_000, 5_000, 39_999, 40_340, 40_350
  };

  private static IntStream phases() {
    return IntStream.of(PHASES_MS);
  }

  /** Each phase, with each of two media nodes. */
  private static Stream<Arguments> phasesOfMedia() {
    return phases().boxed().flatMap(ms -> Stream.of(Arguments.of(ms, 0), Arguments.of(ms, 1)));
  }

  private static Outcome run(int mediaNodes, Fault fault) {
    var scenario = new Scenario(7, 1, 1, mediaNodes, 0, 5, List.of(CALL), List.of(fault));
    Outcome outcome = Simulation.run(scenario, Plants.NONE, 10_000);
    assertThat(outcome.violations()).as(String.join("\n", outcome.trace())).isEmpty();
    assertThat(outcome.calls()).isEqualTo(1);
    return outcome;
  }

  private static Fault after(int ms, Duration lasts, Fault.Kind kind, int other) {
    return new Fault(BEGINS.plusMillis(ms), lasts, kind, 0, other);
  }

  private static void endsNormally(Outcome outcome) {
    assertThat(outcome.kept()).as("up at both phones").isEqualTo(1);
    assertThat(outcome.trace())
        .anyMatch(line -> line.contains(" commits ") && line.contains("reason=NORMAL"))
        .noneMatch(line -> line.contains("reason=NO_MEDIA") || line.contains("reason=MEDIA_LOST"));
  }

  @ParameterizedTest(name = "its node is killed after {0} ms")
  @MethodSource("phases")
  void endsAsItWouldHaveThoughItsNodeIsKilled(int afterMs) {
    Duration lasts = Duration.ofMillis(700);
    endsNormally(run(1, after(afterMs, lasts, Fault.Kind.KILL_CONTROL, 0)));
  }

  @ParameterizedTest(name = "media node {1} is killed after {0} ms")
  @MethodSource("phasesOfMedia")
  void endsAsItWouldHaveThoughItsMediaNodeIsKilled(int afterMs, int node) {
    Duration lasts = Duration.ofSeconds(60);
    endsNormally(run(2, after(afterMs, lasts, Fault.Kind.KILL_MEDIA, node)));
  }

  @Test
  @DisplayName("is had back by its media node, and nobody is told")
  void isHadBackByItsMediaNode() {
    Outcome outcome = run(1, after(10_000, Duration.ofSeconds(4), Fault.Kind.KILL_MEDIA, 0));
    endsNormally(outcome);
    assertThat(outcome.trace())
        .as("by the caller, and by us")
        .filteredOn(line -> line.contains(" -> ") && line.contains(" INVITE sip:"))
        .hasSize(2);
  }

  /** Until it is answered, and while it ends, it may stay where it is. */
  @ParameterizedTest(name = "media node {1} is drained after {0} ms")
  @CsvSource({"1,0", "45,1", "150,0", "335,0", "335,1", "360,0", "360,1", "1000,0", "1000,1"})
  void leavesItsDrainedMediaNodeAndGoesOn(int afterMs, int node) {
    Outcome outcome = run(2, after(afterMs, DRAINED_FOR, Fault.Kind.DRAIN_MEDIA, node));
    endsNormally(outcome);
    assertThat(outcome.trace())
        .as("though the call is up")
        .anyMatch(line -> line.endsWith(" is undrained with 0 sessions"));
  }

  @Test
  @DisplayName("moves from its drained media node by a re-INVITE of both phones")
  void isMovedFromItsDrainedMediaNode() {
    List<Outcome> outcomes =
        IntStream.of(0, 1)
            .mapToObj(node -> run(2, after(5_000, DRAINED_FOR, Fault.Kind.DRAIN_MEDIA, node)))
            .toList();
    outcomes.forEach(PhasesSimulationTest::endsNormally);
    assertThat(outcomes)
        .as("INVITEs by the caller and by us: it was on one of the two")
        .extracting(
            outcome ->
                outcome.trace().stream()
                    .filter(line -> line.contains(" -> ") && line.contains(" INVITE sip:"))
                    .count())
        .containsExactlyInAnyOrder(2L, 4L);
  }
}
