package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.function.Consumer;

class InMemoryLimitStoreTest extends LimitStoreContract {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final LimitStore store = new InMemoryLimitStore(clock.loops("node", 2));

  @Override
  LimitStore store() {
    return store;
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
