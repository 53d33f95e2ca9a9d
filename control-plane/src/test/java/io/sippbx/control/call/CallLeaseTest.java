package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a call's lease of the cluster's limit")
class CallLeaseTest {

  private static final TimerId RENEWAL = TimerId.of(Kind.LEASE);
  private static final String BOB = Scene.offer("192.0.2.20", 50000);

  private final Scene scene = new Scene();

  private Call call() {
    return scene.call.orElseThrow();
  }

  private boolean endIsTold() {
    return scene.happenings.stream().anyMatch(CallHappening.Ended.class::isInstance);
  }

  @Test
  void isHeldByWhatTheFirstCommitSaysUntilTheEnd() {
    scene.beginLeased();
    assertThat(call().lease()).isEqualTo(Lease.HELD);
    assertThat(call().timers()).containsKey(RENEWAL);
    scene.mediaHolds();
    scene.callee(0, 486, "bob", "");
    assertThat(call().lease()).isEqualTo(Lease.ASKED);
    assertThat(scene.all(Effect.GiveLeaseBack.class)).hasSize(1);
    assertThat(call().timers()).doesNotContainKey(RENEWAL);
  }

  @Test
  void isGivenBackBeforeTheEndIsToldInEitherOrderWithTheMedia() {
    for (boolean mediaFirst : List.of(true, false)) {
      var scene = new Scene();
      scene.beginLeased().mediaHolds();
      scene.callee(0, 486, "bob", "");
      scene = mediaFirst ? scene.mediaReleased() : scene.apply(new Input.LeaseGivenBack());
      assertThat(scene.call.orElseThrow().isTombstone()).isFalse();
      scene = mediaFirst ? scene.apply(new Input.LeaseGivenBack()) : scene.mediaReleased();
      assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
      assertThat(scene.call.orElseThrow().lease()).isEqualTo(Lease.NONE);
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    }
  }

  @Test
  void isRenewedForLongOnceTheCallLasts() {
    scene.beginLeased().mediaHolds();
    scene.callee(0, 200, "bob", BOB);
    scene.mediaHolds();
    scene.callerAck("");
    assertThat(call().isQuiescent()).as("a lease opens nothing").isTrue();
    for (int i = 0; i < 2; i++) {
      scene.now = Objects.requireNonNull(call().timers().get(RENEWAL));
      scene.apply(new Input.TimerFired(RENEWAL));
      assertThat(scene.all(Effect.RenewLease.class))
          .containsExactly(new Effect.RenewLease(Lease.RENEWED));
      assertThat(call().timers().get(RENEWAL))
          .isEqualTo(scene.now.plus(Lease.RENEWED.dividedBy(2)));
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    }
    scene.apply(new Input.HangUp(io.sippbx.control.event.Termination.Reason.SHUTDOWN));
    assertThat(scene.all(Effect.GiveLeaseBack.class)).hasSize(1);
    assertThat(endIsTold()).isFalse();
  }

  @Test
  void isGivenBackByWhoTakesTheCallOver() {
    scene.beginLeased().mediaHolds();
    scene.callee(0, 486, "bob", "");
    scene.apply(new Input.TakenOver());
    assertThat(scene.all(Effect.GiveLeaseBack.class)).hasSize(1);
    scene.apply(new Input.LeaseGivenBack());
    scene.apply(new Input.LeaseGivenBack());
    scene.mediaReleased();
    assertThat(endIsTold()).isTrue();
    assertThat(scene.happenings.stream().filter(CallHappening.Ended.class::isInstance)).hasSize(1);
  }

  @Test
  void isNoneWhereThereIsNoLimit() {
    scene.begin().mediaHolds();
    assertThat(call().lease()).isEqualTo(Lease.NONE);
    assertThat(call().timers()).doesNotContainKey(RENEWAL);
    scene.callee(0, 486, "bob", "");
    assertThat(scene.all(Effect.GiveLeaseBack.class)).isEmpty();
    scene.mediaReleased();
    assertThat(call().isTombstone()).isTrue();
  }
}
