package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;

@DisplayName("the cluster's part of the store in memory")
class InMemoryClusterStoreTest extends ClusterStoreContract {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final InMemoryCallStore<String> calls = new InMemoryCallStore<>(clock.loops("node", 2));
  private final ClusterStore store =
      new InMemoryClusterStore(clock.loop("cluster"), calls::setEpoch);

  @Override
  ClusterStore store() {
    return store;
  }

  @Override
  PartitionStore partitions() {
    return calls;
  }

  @Override
  void pass(Duration time) {
    clock.advance(time);
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    var answers = new ArrayList<T>();
    question.accept(answers::add);
    assertThat(answers).as("never answered inline").isEmpty();
    clock.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }
}
