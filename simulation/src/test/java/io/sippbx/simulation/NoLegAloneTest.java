package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("no leg is up alone")
class NoLegAloneTest {

  private static Looks after(CallKind kind, boolean setBack) {
    var looks = new Looks(kind);
    looks.setBack = setBack;
    var invariant = new NoLegAlone(looks);
    invariant.up(0, false);
    invariant.up(0, true);
    invariant.over(0, true);
    looks.look();
    invariant.atRest();
    return looks;
  }

  @Test
  void aCalleeThatIsNotToldIsUpAlone() {
    assertThat(after(CallKind.FAIL_OVER, false).violations).as("then, and at rest").hasSize(2);
    assertThat(after(CallKind.CALLER_HANGS_UP, true).violations).hasSize(2);
  }

  @Test
  @DisplayName(
      "seed 74000924: the store lost at which address it answered, and its node died before it wrote"
          + " that back")
  void nobodyKnowsWhereACalleeIsWhoseCallWasSetBack() {
    assertThat(after(CallKind.FAIL_OVER, true).violations).isEmpty();
  }
}
