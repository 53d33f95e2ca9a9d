package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Control nodes that share one address, and what is to be left of their calls: nothing. */
final class Fleets {

  private static final Duration LEAVES_NOTHING_WITHIN = Duration.ofSeconds(30);

  private Fleets() {}

  /** So many control nodes, a media node and a Redis. */
  static Fleet start(Path folder, int controls) throws IOException {
    return start(folder, controls, 1);
  }

  /** So many control and media nodes and a Redis. */
  static Fleet start(Path folder, int controls, int medias) throws IOException {
    return Fleet.start(
        new Fleet.Plan(
            Path.of(System.getProperty("sippbx.app", "../app/target")).toAbsolutePath(),
            folder,
            controls,
            medias,
            false,
            ""));
  }

  /**
   * Neither a record nor a port, and one call detail record of each call: of those too that were
   * refused before they came to anything.
   */
  static void awaitNothingLeft(Fleet fleet, List<String> callIds) {
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
    assertThat(records).allSatisfy((id, count) -> assertThat(count).as(id).isEqualTo(1));
  }

  /** That no node has taken anything for dead, nor taken a call over. */
  static void nobodyHasClaimedAnything(Fleet fleet) throws IOException {
    for (int node = 1; node <= fleet.controls(); node++) {
      assertThat(fleet.metric(node, "sip_cluster_handed_calls_total{what=\"taken_over\"}"))
          .as("calls that control-%d has taken over", node)
          .isZero();
      assertThat(fleet.log(node)).doesNotContain("cluster.member_dead");
    }
  }
}
