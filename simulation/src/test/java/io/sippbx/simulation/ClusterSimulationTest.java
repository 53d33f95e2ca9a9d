package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.InternalChannelz;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.TreeSet;
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

  /** A phone whose BYE is not heard knows nothing of a re-INVITE that moves its call: 481. */
  @Test
  void aCallThatItsPhoneHasLeftMayBeLostWhenItIsMoved() {
    var call =
        new PlannedCall(
            0, Duration.ofSeconds(1), CallKind.CALLEE_HANGS_UP, 0, 0, Duration.ofSeconds(8), 100);
    var cut =
        new Fault(Duration.ofMillis(8_500), Duration.ofSeconds(5), Fault.Kind.CUT_PHONE, 0, 1);
    var ends = new TreeSet<String>();
    for (int relay = 0; relay < 2; relay++) {
      var kill =
          new Fault(Duration.ofSeconds(12), Duration.ofSeconds(8), Fault.Kind.KILL_MEDIA, 0, relay);
      var scenario = new Scenario(5, 1, 1, 2, 0, 5, List.of(call), List.of(cut, kill));
      Outcome outcome = Simulation.run(scenario, Plants.NONE, 10_000);
      isGood(outcome);
      outcome.trace().stream().filter(line -> line.contains("ENDED")).forEach(ends::add);
    }
    assertThat(ends).anyMatch(line -> line.contains("DIALOG_LOST"));
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

  /** gRPC's registry keeps a channel until it is shut down, with all that hangs on it. */
  @Test
  void aRunLeavesNoChannelOpen() {
    Scenario.Range range = Scenario.Range.full();
    for (long seed = 1; seed <= 4; seed++) {
      Simulation.run(Scenario.of(seed, range), Plants.NONE, Trace.OFF);
    }
    assertThat(InternalChannelz.instance().getRootChannels(0, 1_000).channels).isEmpty();
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
