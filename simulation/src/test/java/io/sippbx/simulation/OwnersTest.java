package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("whose a call in flight is")
class OwnersTest {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);
  private static final Duration NOW = Duration.ofSeconds(20);

  private final Owners owners = new Owners();

  @Test
  void isWhoseTheRecordSays() {
    assertThat(owners.of(CALL)).isEmpty();
    owners.committed(CALL, "c1#1", Optional.of("c1#1"), NOW);
    assertThat(owners.of(CALL)).contains("c1#1");
    owners.committed(CALL, "c1#1", Optional.empty(), NOW);
    assertThat(owners.of(CALL)).isEmpty();
  }

  @Test
  void whoHasJustGivenItUpMayHearOfItLater() {
    owners.committed(CALL, "c1#1", Optional.empty(), NOW);
    owners.committed(CALL, "c2#1", Optional.of("c2#1"), NOW);
    assertThat(owners.hasJustGivenUp(CALL, "c1#1", NOW.plus(Owners.LATE))).isTrue();
    assertThat(owners.hasJustGivenUp(CALL, "c1#1", NOW.plus(Owners.LATE).plusNanos(1))).isFalse();
    assertThat(owners.hasJustGivenUp(CALL, "c3#1", NOW)).isFalse();
  }

  @Test
  void whoseCommitIsLostHasItUntilSomebodyCommits() {
    owners.committed(CALL, "c1#1", Optional.of("c1#1"), NOW);
    owners.committed(CALL, "c2#1", Optional.of("c2#1"), NOW);
    owners.failedOver(CALL, Optional.of("c1#1"));
    assertThat(owners.of(CALL)).contains("c1#1");
    assertThat(owners.hasLost(CALL, "c2#1")).isTrue();
    assertThat(owners.hasLost(CALL, "c3#1")).isFalse();
    owners.stands(CALL, Optional.of("c2#1"));
    assertThat(owners.of(CALL)).contains("c2#1");
    assertThat(owners.hasLost(CALL, "c2#1")).isFalse();
  }

  @Test
  void aFailOverThatLostNothingOfItChangesNothing() {
    owners.committed(CALL, "c1#1", Optional.of("c1#1"), NOW);
    owners.failedOver(CALL, Optional.of("c1#1"));
    assertThat(owners.of(CALL)).contains("c1#1");
    assertThat(owners.hasLost(CALL, "c1#1")).isFalse();
  }
}
