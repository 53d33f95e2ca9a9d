package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the dialogs of a call (RFC 3261 12 to 15)")
class CallDialogTest {

  private static final String BOB = Scene.offer("192.0.2.20", 50000);

  private final Scene scene = new Scene();

  private SipRequest sentLast() {
    return scene.last(Effect.Request.class).request();
  }

  private Reason reason() {
    return scene.call.orElseThrow().termination().orElseThrow().reason();
  }

  private Scene ringing() {
    scene.begin().mediaHolds();
    return scene.callee(0, 180, "bob", "");
  }

  private static NameAddr route(String uri) {
    return NameAddr.of(Uri.of(uri));
  }

  @Nested
  @DisplayName("12.2.1.1: route sets")
  class Routes {
    private SipRequest byeBy(String first, String second) {
      ringing();
      SipResponse ok =
          Scene.answer(
              scene.inviteOf(0),
              200,
              "bob",
              BOB,
              b ->
                  b.contact(NameAddr.of(SipUri.of("1008", Scene.callee(0))))
                      .recordRoute(route(second))
                      .recordRoute(route(first)));
      scene.response(ok, List.of()).callerAck("");
      SipRequest ack = scene.last(Effect.Ack.class).ack();
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      SipRequest bye = sentLast();
      assertThat(ack.uri()).isEqualTo(bye.uri());
      assertThat(ack.routes()).isEqualTo(bye.routes());
      return bye;
    }

    @Test
    void aLooseRouteIsInTheRequestReversed() {
      SipRequest bye = byeBy("sip:near.test;lr", "sip:far.test;lr");
      assertThat(bye.uri()).isEqualTo(SipUri.of("1008", Scene.callee(0)));
      assertThat(bye.routes()).containsExactly(route("sip:near.test;lr"), route("sip:far.test;lr"));
    }

    @Test
    void aStrictRouteIsTheRequestUriAndTheTargetIsTheLastRoute() {
      SipRequest bye = byeBy("sip:strict.test", "sip:far.test;lr");
      assertThat(bye.uri()).isEqualTo(Uri.of("sip:strict.test"));
      assertThat(bye.routes())
          .containsExactly(
              route("sip:far.test;lr"), NameAddr.of(SipUri.of("1008", Scene.callee(0))));
    }

    @Test
    void theCallersRouteSetIsAsReceived() {
      scene.invite =
          scene.invite.toBuilder()
              .recordRoute(route("sip:near.test;lr"))
              .recordRoute(route("sip:far.test;lr"))
              .build();
      ringing().callee(0, 200, "bob", BOB);
      assertThat(scene.last(Effect.RespondUntilAck.class).response().recordRoutes())
          .containsExactly(route("sip:near.test;lr"), route("sip:far.test;lr"));
      scene.callerAck("").request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(sentLast().routes())
          .containsExactly(route("sip:near.test;lr"), route("sip:far.test;lr"));
    }
  }

  @Nested
  @DisplayName("12.2: target refresh")
  class TargetRefresh {
    private final SipUri moved = SipUri.of("moved", Endpoint.of("192.0.2.77", 5070));
    private final Destination there =
        Destination.to(TransportProtocol.UDP, Endpoint.of("192.0.2.77", 5070));

