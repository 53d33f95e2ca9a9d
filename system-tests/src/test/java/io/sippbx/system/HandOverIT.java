package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM to one control node of several: its calls are the others' at once. */
class HandOverIT {

  private static final long SEED = 5;
  // A supervisor that is no more patient than what is promised kills it then.
  private static final Duration BOUND = Duration.ofSeconds(5);
  private static final Duration SPREAD = Duration.ofSeconds(2);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);
  private static final List<Phase> PHASES = List.of(Phase.values());
  private static final Predicate<Phase> LASTING = phase -> phase == Phase.UP;

  @TempDir Path folder = Path.of("");

  @Test
  void aNodeThatIsToldToEndDoesSoInTimeAndLosesNoCall() throws IOException {
    try (Fleet fleet = Fleets.start(folder, 2);
        var load = new Load(fleet, SEED)) {
      load.begin(PHASES, false, 2);
      load.begin(PHASES, true, 1);
      List<String> callIds = load.callIds();
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(3 * PHASES.size());
      int victim = load.busiest(LASTING.negate());
      load.mark(victim);
      assertThat(fleet.stopControl(victim, BOUND)).as("its exit code").isZero();
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }

  @Test
  void allNodesAreRestartedOneAfterAnotherUnderLoadAndNoCallIsLost() throws IOException {
    List<Phase> passing = PHASES.stream().filter(LASTING.negate()).toList();
    try (Fleet fleet = Fleets.start(folder, 3);
        var load = new Load(fleet, SEED)) {
      // These live through all of it.
      load.begin(List.of(Phase.UP), false, 2);
      load.begin(List.of(Phase.UP), true, 2);
      for (int node = 1; node <= fleet.controls(); node++) {
        load.begin(passing, false, 1);
        load.begin(passing, true, 1);
        load.mark(node);
        assertThat(fleet.stopControl(node, BOUND)).as("exit code of control-%d", node).isZero();
        load.release(LASTING.negate(), SPREAD);
        // Calls that begin while one is missing.
        load.begin(passing, false, 1);
        fleet.startControl(node);
        load.release(LASTING.negate(), SPREAD);
        load.awaitEnds(LASTING.negate(), ENDS_WITHIN);
      }
      load.release(LASTING, SPREAD);
      load.awaitEnds(LASTING, ENDS_WITHIN);
      List<String> callIds = load.callIds();
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(4 + fleet.controls() * 3 * passing.size());
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }
}
