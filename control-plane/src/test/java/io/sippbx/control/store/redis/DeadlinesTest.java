package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeadlinesTest {

  private static final Duration TIMEOUT = Duration.ofMillis(500);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("loop");
  private final Deadlines deadlines = new Deadlines(loop, TIMEOUT);
  private final List<String> timedOut = new ArrayList<>();

  private final class Question implements Deadlines.Bounded {
    private final String name;
    private boolean answered;

    Question(String name) {
      this.name = name;
    }

    @Override
    public boolean isOver() {
      return answered;
    }

    @Override
    public void timedOut() {
      if (!answered) {
        answered = true;
        timedOut.add(name + " at " + time.elapsed().toMillis());
      }
    }
  }

  private Question ask(String name) {
    var question = new Question(name);
    loop.execute(() -> deadlines.add(question));
    time.runReady();
    return question;
  }

  @Test
  void tellsEachAtItsOwnTime() {
    ask("a");
    time.advance(Duration.ofMillis(200));
    ask("b");
    time.advance(Duration.ofMillis(100));
    ask("c");
    time.advance(Duration.ofSeconds(2));
    assertThat(timedOut).containsExactly("a at 500", "b at 700", "c at 800");
  }

  @Test
  void tellsNobodyWhoHasAnAnswer() {
    Question first = ask("a");
    ask("b");
    first.answered = true;
    Question last = ask("c");
    last.answered = true;
    time.advance(Duration.ofSeconds(2));
    assertThat(timedOut).containsExactly("b at 500");
    assertThat(deadlines.size()).isZero();
  }

  @Test
  void hasOneTimerForAllAndNoneForNobody() {
    for (int i = 0; i < 100; i++) {
      ask("q" + i).answered = true;
      assertThat(deadlines.size()).isEqualTo(1);
    }
    assertThat(time.pending()).isEqualTo(1);
    time.advance(TIMEOUT);
    assertThat(time.pending()).isZero();
    ask("again");
    time.advance(TIMEOUT);
    assertThat(timedOut).containsExactly("again at 1000");
  }

  @Test
  void takesQuestionsFromOtherThreads() {
    deadlines.add(new Question("a"));
    time.advance(TIMEOUT);
    assertThat(timedOut).containsExactly("a at 500");
  }

  @Test
  void tellsTheNextThoughOneThrows() {
    loop.execute(
        () -> {
          deadlines.add(
              new Deadlines.Bounded() {
                @Override
                public boolean isOver() {
                  return false;
                }

                @Override
                public void timedOut() {
                  throw new IllegalStateException("broken");
                }
              });
          deadlines.add(new Question("b"));
        });
    assertThatThrownBy(() -> time.advance(TIMEOUT)).hasMessage("broken");
    time.advance(TIMEOUT);
    assertThat(timedOut).containsExactly("b at 500");
  }
}