    @Test
    void byTheContactOfAReinvite() {
      scene.up();
      SipRequest reinvite =
          scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)).toBuilder()
              .removeHeaders(HeaderName.CONTACT)
              .contact(NameAddr.of(moved))
              .build();
      scene.apply(
          new Input.RequestArrived(
              Scene.transaction(reinvite), reinvite, Scene.CALLER_FLOW, there));
      scene.response(Scene.answer(sentLast(), 488, "", "", b -> b), List.of());
      scene.request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(sentLast().uri()).isEqualTo(moved);
      assertThat(scene.last(Effect.Request.class).to()).isEqualTo(there);
    }

    @Test
    void byTheContactOfThe2xxToAReinvite() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      SipResponse ok = Scene.answer(sentLast(), 200, "", BOB, b -> b.contact(NameAddr.of(moved)));
      scene.apply(
          new Input.ResponseArrived(ok.topVia().branch().orElseThrow(), ok, there, List.of()));
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.last(Effect.Ack.class).ack().uri()).isEqualTo(moved);
      scene.request(scene.callerRequest(Method.BYE, 3, ""));
      assertThat(sentLast().uri()).isEqualTo(moved);
      assertThat(scene.last(Effect.Request.class).to()).isEqualTo(there);
    }
  }

  @Nested
  @DisplayName("requests that end at us")
  class Within {
    @Test
    void optionsTellWhatIsServedInTheDialog() {
      scene.up().request(scene.callerRequest(Method.OPTIONS, 2, ""));
      assertThat(scene.answered()).containsExactly("200 OPTIONS");
      assertThat(scene.sent()).isEmpty();
      SipResponse ok = scene.last(Effect.Respond.class).response();
      assertThat(ok.headers(HeaderName.ALLOW)).isNotEmpty();
      assertThat(ok.header(HeaderName.ACCEPT)).contains("application/sdp");
      scene.request(scene.calleeRequest(Method.OPTIONS, 1, ""));
      assertThat(scene.answered()).containsExactly("200 OPTIONS");
    }

    @ParameterizedTest
    @CsvSource({"UPDATE, 405", "DANCE, 501"})
    void whatIsNotServedIsRefusedWithAllow(String method, int status) {
      scene.up().request(scene.callerRequest(new Method(method), 2, ""));
      assertThat(scene.answered()).containsExactly(status + " " + method);
      assertThat(scene.last(Effect.Respond.class).response().headers(HeaderName.ALLOW))
          .isNotEmpty();
    }
  }

  @Nested
  @DisplayName("15: BYE in an early dialog")
  class EarlyBye {
    @Test
    void ofTheCallerCancelsTheCall() {
      ringing();
      SipResponse provisional = scene.last(Effect.Respond.class).response();
      SipRequest bye =
          SipRequest.builder(Method.BYE, provisional.contacts().getFirst().uri())
              .via(Via.of(TransportProtocol.UDP, Scene.CALLER, new Branch("z9hG4bK-early-bye")))
              .maxForwards(70)
              .from(provisional.from())
              .to(provisional.to())
              .callId(provisional.callId())
              .cSeq(new CSeq(2, Method.BYE))
              .build();
      scene.request(bye);
      assertThat(scene.answered()).containsExactly("200 BYE", "487 INVITE");
      assertThat(scene.sent()).containsExactly("CANCEL");
      assertThat(reason()).isEqualTo(Reason.CANCELLED);
    }

    @Test
    @DisplayName("\"The callee's UA MUST NOT send a BYE on early dialogs\"")
    void ofTheCalleeIsRefused() {
      ringing();
      SipRequest invite = scene.inviteOf(0);
      SipRequest bye =
          SipRequest.builder(Method.BYE, invite.contacts().getFirst().uri())
              .via(Via.of(TransportProtocol.UDP, Scene.callee(0), new Branch("z9hG4bK-early-bye")))
              .maxForwards(70)
              .from(invite.to().withTag(new Tag("bob")))
              .to(invite.from())
              .callId(invite.callId())
              .cSeq(new CSeq(1, Method.BYE))
              .build();
      scene.request(bye);
      assertThat(scene.answered()).containsExactly("481 BYE");
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
    }
  }

  @Nested
  @DisplayName("14: re-INVITEs of both sides")
  class Reinvites {
    private void agree(String caller, String callee, long cSeq) {
      scene.request(scene.callerRequest(Method.INVITE, cSeq, caller));
      scene.response(Scene.answer(sentLast(), 200, "", callee, b -> b), List.of());
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, cSeq, "")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sendonly", "inactive", "0.0.0.0"})
    void everyFormOfHoldStopsMediaAndResumesWithIt(String form) {
      scene.up();
      boolean byAddress = form.equals("0.0.0.0");
      String hold =
          byAddress
              ? Scene.sdp("0.0.0.0", 40000, "sendrecv", "0 8 101")
              : Scene.sdp("192.0.2.10", 40000, form, "0 8 101");
      scene.request(scene.callerRequest(Method.INVITE, 2, hold));
      String told = Scene.body(sentLast());
      assertThat(told).contains("c=IN IP4 198.51.100.2").doesNotContain("0.0.0.0");
      assertThat(told).contains(form.equals("inactive") ? "a=inactive" : "a=sendonly");
      scene.response(
          Scene.answer(
              sentLast(),
              200,
              "",
              Scene.sdp(
                  "192.0.2.20",
                  50000,
                  form.equals("inactive") ? "inactive" : "recvonly",
                  "0 8 101"),
              b -> b),
          List.of());
      var held = scene.last(Effect.ApplyMedia.class).spec().streams().getFirst();
      assertThat(held.a().wantsReceive()).isFalse();
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.happenings).contains(new CallHappening.Held(true));

      agree(Scene.offer("192.0.2.10", 40000), BOB, 3);
      var resumed = scene.call.orElseThrow().media().plan().streams().getFirst();
      assertThat(resumed.a().wantsReceive()).isTrue();
      assertThat(resumed.b().maySend()).isTrue();
      assertThat(scene.happenings).contains(new CallHappening.Resumed(true));
      assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
    }

    @Test
    void ofTheCalleeIsAnsweredAndAcknowledgedTheOtherWay() {
      scene.up().request(scene.calleeRequest(Method.INVITE, 1, Scene.offer("192.0.2.20", 50010)));
      assertThat(scene.last(Effect.Request.class).to().remote()).isEqualTo(Scene.CALLER);
      scene.response(
          Scene.answer(sentLast(), 200, "", Scene.offer("192.0.2.10", 40000), b -> b), List.of());
      assertThat(scene.answered()).containsExactly("200 INVITE");
      scene.apply(new Input.AckArrived(scene.calleeRequest(Method.ACK, 1, "")));
      assertThat(scene.last(Effect.Ack.class).to().remote()).isEqualTo(Scene.CALLER);
      assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
    }

    @Test
    @DisplayName("14.1: glare at the other side is told to who asked: it waits and asks again")
    void a491OfTheOtherSideIsPassedOnAndAnotherTryGoesThrough() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      scene.response(Scene.answer(sentLast(), 491, "", "", b -> b), List.of());
      assertThat(scene.answered()).containsExactly("491 INVITE");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
      scene.request(scene.callerRequest(Method.INVITE, 3, Scene.offer("192.0.2.10", 40010)));
      assertThat(scene.sent()).containsExactly("INVITE");
    }

    @Test
    void a2xxToItThatComesAgainGetsTheAckAgain() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      SipResponse ok = Scene.answer(sentLast(), 200, "", BOB, b -> b);
      scene.response(ok, List.of());
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      SipRequest ack = scene.last(Effect.Ack.class).ack();
      scene.response(ok, List.of());
      assertThat(scene.effects).hasSize(1);
      assertThat(scene.last(Effect.Ack.class).ack()).isEqualTo(ack);
    }

    @Test
    @DisplayName(
        "a copy waited on a node that could not read the record; its sender has its answer")
    void theCopyOfOneThatWasAcknowledgedIsForgotten() {
      scene.up();
      SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010));
      scene.request(reinvite);
      scene.response(Scene.answer(sentLast(), 200, "", BOB, b -> b), List.of());
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      scene.request(reinvite);
      assertThat(scene.effects)
          .containsExactly(new Effect.ForgetServer(Scene.transaction(reinvite)));
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
    }

    @Test
    @DisplayName("a copy waited on the node that then took the call over, with its transaction")
    void theCopyOfOneThatIsOpenWaitsForItsAnswer() {
      scene.up();
      SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010));
      scene.request(reinvite);
      SipRequest passedOn = sentLast();
      scene.apply(new Input.TakenOver()).request(reinvite);
      assertThat(scene.effects).isEmpty();
      scene.response(Scene.answer(passedOn, 200, "", BOB, b -> b), List.of());
      assertThat(scene.answered()).containsExactly("200 INVITE");
      scene.request(reinvite);
      assertThat(scene.effects).as("the answer is repeated by itself").isEmpty();
    }

    @Test
    void theCopyOfOneThatWasRefusedIsRefusedAgain() {
      scene.up();
      SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010));
      scene.request(reinvite);
      scene.response(Scene.answer(sentLast(), 488, "", "", b -> b), List.of());
      scene.request(reinvite);
      assertThat(scene.answered()).containsExactly("488 INVITE");
    }

    @Test
    @DisplayName("12.2.2: it was never heard, and its sender is to know")
    void oneThatALaterRequestHasOvertakenGets500() {
      scene.up();
      SipRequest late = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010));
      scene.request(scene.callerRequest(Method.OPTIONS, 3, "")).request(late);
      assertThat(scene.answered()).containsExactly("500 INVITE");
    }

    @Test
    void thatIsNotAcknowledgedEndsTheCall() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      scene.response(Scene.answer(sentLast(), 200, "", BOB, b -> b), List.of());
      scene.fires(Kind.REINVITE_ACK, 1);
      assertThat(scene.sent()).containsExactlyInAnyOrder("BYE", "ACK", "BYE");
      assertThat(reason()).isEqualTo(Reason.NO_ACK);
    }
  }

  @Nested
  @DisplayName("a tombstone answers late repeats")
  class Tombstone {
    private SipRequest again(String branch) {
      return scene.invite.toBuilder()
          .replaceTopVia(Via.of(TransportProtocol.UDP, Scene.CALLER, new Branch(branch)))
          .build();
    }

    @Test
    void anInviteThatWasRefusedIsRefusedAgain() {
      scene.begin().mediaHolds();
      scene.callee(0, 486, "bob", "").mediaReleased();
      SipResponse refusal = scene.call.orElseThrow().caller().lastResponse().orElseThrow();
      SipRequest late = again("z9hG4bK-caller-late");
      scene.apply(
          new Input.InviteArrived(
              Scene.transaction(late),
              late,
              Scene.CALLER_FLOW,
              Destination.over(Scene.CALLER_FLOW),
              List.of(List.of(Scene.target(0))),
              Optional.of(Scene.MEDIA_NODE)));
      assertThat(scene.answered()).containsExactly("486 INVITE");
      assertThat(scene.sent()).isEmpty();
      assertThat(scene.last(Effect.Respond.class).response().toTag()).isEqualTo(refusal.toTag());
    }

    @Test
    void a200ThatComesAgainGetsItsAckAgain() {
      scene.up().request(scene.callerRequest(Method.BYE, 2, "")).mediaReleased();
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.effects).hasSize(1);
    }

    @Test
    void aLateAckIsRelayedToNobodyTwice() {
      ringing().callee(0, 200, "bob", BOB).fires(Kind.ACK, 0);
      assertThat(scene.sent()).contains("ACK", "BYE");
      scene.mediaReleased().closesWhatIsOpen();
      scene.callerAck("");
      assertThat(scene.sent()).as("the callee has been acknowledged").containsExactly("ACK");
      assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"INVITE", "INFO", "OPTIONS"})
    void anythingNewInTheDialogGets481(String method) {
      scene.up().request(scene.callerRequest(Method.BYE, 2, "")).mediaReleased();
      scene.request(scene.callerRequest(new Method(method), 3, ""));
      assertThat(scene.answered()).containsExactly("481 " + method);
    }

    @Test
    @DisplayName("never two answers of different kind; who has hung up needs none")
    void theCopyOfAReinviteFromBeforeTheByeIsForgotten() {
      scene.up();
      SipRequest reinvite = scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010));
      scene.request(reinvite);
      scene.response(Scene.answer(sentLast(), 200, "", BOB, b -> b), List.of());
      scene.request(scene.callerRequest(Method.BYE, 3, ""));
      scene.closesWhatIsOpen().mediaReleased();
      scene.request(reinvite);
      assertThat(scene.effects)
          .containsExactly(new Effect.ForgetServer(Scene.transaction(reinvite)));
      assertThat(scene.call.orElseThrow().isTombstone()).isTrue();
    }

    @Test
    void aByeOfTheOtherSideThatCrossesOursGets200() {
      scene.up().request(scene.callerRequest(Method.BYE, 2, ""));
      SipRequest ours = sentLast();
      scene.mediaReleased();
      scene.request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(scene.answered()).containsExactly("200 BYE");
      scene.response(Scene.answer(ours, 481, "", "", b -> b), List.of());
      assertThat(scene.effects).isEmpty();
      assertThat(scene.happenings.stream().filter(CallHappening.Ended.class::isInstance))
          .hasSize(1);
    }
  }

  @Nested
  @DisplayName("16.7: what a callee's failure means to the caller")
  class Failures {
    @ParameterizedTest
    @CsvSource({
      "404, 404, FAILED",
      "480, 480, FAILED",
      "486, 486, BUSY",
      "487, 487, CANCELLED",
      "488, 488, FAILED",
      "500, 500, FAILED",
      "503, 480, FAILED",
      "401, 403, REJECTED",
      "407, 403, REJECTED",
      "408, 408, NO_ANSWER",
      "600, 600, BUSY",
      "603, 603, REJECTED",
    })
    void isToldAs(int said, int told, Result result) {
      scene.begin().mediaHolds();
      SipResponse failure =
          Scene.answer(
              scene.inviteOf(0),
              said,
              "bob",
              "",
              b -> b.header(HeaderName.RETRY_AFTER, "30").header(HeaderName.REASON, "Q.850"));
      scene.response(failure, List.of());
      assertThat(scene.answered()).containsExactly(told + " INVITE");
      SipResponse answer = scene.last(Effect.Respond.class).response();
      assertThat(answer.header(HeaderName.RETRY_AFTER)).contains("30");
      assertThat(answer.header(HeaderName.REASON)).contains("Q.850");
      assertThat(scene.call.orElseThrow().termination().orElseThrow().result()).isEqualTo(result);
    }

    @Test
    void aRedirectIsPassedOnWhenItIsNotToBeFollowed() {
      CallSettings s = Scene.SETTINGS;
      var scene =
          new Scene(
              new CallSettings(
                  s.node(),
                  s.incarnation(),
                  s.timers(),
                  s.noAnswer(),
                  s.maxDuration(),
                  false,
                  s.maxTargets(),
                  s.mediaTimeout(),
                  s.codecPriority(),
                  s.serverName()));
      scene.begin().mediaHolds();
      NameAddr elsewhere = NameAddr.of(Uri.of("sip:bob@elsewhere.test"));
      SipResponse moved =
          Scene.answer(scene.inviteOf(0), 302, "bob", "", b -> b.contact(elsewhere));
      scene.response(moved, List.of(Scene.target(5)));
      assertThat(scene.sent()).isEmpty();
      assertThat(scene.answered()).containsExactly("302 INVITE");
      assertThat(scene.last(Effect.Respond.class).response().contacts()).containsExactly(elsewhere);
    }
  }

  @Nested
  @DisplayName("a downstream proxy that forks")
  class Forks {
    @Test
    void eachEarlyDialogHasATagAndASessionOfItsOwn() {
      scene.begin().mediaHolds();
      scene.callee(0, 183, "one", BOB);
      SipResponse one = scene.last(Effect.Respond.class).response();
      scene.callee(0, 183, "two", Scene.offer("192.0.2.30", 51000));
      SipResponse two = scene.last(Effect.Respond.class).response();
      assertThat(two.toTag()).isNotEqualTo(one.toTag());
      assertThat(origin(two)).isNotEqualTo(origin(one));
      scene.callee(0, 200, "one", BOB);
      SipResponse ok = scene.last(Effect.RespondUntilAck.class).response();
      assertThat(ok.toTag()).isEqualTo(one.toTag());
      assertThat(origin(ok)).isEqualTo(origin(one));
      var stream = scene.last(Effect.ApplyMedia.class).spec().streams().getFirst();
      assertThat(stream.b().remoteRtp()).contains(Endpoint.of("192.0.2.20", 50000));
    }

    private static String origin(SipResponse response) {
      return Scene.body(response).lines().filter(l -> l.startsWith("o=")).findFirst().orElseThrow();
    }

    @Test
    void aLater2xxIsAcknowledgedAndEndedAlsoBeforeTheCallersAck() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "one", "").callee(0, 180, "two", "").callee(0, 200, "two", BOB);
      scene.callee(0, 200, "one", Scene.offer("192.0.2.30", 51000));
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      SipRequest bye = sentLast();
      assertThat(bye.toTag()).contains(new Tag("one"));
      scene.response(Scene.answer(bye, 200, "", "", b -> b), List.of());
      scene.callerAck("");
      assertThat(scene.last(Effect.Ack.class).ack().toTag()).contains(new Tag("two"));
      assertThat(scene.call.orElseThrow().byes()).isEmpty();
    }

    @Test
    @DisplayName("no callee can make us remember dialogs without end")
    void areBounded() {
      scene.begin().mediaHolds();
      for (int i = 0; i < 200; i++) {
        scene.callee(0, 180, "tag" + i, "");
      }
      assertThat(scene.answered()).as("the last was one too many").isEmpty();
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NONE);
      scene.callee(0, 200, "tag0", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
      for (int i = 200; i < 400; i++) {
        scene.callee(0, 200, "tag" + i, BOB);
      }
      assertThat(scene.effects).isEmpty();
      assertThat(scene.call.orElseThrow().callees().getFirst().forks().size()).isLessThan(50);
    }
  }

  @Nested
  @DisplayName("9.2: CANCEL while the media node is asked for the callee's offer")
  class PendingAnswer {
    @Test
    void acknowledgesAndEndsTheCalleeThatHasAnswered() {
      scene.invite = Scene.invite("");
      scene.begin().callee(0, 180, "bob", "").callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).isEmpty();
      scene.callerCancels();
      assertThat(scene.answered()).containsExactly("200 CANCEL", "487 INVITE");
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      assertThat(reason()).isEqualTo(Reason.CANCELLED);
    }

    @Test
    void soDoesAMediaNodeThatTakesNoSession() {
      scene.invite = Scene.invite("");
      scene.begin().callee(0, 200, "bob", BOB);
      long revision = scene.call.orElseThrow().media().revision();
      scene.apply(new Input.MediaApplied(revision, new MediaAnswer.Unreachable("gone")));
      assertThat(scene.answered()).as("another node is asked for").isEmpty();
      scene.apply(new Input.MediaPlaced(Scene.MEDIA_NODE, true, Optional.empty()));
      assertThat(scene.answered()).containsExactly("503 INVITE");
      assertThat(scene.all(Effect.Ack.class)).hasSize(1);
      assertThat(scene.sent()).contains("BYE");
    }
  }
}
