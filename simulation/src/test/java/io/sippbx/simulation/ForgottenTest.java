package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a call of which all commits are lost")
class ForgottenTest {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);

  private final Set<String> running = new TreeSet<>(Set.of("c1#1", "c2#1"));
  private final Forgotten forgotten = new Forgotten(running::contains);

  @BeforeEach
  void isLost() {
    forgotten.lost(CALL, "c1#1");
    forgotten.lost(CALL, "c2#1");
  }

  @Test
  void isForgottenWhenEachThatHadCommittedItIsNoMore() {
    running.remove("c1#1");
    assertThat(forgotten.isForgotten(CALL)).as("c2 can write it back").isFalse();
    running.remove("c2#1");
    running.add("c2#2");
    assertThat(forgotten.isForgotten(CALL)).isTrue();
    assertThat(forgotten.wasForgotten(CALL)).isTrue();
  }

  @Test
  void isNotForgottenWhenItWasWrittenBackInTime() {
    forgotten.stands(CALL);
    running.clear();
    assertThat(forgotten.isForgotten(CALL)).isFalse();
    assertThat(forgotten.wasForgotten(CALL)).isFalse();
  }

  @Test
  void wasForgottenWhenItIsBegunAnew() {
    running.clear();
    forgotten.stands(CALL);
    assertThat(forgotten.isForgotten(CALL)).isFalse();
    assertThat(forgotten.wasForgotten(CALL)).isTrue();
  }

  @Test
  void isSetBackWhereItGoesOnWithoutItsLatestCommit() {
    forgotten.lost(CALL, "c1#1", List.of());
    forgotten.lost(CALL, "c2#1", List.of());
    running.remove("c1#1");
    forgotten.stands(CALL);
    assertThat(forgotten.wasSetBack(CALL)).as("c2 has written it back, or was to").isFalse();
    forgotten.lost(CALL, "c2#1", List.of());
    running.remove("c2#1");
    assertThat(forgotten.wasSetBack(CALL)).isFalse();
    forgotten.stands(CALL);
    assertThat(forgotten.wasSetBack(CALL)).isTrue();
  }

  @Test
  void whatItHadToldIsForgottenWhereItGoesOnWithoutThat() {
    forgotten.lost(CALL, "c1#1", List.of("a", "b"));
    forgotten.lost(CALL, "c2#1", List.of("c"));
    running.remove("c1#1");
    assertThat(forgotten.isForgotten("a")).as("nothing was told in its place").isFalse();
    forgotten.stands(CALL);
    assertThat(forgotten.isForgotten("a")).isTrue();
    assertThat(forgotten.isForgotten("b")).isTrue();
    running.clear();
    assertThat(forgotten.isForgotten("c")).as("c2 was to write it back").isFalse();
  }
}
