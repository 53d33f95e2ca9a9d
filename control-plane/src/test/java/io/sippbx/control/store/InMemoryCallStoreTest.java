package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class InMemoryCallStoreTest extends CallStoreContract {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final InMemoryCallStore<Note> store =
      new InMemoryCallStore<>(clock.loops("node", 2), OUTBOX);

  @Override
  CallStore<Note> store() {
    return store;
  }

  @Override
  PartitionStore partitions() {
    return store;
  }

  @Override
  Instant now() {
    return clock.now();
  }

  @Override
  void pass(Duration time) {
    clock.advance(time);
  }

  @Override
  void setEpoch(Partition partition, long epoch) {
    store.setEpoch(partition, epoch);
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

  private void tell(InMemoryCallStore<Note> to, int number) {
    to.commit(
        new CallCommit<>(
            key(number),
            Optional.empty(),
            new CommitId(number),
            Optional.of(note("a")),
            List.of(event("e" + number))),
        answer -> {});
  }

  @Test
  void keepsNoEventsWhereNobodyTakesThemOut() {
    var plain = new InMemoryCallStore<Note>(clock.loops("other", 1));
    tell(plain, 1);
    PartitionStore.Answer<Long> depth =
        this.<PartitionStore.Answer<Long>>ask(answer -> plain.outboxDepth(PARTITION, answer));
    assertThat(depth).isEqualTo(new PartitionStore.Batch<>(List.of(0L), false));
  }

  @Test
  void countsItsCalls() {
    tell(store, 1);
    tell(store, 2);
    clock.runReady();
    assertThat(store.size()).isEqualTo(2);
  }

  @Test
  void refusesAnOutboxBelowZero() {
    assertThatThrownBy(() -> new InMemoryCallStore<Note>(clock.loops("other", 1), -1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
