package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What every {@link CallStore} promises (law 2): each implementation runs this suite. */
@DisplayName("the commit contract of calls")
abstract class CallStoreContract {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final Loops loops = clock.loops("node", 2);
  private final CallStore<String> store = store(loops);

  /** An empty store that answers on these loops. */
  abstract CallStore<String> store(Loops loops);

  private CommitAnswer<String> commit(long expected, long id, Optional<String> record) {
    var answers = new ArrayList<CommitAnswer<String>>();
    store.commit(
        new CallCommit<>(CALL, expected, new CommitId(id), record, List.of()), answers::add);
    assertThat(answers).as("never answered inline").isEmpty();
    clock.runAll();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private ReadAnswer<String> read() {
    var answers = new ArrayList<ReadAnswer<String>>();
    store.read(CALL, answers::add);
    clock.runAll();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  @Test
  void appliesACommitToWhatWasRead() {
    assertThat(commit(0, 1, Optional.of("a"))).isEqualTo(new CommitAnswer.Applied<>(1));
    assertThat(commit(1, 2, Optional.of("b"))).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(read()).isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), "b")));
  }

  @Test
  void answersTheSameCommitSentAgainAsApplied() {
    commit(0, 1, Optional.of("a"));
    commit(1, 2, Optional.of("b"));
    assertThat(commit(1, 2, Optional.of("b"))).isEqualTo(new CommitAnswer.AlreadyApplied<>(2));
    assertThat(read()).isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), "b")));
  }

  @Test
  void refusesACommitToAnotherVersionAndTellsWhatStands() {
    commit(0, 1, Optional.of("a"));
    assertThat(commit(0, 2, Optional.of("x")))
        .isEqualTo(new CommitAnswer.Conflict<>(new Versioned<>(1, new CommitId(1), "a")));
    assertThat(commit(7, 3, Optional.of("x")))
        .isEqualTo(new CommitAnswer.Conflict<>(new Versioned<>(1, new CommitId(1), "a")));
  }

  @Test
  void answersGoneWhereARecordWasExpected() {
    assertThat(commit(3, 1, Optional.of("x"))).isEqualTo(new CommitAnswer.Gone<>());
    assertThat(read()).isEqualTo(new ReadAnswer.Absent<>());
  }

  @Test
  void removesARecord() {
    commit(0, 1, Optional.of("a"));
    assertThat(commit(1, 2, Optional.empty())).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(read()).isEqualTo(new ReadAnswer.Absent<>());
    assertThat(commit(1, 2, Optional.empty())).isEqualTo(new CommitAnswer.Gone<>());
  }
}
