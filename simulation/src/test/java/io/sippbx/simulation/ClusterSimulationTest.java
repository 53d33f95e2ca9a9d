package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The seeds that each build runs; {@code ./bench simulate} runs more. */
@DisplayName("whole clusters on virtual time")
class ClusterSimulationTest {

  private static final int CALM_SEEDS = 20;
  private static final int STORMY_SEEDS = 40;

  /** Lines of a trace that a failure shows. */
  private static final int TRACED = 200;

  private static LongStream calmSeeds() {
    return LongStream.rangeClosed(1, CALM_SEEDS);
  }

  private static LongStream stormySeeds() {
    return LongStream.rangeClosed(1, STORMY_SEEDS);
  }

  private static void isGood(Outcome outcome) {
    assertThat(outcome.violations())
        .as("%s\n%s", outcome.scenario(), String.join("\n", outcome.trace()))
        .isEmpty();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("calmSeeds")
  void callsOfEveryKindEndAsTheyMust(long seed) {
    isGood(Simulation.run(Scenario.of(seed, Scenario.Range.full().calm()), Plants.NONE, TRACED));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("stormySeeds")
  void callsOutliveWhatFails(long seed) {
    isGood(Simulation.run(Scenario.of(seed, Scenario.Range.full()), Plants.NONE, TRACED));
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    Scenario.Range range = Scenario.Range.full();
    Scenario scenario = Scenario.of(3, range);
    assertThat(Scenario.of(3, range)).isEqualTo(scenario);
    Outcome once = Simulation.run(scenario, Plants.NONE, 1_000);
    Outcome again = Simulation.run(scenario, Plants.NONE, 1_000);
    assertThat(again.trace()).isEqualTo(once.trace());
    assertThat(again.traceHash()).isEqualTo(once.traceHash());
    assertThat(again.events()).isEqualTo(once.events());
    assertThat(Simulation.run(Scenario.of(4, range), Plants.NONE, 0).traceHash())
        .isNotEqualTo(once.traceHash());
  }

  @Test
  void everyKindOfCallIsDrawn() {
    var kinds = EnumSet.noneOf(CallKind.class);
    calmSeeds()
        .forEach(
            seed ->
                Scenario.of(seed, Scenario.Range.full())
                    .calls()
                    .forEach(call -> kinds.add(call.kind())));
    assertThat(kinds).isEqualTo(EnumSet.allOf(CallKind.class));
  }
}
