package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("each node has an address of its own, and answers go to that of one that is gone")
class CallRestartedTest {

  private static final String BOB = Scene.offer("192.0.2.20", 50000);
  private static final Endpoint OTHER = Endpoint.of("198.51.100.9", 5060);

  private Scene scene = new Scene();

  /** A node with another address goes on. */
  private void takenOver() {
    scene = scene.at(OTHER);
    scene.apply(new Input.TakenOver());
    assertThat(scene.all(Effect.ResumeClient.class))
        .as("what is sent as it was is answered elsewhere")
        .isEmpty();
  }

  private SipRequest sent(Method method) {
    List<SipRequest> sent =
        scene.all(Effect.Request.class).stream()
            .map(Effect.Request::request)
            .filter(request -> request.method().equals(method))
            .toList();
    assertThat(sent).hasSize(1);
    return sent.getFirst();
  }

  private static void isFromHere(SipRequest request) {
    assertThat(request.topVia().sentBy()).isEqualTo(OTHER.toString());
  }

  @Test
  void anInviteOfWhichNothingWasHeardIsCancelledAndBeginsAnew() {
    scene.begin().mediaHolds();
    SipRequest first = scene.inviteOf(0);
    takenOver();

    SipRequest cancel = sent(Method.CANCEL);
    assertThat(cancel.topVia()).as("of the first").isEqualTo(first.topVia());
    assertThat(scene.last(Effect.AwaitFinal.class).invite()).isEqualTo(first);
    SipRequest again = sent(Method.INVITE);
    isFromHere(again);
    assertThat(again.topVia().branch()).isNotEqualTo(first.topVia().branch());
    assertThat(again.callId())
        .as("to the phone it is neither a repeat nor a merged request")
        .isNotEqualTo(first.callId());
    assertThat(again.uri()).isEqualTo(first.uri());
    assertThat(again.contacts().getFirst().uri().toString()).contains("198.51.100.9");
    assertThat(new String(again.body(), StandardCharsets.US_ASCII))
        .contains("c=IN IP4 198.51.100.2", "m=audio 10002 ");

    // The first is over at once, or never heard of.
    scene.callee(0, 487, "bob-1", "");
    scene.callee(1, 180, "bob-2", "").callee(1, 200, "bob-2", BOB);
    scene.mediaHoldsIfAsked();
    scene.callerAck("");
    assertThat(scene.call.orElseThrow().isUp()).isTrue();
    assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
  }

