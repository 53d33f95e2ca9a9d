package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the limit of addresses-of-record in a store that nodes share")
class RegistrationLimitTest {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final InMemoryRegistrationStore shared = new InMemoryRegistrationStore(1_000, loop);
  private final RegistrationStore one = new RegistrationLimit(3, loop).on(loop, shared);
  private final RegistrationStore other = new RegistrationLimit(3, loop).on(loop, shared);
  private long commits;

  private CommitAnswer<Registration> register(RegistrationStore store, String user, long version) {
    return commit(store, user, version, Registers.record("<sip:1@h>", loop.now().plusSeconds(600)));
  }

  private CommitAnswer<Registration> commit(
      RegistrationStore store, String user, long version, Registration record) {
    var answers = new ArrayList<CommitAnswer<Registration>>();
    store.commit(
        new RegistrationCommit(
            new Aor(user, "example.org"), version, new CommitId(++commits), record),
        answers::add);
    assertThat(answers).as("nothing comes inline").isEmpty();
    clock.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  @Test
  void refusesMoreThanTheLimit() {
    for (String user : List.of("a", "b", "c")) {
      assertThat(register(one, user, 0)).isEqualTo(new CommitAnswer.Applied<>(1));
    }
    assertThat(register(one, "d", 0))
        .isEqualTo(new CommitAnswer.Unknown<>("the limit of 3 addresses-of-record is reached"));
  }

  @Test
  void refreshesThoseThatItHasWhenItIsFull() {
    for (String user : List.of("a", "b", "c")) {
      register(one, user, 0);
    }
    assertThat(register(one, "b", 1)).isEqualTo(new CommitAnswer.Applied<>(2));
  }

  @Test
  void countsWhatOtherNodesHaveTaken() {
    register(one, "a", 0);
    register(other, "b", 0);
    register(other, "c", 0);
    clock.advance(RegistrationLimit.GOOD_FOR);
    assertThat(register(one, "d", 0)).isInstanceOf(CommitAnswer.Unknown.class);
  }

  @Test
  void hasRoomAgainWhenSomebodyLeaves() {
    for (String user : List.of("a", "b", "c")) {
      register(one, user, 0);
    }
    assertThat(register(one, "d", 0)).isInstanceOf(CommitAnswer.Unknown.class);
    commit(other, "b", 1, Registration.EMPTY);
    clock.advance(RegistrationLimit.GOOD_FOR.plus(Duration.ofMillis(1)));
    assertThat(register(one, "d", 0)).isEqualTo(new CommitAnswer.Applied<>(1));
  }

  @Test
  void listsAndReadsAsWithoutIt() {
    register(one, "a", 0);
    var pages = new ArrayList<RegistrationStore.ListAnswer>();
    one.list(Optional.empty(), 10, pages::add);
    clock.runReady();
    assertThat(((RegistrationStore.ListAnswer.Page) pages.getFirst()).entries()).hasSize(1);
  }
}
