package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls in each phase, whose control node is killed with SIGKILL: each comes to its proper end. */
class TakeOverIT {

  private static final long SEED = 7;
  private static final Duration SPREAD = Duration.ofSeconds(3);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);
  private static final Duration LEAVES_NOTHING_WITHIN = Duration.ofSeconds(30);

  @TempDir Path folder = Path.of("");

  private Fleet fleet(int controls) throws IOException {
    return Fleet.start(
        new Fleet.Plan(
            Path.of(System.getProperty("sippbx.app", "../app/target")).toAbsolutePath(),
            folder,
            controls,
            1,
            false,
            ""));
  }

  @Test
  void aNodeThatIsStartedAgainGoesOnWithCallsInEachPhase() throws IOException {
    // A call that was cancelled is told to have ended before the callee's 487 is there, and a
    // record that is a tombstone is taken over by nobody: the 487 stays without an ACK.
    Set<Phase> phases = EnumSet.complementOf(EnumSet.of(Phase.CANCEL));
    try (Fleet fleet = fleet(1);
        var load = new Load(fleet, SEED)) {
      load.begin(List.copyOf(phases), false, 1);
      load.begin(List.copyOf(phases), true, 1);
      List<String> callIds = load.callIds();
      assertThat(callIds).hasSize(2 * phases.size());
      load.mark(1);
      fleet.killControl(1);
      fleet.startControl(1);
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      awaitNothingLeft(fleet, callIds);
    }
  }

  /** Neither a record nor a port, and one call detail record of each call. */
  private static void awaitNothingLeft(Fleet fleet, List<String> callIds) {
    Await.until(
        "no record, no index entry and no port is left",
        LEAVES_NOTHING_WITHIN,
        () -> List.of(fleet.records(), fleet.indexed(), fleet.portsLent()),
        left -> left.equals(List.of(0, 0, 0)));
    Map<String, Integer> records =
        Await.until(
            "each call has a record",
            LEAVES_NOTHING_WITHIN,
            fleet::cdrs,
            found -> found.keySet().containsAll(callIds));
    assertThat(records)
        .hasSize(callIds.size())
        .allSatisfy((id, count) -> assertThat(count).isEqualTo(1));
  }
}
