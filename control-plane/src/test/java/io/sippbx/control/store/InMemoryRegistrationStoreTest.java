package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class InMemoryRegistrationStoreTest extends RegistrationStoreContract {

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("a");
  private final InMemoryCallStore<String> calls =
      new InMemoryCallStore<>(new Loops(List.of(loop)), OUTBOX.events());
  private final InMemoryRegistrationStore store =
      new InMemoryRegistrationStore(100, loop, calls.registrationOutbox());

  @Override
  protected RegistrationStore store() {
    return store;
  }

  @Override
  protected PartitionStore partitions() {
    return calls;
  }

  @Override
  protected Instant now() {
    return loop.now();
  }

  @Override
  protected void pass(Duration duration) {
    time.advance(duration);
  }

  @Override
  protected <T> T ask(Consumer<Consumer<T>> question) {
    var answers = new ArrayList<T>();
    question.accept(
        answer -> {
          assertThat(loop.inLoop()).isTrue();
          answers.add(answer);
        });
    assertThat(answers).as("answers given inline").isEmpty();
    time.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private CommitAnswer<Registration> commit(RegistrationStore to, String user) {
    return this.<CommitAnswer<Registration>>ask(
        answer ->
            to.commit(
                new RegistrationCommit(
                    new Aor(user, "h"),
                    0,
                    new CommitId(1),
                    Registers.record("<sip:1@h>", now().plusSeconds(60))),
                answer));
  }

  @Test
  void refusesMoreRecordsThanItsLimitUntilSomeExpire() {
    var small = new InMemoryRegistrationStore(2, loop);
    assertThat(commit(small, "a")).isEqualTo(new CommitAnswer.Applied<>(1));
    assertThat(commit(small, "b")).isEqualTo(new CommitAnswer.Applied<>(1));
    assertThat(commit(small, "c")).isInstanceOf(CommitAnswer.Unknown.class);
    assertThat(small.refusals()).isEqualTo(1);
    // What is there may be changed.
    assertThat(commit(small, "a")).isEqualTo(new CommitAnswer.AlreadyApplied<>(1));
    pass(Registration.UNTOLD.plusSeconds(60));
    assertThat(commit(small, "c")).isEqualTo(new CommitAnswer.Applied<>(1));
  }

  @Test
  void answersThroughTheLoopOfTheAsker() {
    VirtualLoop other = time.loop("b");
    var answeredOn = new ArrayList<Boolean>();
    commit(store, "a");
    store
        .on(other)
        .read(
            new Aor("a", "h"),
            answer -> {
              assertThat(answer).isInstanceOf(ReadAnswer.Found.class);
              answeredOn.add(other.inLoop());
            });
    time.runReady();
    assertThat(answeredOn).containsExactly(true);
  }

  /** Real threads: of many that expect the same version exactly one wins, each time. */
  @Test
  void letsOneOfManyThreadsWin() throws InterruptedException {
    var aor = new Aor("a", "h");
    Registration record = Registers.record("<sip:1@h>", now().plusSeconds(600));
    int threads = 4;
    int rounds = 500;
    var applied = new AtomicInteger();
    var start = new CountDownLatch(1);
    var workers = new ArrayList<Thread>();
    for (int t = 0; t < threads; t++) {
      // A loop that answers where it is asked: the threads are the test's.
      var direct = new InlineLoop(now());
      long base = t * 1_000_000L;
      workers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      start.await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                      return;
                    }
                    var mine = store.on(direct);
                    for (int i = 0; i < rounds; i++) {
                      mine.commit(
                          new RegistrationCommit(aor, i, new CommitId(base + i), record),
                          answer -> {
                            if (answer instanceof CommitAnswer.Applied) {
                              applied.incrementAndGet();
                            }
                          });
                    }
                  }));
    }
    start.countDown();
    for (Thread worker : workers) {
      worker.join();
    }
    List<Versioned<Registration>> last = new ArrayList<>();
    store.read(
        aor,
        answer -> {
          if (answer instanceof ReadAnswer.Found<Registration>(var current)) {
            last.add(current);
          }
        });
    time.runReady();
    assertThat(last).hasSize(1);
    assertThat(last.getFirst().version()).isEqualTo(applied.get());
  }

  @Test
  void refusesSettingsAndArgumentsThatCannotWork() {
    assertThatThrownBy(() -> new InMemoryRegistrationStore(0, loop))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () ->
                new RegistrationCommit(new Aor("a", "h"), -1, new CommitId(1), Registration.EMPTY))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
