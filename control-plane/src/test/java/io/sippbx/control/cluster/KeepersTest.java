package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeepersTest {

  private static final int PARTITIONS = 64;

  private static List<NodeId> nodes(int count) {
    var nodes = new ArrayList<NodeId>();
    for (int i = 0; i < count; i++) {
      nodes.add(new NodeId("control-" + i));
    }
    return nodes;
  }

  @Test
  void nobodyKeepsWhereNobodyIs() {
    assertThat(Keepers.of(0, List.of())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 8})
  void sharesThePartitionsOut(int count) {
    for (NodeId node : nodes(count)) {
      long kept = 0;
      for (int partition = 0; partition < PARTITIONS; partition++) {
        kept += Keepers.of(partition, nodes(count)).orElseThrow().equals(node) ? 1 : 0;
      }
      assertThat(kept).as("%s of %d", node, count).isBetween(64L / count / 3, 64L * 2 / count);
    }
  }

  @Test
  void aNodeThatGoesMovesOnlyWhatItKept() {
    List<NodeId> all = nodes(5);
    List<NodeId> fewer = nodes(4);
    for (int partition = 0; partition < PARTITIONS; partition++) {
      NodeId before = Keepers.of(partition, all).orElseThrow();
      if (!before.equals(all.getLast())) {
        assertThat(Keepers.of(partition, fewer)).contains(before);
      }
    }
  }

  @Test
  void doesNotDependOnTheOrder() {
    var shuffled = new ArrayList<>(nodes(7));
    for (int seed = 0; seed < 20; seed++) {
      Collections.shuffle(shuffled, new Random(seed));
      assertThat(Keepers.of(seed, shuffled)).isEqualTo(Keepers.of(seed, nodes(7)));
    }
  }

  @Test
  void isTheSameInEveryBuild() {
    var names = new StringBuilder();
    for (int partition = 0; partition < 16; partition++) {
      String node = Keepers.of(partition, nodes(3)).orElseThrow().text();
      names.append(node.charAt(node.length() - 1));
    }
    assertThat(names.toString()).isEqualTo("1022020211001101");
  }
}
