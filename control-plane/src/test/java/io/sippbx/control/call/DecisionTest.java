package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

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
}
