package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("where the record of a call is to be found")
class CallPlacesTest {

  private static final Member SELF = new Member(new NodeId("edge-1"), new Incarnation(1));
  private final Scene scene = new Scene();

  private CallIndex index() {
    return CallPlaces.index(scene.call.orElseThrow(), SELF);
  }

  @Test
  void aCallInSetUpIsInFlightAndOnItsMediaNodeFromTheFirstCommitOn() {
    scene.begin();
    assertThat(index().owner()).contains(SELF);
    assertThat(index().onMedia()).isEqualTo(List.of(Scene.MEDIA_NODE));
    scene.mediaHolds();
    scene.callee(0, 180, "bob", "");
    assertThat(index().owner()).contains(SELF);
  }

  @Test
  void aQuiescentCallHasNoOwnerAndItsTimersAreInTheStore() {
    scene.up();
    scene.fires(Kind.SETTLE, 0);
    assertThat(index().owner()).isEmpty();
    assertThat(index().onMedia()).isEqualTo(List.of(Scene.MEDIA_NODE));
    assertThat(index().timers().keySet())
        .containsExactlyElementsOf(
            scene.call.orElseThrow().timers().keySet().stream().map(TimerId::name).toList());
  }

  @Test
  void whatIsOpenWithinTheDialogPutsItInFlightAgain() {
    scene.up();
    scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    assertThat(index().owner()).contains(SELF);
  }

  @Test
  void aTombstoneIsNowhereAndEndsByItself() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    SipRequest bye = scene.last(Effect.Request.class).request();
    assertThat(index().owner()).contains(SELF);
    assertThat(CallPlaces.keep(scene.call.orElseThrow(), scene.now))
        .isEqualTo(CallCommit.LAST_RESORT);
    scene.response(Scene.answer(bye, 200, "", "", b -> b), List.of());
    scene.mediaReleased();
    assertThat(index()).isEqualTo(CallIndex.NONE);
    assertThat(CallPlaces.keep(scene.call.orElseThrow(), scene.now))
        .isBetween(Duration.ofSeconds(30), Duration.ofSeconds(60));
    assertThat(CallPlaces.keep(scene.call.orElseThrow(), scene.now.plusSeconds(600)))
        .isEqualTo(Duration.ofMillis(1));
  }

  @Test
  void theTombstoneOfARefusedCallHasAnOwnerWhoTakesItOut() {
    scene.begin().mediaHolds();
    scene.callee(0, 486, "bob", "");
    scene.mediaReleased();
    Call ended = scene.call.orElseThrow();
    assertThat(ended.isTombstone()).isTrue();
    assertThat(index().owner()).contains(SELF);
    assertThat(index().onMedia()).isEmpty();
    Duration timer = Duration.between(scene.now, ended.timers().get(TimerId.of(Kind.TOMBSTONE)));
    assertThat(CallPlaces.keep(ended, scene.now))
        .as("else it would be left in the list of what its owner has in flight")
        .isGreaterThan(timer.plusSeconds(30));
    assertThat(CallPlaces.keep(ended, scene.now.plusSeconds(600))).isPositive();
  }

  @ParameterizedTest
  @EnumSource
  void aTimersNameIsReadBack(Kind kind) {
    TimerId timer = new TimerId(kind, 12);
    assertThat(TimerId.named(timer.name())).isEqualTo(timer);
  }
}