  @Test
  void soDoesOneThatRings() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob-1", "");
    takenOver();
    assertThat(sent(Method.CANCEL).callId()).isEqualTo(scene.inviteOf(0).callId());
    isFromHere(sent(Method.INVITE));
    scene.callee(1, 200, "bob-2", BOB);
    scene.mediaHoldsIfAsked();
    assertThat(scene.call.orElseThrow().caller().lastResponse().map(SipResponse::status))
        .contains(200);
    assertThat(scene.sent()).as("the first is cancelled already").doesNotContain("CANCEL");
    // Nobody ever hears how that ends.
    scene.callerAck("");
    scene.fires(Kind.CANCEL, 0);
    assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
  }

  @Test
  void oneThatNobodyWantsAnyMoreIsOnlyCancelled() {
    scene.begin().mediaHolds();
    scene.callerCancels();
    assertThat(scene.sent()).as("nothing was heard of it").isEmpty();
    scene.mediaReleased();
    takenOver();
    assertThat(scene.sent()).containsExactly("CANCEL");
    scene.callee(0, 487, "bob", "");
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  void noMoreAreBegunAnewThanIsBounded() {
    scene.begin().mediaHolds();
    Endpoint next = OTHER;
    int begun = 0;
    for (int i = 0; i < 50 && scene.call.orElseThrow().termination().isEmpty(); i++) {
      next = Endpoint.of("198.51.100." + (100 + i), 5060);
      scene = scene.at(next);
      scene.apply(new Input.TakenOver());
      begun += scene.sent().contains("INVITE") ? 1 : 0;
    }
    assertThat(begun).isEqualTo(2 * Scene.SETTINGS.maxTargets() - 1);
    assertThat(scene.call.orElseThrow().termination()).isPresent();
    assertThat(scene.answered()).containsExactly("480 INVITE");
  }

  @Test
  void aByeIsSentFromHereWithTheNextNumber() {
    scene.up();
    scene.request(scene.callerRequest(Method.BYE, 2, ""));
    SipRequest first = scene.last(Effect.Request.class).request();
    scene.mediaReleased();
    takenOver();
    SipRequest again = sent(Method.BYE);
    isFromHere(again);
    assertThat(again.cSeq().number()).isEqualTo(first.cSeq().number() + 1);
    assertThat(again.callId()).isEqualTo(first.callId());
    assertThat(again.toTag()).isEqualTo(first.toTag());
    // The phone has heard the first, and so has no such dialog.
    scene.response(Scene.answer(again, 481, "", "", b -> b), List.of());
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  void soIsTheByeOfACalleeThatNobodyWanted() {
    scene.begin().mediaHolds();
    scene.callee(0, 180, "bob", "");
    scene.callerCancels();
    scene.callee(0, 200, "bob", BOB);
    SipRequest first = scene.last(Effect.Request.class).request();
    assertThat(first.method()).isEqualTo(Method.BYE);
    scene.mediaReleased();
    takenOver();
    SipRequest again = sent(Method.BYE);
    isFromHere(again);
    assertThat(again.cSeq().number()).isEqualTo(first.cSeq().number() + 1);
    scene.response(Scene.answer(again, 200, "", "", b -> b), List.of());
    assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
  }

  @Test
  void whatWasPassedOnWithinTheDialogIsNotDoneTwice() {
    scene.up();
    scene.request(scene.callerRequest(Method.INFO, 2, ""));
    takenOver();
    assertThat(scene.sent()).isEmpty();
    assertThat(scene.answered()).containsExactly("500 INFO");
    assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
  }

  @Test
  void aReinviteIsPassedOnFromHereAndMovesTheDialogHere() {
    scene.up();
    scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    SipRequest first = scene.last(Effect.Request.class).request();
    takenOver();
    SipRequest again = sent(Method.INVITE);
    isFromHere(again);
    assertThat(again.cSeq().number()).isEqualTo(first.cSeq().number() + 1);
    assertThat(again.body()).isEqualTo(first.body());
    assertThat(again.contacts().getFirst().uri().toString()).contains("198.51.100.9");
    scene.response(Scene.answer(again, 200, "", BOB, b -> b), List.of());
    assertThat(scene.answered()).contains("200 INVITE");
    scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
    assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
    assertThat(scene.call.orElseThrow().legs().orElseThrow().callee().dialog().contact())
        .isEqualTo(again.contacts().getFirst());
  }

  @Test
  void whoWasAskedByUsToMoveIsAskedFromHere() {
    scene.up().fires(Kind.SETTLE, 0);
    scene.apply(new Input.MediaHappened(new MediaEvent.NodeLost(scene.key(), Scene.MEDIA_NODE)));
    scene.apply(new Input.MediaPlaced(Scene.MEDIA_NODE, true, Optional.of(new NodeId("media-2"))));
    scene.mediaIp = "198.51.100.3";
    scene.mediaHolds();
    List<SipRequest> first =
        scene.all(Effect.Request.class).stream().map(Effect.Request::request).toList();
    assertThat(first).hasSize(2);
    takenOver();
    assertThat(scene.sent()).as("a moment later").isEmpty();
    for (int side = 0; side < 2; side++) {
      scene.fires(Kind.RENEWAL, side);
      SipRequest again = sent(Method.INVITE);
      isFromHere(again);
      assertThat(again.cSeq().number()).isEqualTo(first.get(side).cSeq().number() + 1);
      scene.response(
          Scene.answer(again, 200, "", side == 0 ? Scene.offer("192.0.2.10", 40000) : BOB, b -> b),
          List.of());
    }
    assertThat(scene.call.orElseThrow().renewals()).isEmpty();
  }

  @Test
  void theCallerIsToldWhereItsCallIsNow() {
    scene.callerFlow =
        Scene.CALLER_FLOW.heldBy(
            Optional.of(new Member(Scene.SETTINGS.node(), Scene.SETTINGS.incarnation())));
    scene.begin().mediaHolds();
    takenOver();
    scene.callee(1, 200, "bob", BOB);
    scene.mediaHoldsIfAsked();
    NameAddr contact =
        scene.call.orElseThrow().caller().lastResponse().orElseThrow().contacts().getFirst();
    assertThat(((SipUri) contact.uri()).host()).isEqualTo("198.51.100.9");
  }
}
