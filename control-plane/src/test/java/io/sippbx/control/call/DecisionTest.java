package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.event.CallHappening;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionTest {

  private static final Effect FIRST = new Effect.GiveLeaseBack();
  private static final Effect SECOND = new Effect.RenewLease(Duration.ofSeconds(1));

  private static Decision decision(Decision.Commit commit, Effect beside, Effect effect) {
    return new Decision(Optional.empty(), commit, List.of(beside), List.of(effect), List.of());
  }

  @ParameterizedTest
  @CsvSource({
    "NOW, NOW, NOW",
    "NOW, LATER, NOW",
    "NOW, NONE, NOW",
    "LATER, NOW, NOW",
    "LATER, NONE, LATER",
    "NONE, LATER, LATER",
    "NONE, NONE, NONE",
  })
  void isInTheStoreAsSoonAsEitherWasToBe(
      Decision.Commit first, Decision.Commit next, Decision.Commit both) {
    Decision together = decision(first, FIRST, FIRST).then(decision(next, SECOND, SECOND));
    assertThat(together.commit()).isEqualTo(both);
  }

  @Test
  void doesWhatBothSayInTheirOrder() {
    Decision together =
        decision(Decision.Commit.NOW, FIRST, SECOND)
            .then(decision(Decision.Commit.NOW, SECOND, FIRST));
    assertThat(together.beside()).containsExactly(FIRST, SECOND);
    assertThat(together.effects()).containsExactly(SECOND, FIRST);
  }

  @Test
  void whatHappenedBeforeIsToldFirst() {
    var ringing = new CallHappening.Ringing(180);
    var early = new CallHappening.EarlyMedia(183);
    var told =
        new Decision(
            Optional.empty(),
            Decision.Commit.LATER,
            List.of(FIRST),
            List.of(SECOND),
            List.of(early));
    Decision after = told.after(List.of(ringing));
    assertThat(after.happenings()).containsExactly(ringing, early);
    assertThat(after.commit()).isEqualTo(Decision.Commit.LATER);
    assertThat(after.beside()).containsExactly(FIRST);
    assertThat(after.effects()).containsExactly(SECOND);
    assertThat(told.after(List.of())).isEqualTo(told);
  }

  @Test
  void settlingWritesDownWhatIsKnownAndNoMore() {
    Call known = new Scene().up().call.orElseThrow();
    assertThat(known.timers()).containsKey(TimerId.of(TimerId.Kind.SETTLE));
    Decision settling = Decision.settling(known);
    assertThat(settling.call()).contains(known.withoutTimer(TimerId.of(TimerId.Kind.SETTLE)));
    assertThat(settling.commit()).isEqualTo(Decision.Commit.NOW);
    assertThat(settling.beside()).isEmpty();
    assertThat(settling.effects()).isEmpty();
    assertThat(settling.happenings()).isEmpty();
  }
}
