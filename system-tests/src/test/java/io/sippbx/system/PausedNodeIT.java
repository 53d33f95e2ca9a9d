package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Control nodes that stand still for ten seconds and go on. */
class PausedNodeIT {

  private static final Duration PAUSE = Duration.ofSeconds(10);
  private static final Duration SPREAD = Duration.ofSeconds(2);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);

  @TempDir Path folder = Path.of("");

  @Test
  void nobodyClaimsAnythingWhenAllStoodStill() throws IOException {
    List<Phase> phases = List.of(Phase.values());
    try (Fleet fleet = Fleets.start(folder, 3);
        var load = new Load(fleet, 11)) {
      load.begin(phases, false, 2);
      load.begin(phases, true, 1);
      List<String> callIds = load.callIds();
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(3 * phases.size());
      load.mark(0);
      fleet.signalControls("STOP");
      long sinceNs = System.nanoTime();
      Await.until(
          "they have stood still for long enough",
          PAUSE.plusSeconds(1),
          () -> System.nanoTime() - sinceNs,
          passedNs -> passedNs > PAUSE.toNanos());
      fleet.signalControls("CONT");
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.nobodyHasClaimedAnything(fleet);
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }
}
