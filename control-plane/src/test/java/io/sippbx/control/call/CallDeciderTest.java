package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.TimerId.Kind;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("what an input does to a call (law 2)")
class CallDeciderTest {

  private static final String BOB = Scene.offer("192.0.2.20", 50000);

  private final Scene scene = new Scene();

  private Termination termination() {
    return scene.call.orElseThrow().termination().orElseThrow();
  }

  /** Everything that a call may have open is closed: what is left is the tombstone. */
  private void comesToRest() {
    if (scene.call.orElseThrow().media().released() == MediaPart.Released.ASKED) {
      scene.mediaReleased();
    }
    scene.closesWhatIsOpen();
    Call call = scene.call.orElseThrow();
    assertThat(call.isTombstone()).isTrue();
    assertThat(scene.happenings.stream().filter(CallHappening.Ended.class::isInstance)).hasSize(1);
    scene.fires(Kind.TOMBSTONE, 0);
    assertThat(scene.call).isEmpty();
  }

  @Nested
  @DisplayName("set-up")
  class SetUp {
    @Test
    void answers100AndOpensMediaFirst() {
      scene.begin();
      assertThat(scene.answered()).containsExactly("100 INVITE");
      assertThat(scene.last(Effect.ApplyMedia.class).spec().confirmed()).isFalse();
      assertThat(scene.last(Effect.ApplyMedia.class).soon()).isFalse();
      assertThat(scene.sent()).isEmpty();
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
    }

    @Test
    void invitesTheCalleeOnceTheMediaNodeHasPorts() {
      scene.begin().mediaHolds();
      SipRequest invite = scene.last(Effect.Request.class).request();
      assertThat(invite.uri()).isEqualTo(SipUri.of("1008", Scene.callee(0)));
      assertThat(invite.maxForwards()).hasValue(69);
      assertThat(Scene.body(invite)).contains("c=IN IP4 198.51.100.2", "m=audio 10002 RTP/AVP");
    }

    @Test
    @DisplayName(
        "where each answer is lost nobody is to be cancelled (RFC 3261 9.1), and none rings on")
    void anInviteExpiresAfterItWouldHaveBeenCancelled() {
      scene.begin().mediaHolds();
      assertThat(scene.last(Effect.Request.class).request().expires())
          .hasValue(Scene.SETTINGS.noAnswer().plusSeconds(32).toSeconds());
    }

    @Test
    @DisplayName("the first commit stands: the node may not drop the session while a callee rings")
    void confirmsTheSessionWithTheFirstInvite() {
      scene.begin().mediaHolds();
      SessionSpec spec = scene.last(Effect.ApplyMedia.class).spec();
      assertThat(spec.revision()).isEqualTo(2);
      assertThat(spec.confirmed()).isTrue();
      assertThat(spec.mediaTimeout()).as("nobody need send before the answer").isZero();
      assertThat(scene.last(Effect.ApplyMedia.class).soon()).as("it is held anyway").isTrue();
      scene.mediaHolds(spec).callee(0, 180, "bob", "");
      assertThat(scene.all(Effect.ApplyMedia.class)).isEmpty();
      scene.now = scene.now.plusSeconds(170);
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
      assertThat(scene.last(Effect.ApplyMedia.class).spec().mediaTimeout())
          .isEqualTo(Scene.SETTINGS.mediaTimeout());
      assertThat(scene.last(Effect.ApplyMedia.class).soon()).isFalse();
    }

    @Test
    void tellsASilentMediaNodeAgainWhileTheCalleeRings() {
      scene.begin().mediaHolds();
      SessionSpec spec = scene.last(Effect.ApplyMedia.class).spec();
      scene.apply(new Input.MediaApplied(2, new MediaAnswer.Unreachable("reset")));
      assertThat(scene.answered()).isEmpty();
      scene.callee(0, 180, "bob", "").fires(Kind.MEDIA, 0);
      assertThat(scene.last(Effect.ApplyMedia.class).spec()).isEqualTo(spec);
    }

    @Test
    void opensTheSessionElsewhereThatTheNodeHasEnded() {
      scene.begin().mediaHolds();
      scene.apply(
          new Input.MediaApplied(
              2, new MediaAnswer.Refused(MediaAnswer.Refusal.RELEASED, "gone", 1)));
      assertThat(scene.last(Effect.PlaceMedia.class).except()).containsExactly(Scene.MEDIA_NODE);
    }

    @Test
    void tellsTheCalleeNothingOfTheCallersAddresses() {
      scene.begin().mediaHolds();
      String sent = scene.last(Effect.Request.class).request().toString();
      assertThat(sent).doesNotContain("192.0.2.10", "call-1@", "alice-tag", "z9hG4bK-caller");
      assertThat(sent).contains("Alice").contains("1004");
    }

    @Test
    void relaysRingingAndAnswer() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "");
      assertThat(scene.answered()).containsExactly("180 INVITE");
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
      SipResponse ok = scene.last(Effect.RespondUntilAck.class).response();
      assertThat(ok.toTag().flatMap(CallTag::of)).isPresent();
      assertThat(Scene.body(ok)).contains("m=audio 10000 RTP/AVP").doesNotContain("192.0.2.20");
      assertThat(scene.last(Effect.ApplyMedia.class).spec().confirmed()).isTrue();
      scene.callerAck("");
      assertThat(scene.sent()).containsExactly("ACK");
    }

    @Test
    void usesAtMostFiveCommitsForACall() {
      int commits = 0;
      scene.begin();
      commits += committed();
      scene.mediaHolds();
      commits += committed();
      scene.mediaHolds();
      commits += committed();
      scene.callee(0, 180, "bob", "");
      commits += committed();
      scene.callee(0, 200, "bob", BOB);
      commits += committed();
      scene.mediaHolds();
      commits += committed();
      scene.callerAck("");
      commits += committed();
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      commits += committed();
      SipRequest bye = scene.last(Effect.Request.class).request();
      scene.mediaReleased();
      commits += committed();
      scene.response(Scene.answer(bye, 200, "", "", b -> b), List.of());
      commits += committed();
      assertThat(commits).isEqualTo(5);
    }

    @Test
    void writesDownWhatWasAcknowledgedOnceTheCallIsQuiet() {
      scene.up();
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.LATER);
      assertThat(scene.call.orElseThrow().isQuiescent()).isTrue();
      scene.fires(Kind.SETTLE, 0);
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      assertThat(scene.effects).isEmpty();
      assertThat(scene.call.orElseThrow().timers().keySet())
          .noneMatch(timer -> timer.kind() == Kind.SETTLE || timer.kind() == Kind.ACK);
    }

    @Test
    void anotherCommitWritesItDownToo() {
      scene.up();
      scene.request(scene.callerRequest(Method.BYE, 2, ""));
      assertThat(scene.call.orElseThrow().timers().keySet())
          .noneMatch(timer -> timer.kind() == Kind.SETTLE);
    }

    @Test
    void ringingOfTheOnlyCalleeIsWrittenDownSoon() {
      scene.begin().mediaHolds().callee(0, 180, "bob", "");
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.LATER);
      assertThat(scene.happenings).endsWith(new CallHappening.Ringing(180));
      assertThat(scene.call.orElseThrow().timers()).containsKey(TimerId.of(Kind.SETTLE));
    }

    @ParameterizedTest(name = "leg {0}, dialog {1}, description {2}")
    @CsvSource({"1, carol, ''", "0, another, ''", "0, bob, v=0"})
    @DisplayName("the caller hears a tag of another number, or the media node is told of it")
    void otherRingingIsWrittenDownBeforeItIsPassedOn(int leg, String tag, String description) {
      scene.begin(List.of(List.of(Scene.target(0), Scene.target(1)))).mediaHolds();
      scene.callee(0, 180, "bob", "");
      scene.callee(leg, 183, tag, description.isEmpty() ? "" : BOB);
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      assertThat(scene.answered()).containsExactly("183 INVITE");
    }

    private int committed() {
      return scene.lastCommit == Decision.Commit.NOW ? 1 : 0;
    }

    @Test
    @DisplayName("13.3.1.1: a provisional response other than 100 each minute")
    void tellsTheCallerEachMinuteThatItStillRings() {
      scene.begin().mediaHolds();
      scene.now = scene.now.plusSeconds(20);
      scene.callee(0, 180, "bob", "");
      SipResponse ringing = scene.last(Effect.Respond.class).response();
      for (int minute = 1; minute <= 2; minute++) {
        Instant before = scene.now;
        scene.fires(Kind.PROGRESS, 0);
        assertThat(Duration.between(before, scene.now)).isEqualTo(Duration.ofMinutes(1));
        assertThat(scene.effects)
            .containsExactly(new Effect.Respond(Scene.transaction(scene.invite), ringing));
        assertThat(scene.lastCommit).as("repeats commit nothing").isEqualTo(Decision.Commit.LATER);
      }
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.call.orElseThrow().timers()).doesNotContainKey(TimerId.of(Kind.PROGRESS));
    }

    @Test
    void says183EachMinuteWhileNothingWasHeardOfTheCallee() {
      scene.begin().mediaHolds();
      scene.callee(0, 100, "", "").fires(Kind.PROGRESS, 0);
      assertThat(scene.answered()).containsExactly("183 INVITE");
      SipResponse progress = scene.last(Effect.Respond.class).response();
      assertThat(progress.hasBody()).isFalse();
      assertThat(progress.contacts()).hasSize(1);
      scene.callee(0, 486, "bob", "");
      assertThat(scene.last(Effect.Respond.class).response().toTag()).isEqualTo(progress.toTag());
      comesToRest();
    }

    @Test
    void saysNothingMoreOnceTheSetUpIsOver() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").callerCancels();
      assertThat(scene.call.orElseThrow().timers()).doesNotContainKey(TimerId.of(Kind.PROGRESS));
    }

    @Test
    void answers404WhenNobodyIsThere() {
      scene.begin(List.of());
      assertThat(scene.answered()).containsExactly("404 INVITE");
      assertThat(termination()).isEqualTo(new Termination(Result.FAILED, Reason.NOT_FOUND, 404));
      comesToRest();
    }

    @Test
    void answers488WithWarningToMalformedSdp() {
      scene.invite = Scene.invite("v=0\r\nthis is no session description\r\n");
      scene.begin();
      assertThat(scene.answered()).containsExactly("488 INVITE");
      assertThat(scene.last(Effect.Respond.class).response().header(HeaderName.WARNING))
          .isPresent();
      comesToRest();
    }

    @Test
    void answers503WhenNoMediaNodeTakesTheSession() {
      scene.begin();
      scene.apply(
          new Input.MediaApplied(
              1, new MediaAnswer.Refused(MediaAnswer.Refusal.PORTS_EXHAUSTED, "none free", 0)));
      assertThat(scene.answered()).isEmpty();
      scene.apply(new Input.MediaPlaced(Scene.MEDIA_NODE, true, Optional.empty()));
      assertThat(scene.answered()).containsExactly("503 INVITE");
      assertThat(scene.last(Effect.Respond.class).response().header(HeaderName.RETRY_AFTER))
          .isPresent();
      assertThat(termination().reason()).isEqualTo(Reason.NO_MEDIA);
    }

    @Test
    void answers503ToAnInviteWithoutOfferWhereNoMediaNodeTakesCalls() {
      scene.invite = Scene.invite("");
      scene.mediaNode = Optional.empty();
      scene.begin();
      assertThat(scene.answered()).containsExactly("503 INVITE");
      assertThat(scene.sent()).isEmpty();
      assertThat(termination().reason()).isEqualTo(Reason.NO_MEDIA);
    }

    @Test
    void relaysBusy() {
      scene.begin().mediaHolds();
      scene.callee(0, 486, "bob", "");
      assertThat(scene.answered()).containsExactly("486 INVITE");
      assertThat(termination().result()).isEqualTo(Result.BUSY);
      comesToRest();
    }

    @Test
    void takesAChallengeOfTheCalleeUponItself() {
      scene.begin().mediaHolds();
      scene.callee(0, 407, "bob", "");
      assertThat(scene.answered()).containsExactly("403 INVITE");
    }

    @Test
    void answers408WhenNobodyAnswers() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").fires(Kind.NO_ANSWER, 0);
      assertThat(scene.answered()).containsExactly("408 INVITE");
      assertThat(scene.sent()).containsExactly("CANCEL");
      assertThat(termination().result()).isEqualTo(Result.NO_ANSWER);
    }

    @Test
    void relaysEarlyMedia() {
      scene.begin().mediaHolds();
      scene.callee(0, 183, "bob", BOB);
      assertThat(scene.answered()).containsExactly("183 INVITE");
      assertThat(Scene.body(scene.last(Effect.Respond.class).response())).contains("m=audio 10000");
      SessionSpec spec = scene.last(Effect.ApplyMedia.class).spec();
      assertThat(spec.confirmed()).isTrue();
      assertThat(spec.mediaTimeout()).isZero();
    }

    @Test
    void followsARedirectOnce() {
      scene.begin().mediaHolds();
      scene.response(scene.calleeResponse(0, 302, "bob", ""), List.of(Scene.target(5)));
      assertThat(scene.sent()).containsExactly("INVITE");
      assertThat(scene.last(Effect.Request.class).to().remote()).isEqualTo(Scene.callee(5));
      scene.response(scene.calleeResponse(1, 302, "bob", ""), List.of(Scene.target(6)));
      assertThat(scene.answered()).containsExactly("302 INVITE");
    }

    @Test
    void carriesADelayedOffer() {
      scene.invite = Scene.invite("");
      scene.begin();
      assertThat(scene.sent()).containsExactly("INVITE");
      assertThat(scene.last(Effect.Request.class).request().hasBody()).isFalse();
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).isEmpty();
      scene.mediaHolds();
      assertThat(scene.answered()).containsExactly("200 INVITE");
      assertThat(Scene.body(scene.last(Effect.RespondUntilAck.class).response()))
          .contains("m=audio 10000");
      scene.callerAck(Scene.offer("192.0.2.10", 40000));
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(Scene.body(scene.last(Effect.Ack.class).ack()))
          .contains("m=audio 10002")
          .doesNotContain("192.0.2.10");
    }
  }

  @Nested
  @DisplayName("several callees")
  class Forking {
    @Test
    void ringsAllAndCancelsTheLosers() {
      scene.begin(List.of(List.of(Scene.target(0), Scene.target(1)))).mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE", "INVITE");
      scene.callee(0, 180, "bob", "").callee(1, 180, "bobby", "");
      scene.callee(1, 200, "bobby", BOB);
      assertThat(scene.sent()).containsExactly("CANCEL");
      assertThat(scene.answered()).containsExactly("200 INVITE");
    }

    @Test
    void acknowledgesAndEndsALateWinner() {
      scene.begin(List.of(List.of(Scene.target(0), Scene.target(1)))).mediaHolds();
      scene.callee(0, 180, "bob", "").callee(1, 180, "bobby", "");
      scene.callee(1, 200, "bobby", BOB).callee(0, 200, "bob", BOB);
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.sent()).containsExactly("ACK");
    }

    @Test
    void triesTheNextGroupWhenTheFirstFails() {
      scene.begin(List.of(List.of(Scene.target(0)), List.of(Scene.target(1)))).mediaHolds();
      scene.callee(0, 480, "bob", "");
      assertThat(scene.sent()).containsExactly("INVITE");
      scene.callee(1, 486, "bobby", "");
      assertThat(scene.answered()).containsExactly("480 INVITE");
    }

    @Test
    @DisplayName("shares out how many branches there may be (RFC 5393 5.3)")
    void sharesOutTheBreadth() {
      scene.invite = withBreadth("5");
      scene.begin(List.of(List.of(Scene.target(0), Scene.target(1)))).mediaHolds();
      assertThat(breadths()).containsExactly("3", "2");
      scene.response(scene.calleeResponse(0, 302, "bob", ""), redirect());
      assertThat(breadths()).containsExactly("2", "1");
    }

    @Test
    void asksNoMoreAtOnceThanTheBreadthAllows() {
      scene.invite = withBreadth("1");
      scene.begin(List.of(List.of(Scene.target(0), Scene.target(1)))).mediaHolds();
      assertThat(breadths()).containsExactly("1");
    }

    @ParameterizedTest
    @CsvSource({"'', 60", "61, 60", "many, 60", "99999999999, 60", "60, 60", "7, 7"})
    void readsTheBreadth(String said, int most) {
      assertThat(Breadth.of(withBreadth(said)).most()).isEqualTo(most);
    }

    private static SipRequest withBreadth(String value) {
      SipRequest invite = Scene.invite(Scene.offer("192.0.2.10", 40000));
      return value.isEmpty()
          ? invite
          : invite.toBuilder().header(HeaderName.MAX_BREADTH, value).build();
    }

    private List<String> breadths() {
      return scene.effects.stream()
          .filter(Effect.Request.class::isInstance)
          .map(each -> ((Effect.Request) each).request().header(HeaderName.MAX_BREADTH))
          .map(Optional::orElseThrow)
          .toList();
    }

    private List<Target> redirect() {
      return List.of(Scene.target(5), Scene.target(6));
    }

    @Test
    @DisplayName("a target that is this edge itself is not called: each INVITE would beget another")
    void doesNotCallItself() {
      Target ourselves =
          new Target(
              SipUri.of("bob", Scene.EDGE),
              List.of(),
              List.of(Destination.to(TransportProtocol.UDP, Scene.EDGE)));
      scene.begin(List.of(List.of(ourselves, Scene.target(0)))).mediaHolds();
      assertThat(scene.sent()).containsExactly("INVITE");
      assertThat(scene.last(Effect.Request.class).to().remote()).isEqualTo(Scene.callee(0));
      var alone = new Scene();
      alone.begin(List.of(List.of(ourselves))).mediaHolds();
      assertThat(alone.sent()).isEmpty();
      assertThat(alone.answered()).contains("482 INVITE");
    }

    @Test
    void givesEachDownstreamDialogATagOfItsOwn() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "one", "");
      var first = scene.last(Effect.Respond.class).response().toTag();
      scene.callee(0, 183, "two", BOB);
      var second = scene.last(Effect.Respond.class).response().toTag();
      assertThat(second).isNotEqualTo(first);
      scene.callee(0, 200, "two", BOB);
      assertThat(scene.last(Effect.RespondUntilAck.class).response().toTag()).isEqualTo(second);
      scene.callee(0, 200, "one", BOB);
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
    }
  }

  @Nested
  @DisplayName("a callee that is served at several addresses (RFC 3263 4.3)")
  class FailOver {
    private SipRequest first() {
      scene.begin(List.of(List.of(Scene.target(0, 0, 1)))).mediaHolds();
      return scene.inviteOf(0);
    }

    private void triesTheNext(SipRequest before) {
      assertThat(scene.sent()).containsExactly("INVITE");
      assertThat(scene.answered()).isEmpty();
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NOW);
      Effect.Request sent = scene.last(Effect.Request.class);
      assertThat(sent.to().remote()).isEqualTo(Scene.callee(1));
      SipRequest again = sent.request();
      assertThat(again.topVia().branch()).isNotEqualTo(before.topVia().branch());
      // "identical to the previous, but has a different value of the Via branch ID"
      assertThat(again.toBuilder().replaceTopVia(before.topVia()).build().toString())
          .isEqualTo(before.toString());
      scene.callee(0, 180, "bob", "").callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
      scene.callerAck("").request(scene.callerRequest(Method.BYE, 2, ""));
      comesToRest();
    }

    @Test
    void isTriedAtTheNextWhenTheFirstCannotBeSentTo() {
      SipRequest before = first();
      scene.inviteFails(0, false);
      triesTheNext(before);
    }

    @Test
    void isTriedAtTheNextWhenTheFirstIsSilent() {
      SipRequest before = first();
      scene.inviteFails(0, true);
      triesTheNext(before);
    }

    @Test
    void isTriedAtTheNextWhenTheFirstAnswers503() {
      SipRequest before = first();
      scene.callee(0, 100, "", "").callee(0, 503, "proxy", "");
      triesTheNext(before);
    }

    @Test
    void isNotTriedElsewhereWhenItIsBusy() {
      first();
      scene.callee(0, 486, "bob", "");
      assertThat(scene.sent()).isEmpty();
      assertThat(scene.answered()).containsExactly("486 INVITE");
    }

    @Test
    void isGivenUpAfterTheLast() {
      first();
      scene.inviteFails(0, false).callee(0, 503, "bob", "");
      assertThat(scene.sent()).isEmpty();
      assertThat(scene.answered()).containsExactly("480 INVITE");
      comesToRest();
    }

    @Test
    void isNotTriedAgainOnceTheCallerHasCancelled() {
      first();
      scene.callerCancels().mediaReleased();
      scene.inviteFails(0, true);
      assertThat(scene.sent()).isEmpty();
      comesToRest();
    }

    @Test
    void isCancelledWhereItWasTriedLast() {
      first();
      scene.inviteFails(0, true).callee(0, 180, "bob", "").callerCancels();
      Effect.Request cancel = scene.last(Effect.Request.class);
      assertThat(cancel.request().method()).isEqualTo(Method.CANCEL);
      assertThat(cancel.to().remote()).isEqualTo(Scene.callee(1));
      assertThat(cancel.request().topVia()).isEqualTo(scene.inviteOf(0).topVia());
    }

    @Test
    void thatAnswersAtTheFirstTooLateIsAcknowledgedAndSentBye() {
      SipRequest before = first();
      scene.inviteFails(0, true);
      SipResponse late =
          Scene.answer(
              before,
              200,
              "late",
              BOB,
              b -> b.contact(NameAddr.of(SipUri.of("1008", Scene.callee(0)))));
      scene.response(late, List.of());
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      scene.response(late, List.of());
      assertThat(scene.sent()).containsExactly("ACK");
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.answered()).containsExactly("200 INVITE");
      scene.response(late, List.of());
      assertThat(scene.sent()).containsExactly("ACK");
    }
  }

  @Nested
  @DisplayName("CANCEL in every phase")
  class Cancel {
    @Test
    void beforeAnyResponseOfTheCallee() {
      scene.begin().mediaHolds().callerCancels();
      assertThat(scene.answered()).containsExactly("200 CANCEL", "487 INVITE");
      assertThat(scene.sent()).isEmpty();
      scene.mediaReleased();
      scene.callee(0, 180, "bob", "");
      assertThat(scene.sent()).containsExactly("CANCEL");
      scene.callee(0, 487, "bob", "");
      assertThat(scene.sent()).isEmpty();
      assertThat(termination().result()).isEqualTo(Result.CANCELLED);
      comesToRest();
    }

    @Test
    void beforeTheMediaNodeAnswered() {
      scene.begin().callerCancels();
      assertThat(scene.answered()).containsExactly("200 CANCEL", "487 INVITE");
      assertThat(scene.all(Effect.ReleaseMedia.class)).hasSize(1);
      comesToRest();
    }

    @Test
    void whileRinging() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").callerCancels();
      assertThat(scene.sent()).containsExactly("CANCEL");
      comesToRest();
    }

    @Test
    void crossingThe200OfTheCallee() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").callerCancels().mediaReleased();
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      assertThat(scene.answered()).isEmpty();
      comesToRest();
    }

    @Test
    void afterThe200HasNoEffect() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).callerCancels();
      assertThat(scene.answered()).containsExactly("200 CANCEL");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
    }
  }

  @Nested
  @DisplayName("repeats (law 3)")
  class Repeats {
    @Test
    void aRepeated200GetsTheAckAgainAndNothingElse() {
      scene.up();
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.effects).hasSize(1);
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.lastCommit).isEqualTo(Decision.Commit.NONE);
    }

    @Test
    void aRepeated200BeforeTheAckGetsNothing() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).callee(0, 200, "bob", BOB);
      assertThat(scene.effects).isEmpty();
    }

    @Test
    void anInviteByAnotherWayFromTheSamePlaceIsTheCallersFailOver() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "");
      SipRequest again =
          scene.invite.toBuilder()
              .replaceTopVia(
                  Via.of(TransportProtocol.UDP, Scene.CALLER, new Branch("z9hG4bK-caller-2")))
              .build();
      scene.apply(arrival(again));
      assertThat(scene.answered()).containsExactly("180 INVITE");
      scene.callee(0, 200, "bob", BOB);
      assertThat(scene.last(Effect.RespondUntilAck.class).transaction())
          .isEqualTo(Scene.transaction(again));
    }

    @Test
    void anInviteByAnotherWayFromElsewhereIsMerged() {
      scene.begin().mediaHolds();
      SipRequest again =
          scene.invite.toBuilder()
              .replaceTopVia(
                  Via.of(
                      TransportProtocol.UDP,
                      Endpoint.of("203.0.113.5", 5060),
                      new Branch("z9hG4bK-other")))
              .build();
      scene.apply(arrival(again));
      assertThat(scene.answered()).containsExactly("482 INVITE");
    }

    @Test
    @DisplayName(
        "else its transaction would be open for a quarter of an hour, and nobody answer it")
    void aCopyOfAnInviteWhoseAnswerWasAcknowledgedIsForgotten() {
      scene.up().apply(arrival(scene.invite));
      assertThat(scene.effects)
          .containsExactly(new Effect.ForgetServer(Scene.transaction(scene.invite)));
    }

    /** The caller's, for a final response that the call knows nothing of. */
    private SipRequest ackOfAnotherRefusal() {
      return SipRequest.builder(Method.ACK, scene.invite.uri())
          .via(scene.invite.topVia())
          .maxForwards(70)
          .from(scene.invite.from())
          .to(scene.invite.to().withTag(new Tag("0123456789abcdef")))
          .callId(scene.invite.callId())
          .cSeq(scene.invite.cSeq().number())
          .build();
    }

    @Test
    @DisplayName("a node that could not read the record has refused another copy of it")
    void whoseRefusalTheCallerHasHeardElsewhereRingsNoMore() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").apply(new Input.AckArrived(ackOfAnotherRefusal()));
      assertThat(scene.answered()).isEmpty();
      assertThat(scene.last(Effect.ForgetServer.class).transaction())
          .isEqualTo(Scene.transaction(scene.invite));
      assertThat(scene.sent()).containsExactly("CANCEL");
      assertThat(termination()).isEqualTo(new Termination(Result.FAILED, Reason.REFUSED, 503));
      comesToRest();
    }

    @Test
    void whoseRefusalTheCallerHasHeardElsewhereIsNotAnswered() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).apply(new Input.AckArrived(ackOfAnotherRefusal()));
      assertThat(scene.all(Effect.StopSuccess.class)).hasSize(1);
      assertThat(scene.sent()).as("to the callee alone").containsExactly("ACK", "BYE");
      assertThat(termination()).isEqualTo(new Termination(Result.FAILED, Reason.REFUSED, 503));
      comesToRest();
    }

    @Test
    void anAckOfAnotherTransactionSaysNothingOfIt() {
      scene.begin().mediaHolds();
      SipRequest other =
          ackOfAnotherRefusal().toBuilder()
              .replaceTopVia(
                  Via.of(TransportProtocol.UDP, Scene.CALLER, new Branch("z9hG4bK-other")))
              .build();
      scene.apply(new Input.AckArrived(other));
      assertThat(scene.effects).isEmpty();
      assertThat(scene.call.orElseThrow().termination()).isEmpty();
    }

    @Test
    @DisplayName("a node that had the call has refused it, and could not write that down")
    void whichIsOverForTheCallerIsOver() {
      scene.begin().mediaHolds();
      SipResponse refusal =
          SipResponse.to(scene.invite, 487)
              .toTag(new CallTag(scene.key(), Side.CALLER, 0).tag())
              .build();
      scene.callee(0, 180, "bob", "").apply(new Input.RefusedAhead(refusal));
      assertThat(scene.answered()).containsExactly("487 INVITE");
      assertThat(scene.sent()).containsExactly("CANCEL");
      assertThat(termination().reason()).isEqualTo(Reason.CANCELLED);
      comesToRest();
    }

    @Test
    void soIsOneWhoseRefusalWasAcknowledged() {
      scene.begin().mediaHolds();
      scene.callee(0, 486, "bob", "");
      scene.apply(new Input.RefusalAcknowledged(Scene.transaction(scene.invite)));
      scene.apply(arrival(scene.invite));
      assertThat(scene.effects)
          .containsExactly(new Effect.ForgetServer(Scene.transaction(scene.invite)));
      comesToRest();
    }

    private Input.InviteArrived arrival(SipRequest invite) {
      return new Input.InviteArrived(
          Scene.transaction(invite),
          invite,
          Scene.CALLER_FLOW,
          io.sippbx.control.sip.transport.Destination.over(Scene.CALLER_FLOW),
          List.of(),
          java.util.Optional.empty());
    }

    @Test
    void aByeThatComesAgainGetsTheSameAnswer() {
      scene.up();
      SipRequest bye = scene.callerRequest(Method.BYE, 2, "");
      scene.request(bye);
      scene.mediaReleased();
      scene.request(bye);
      assertThat(scene.answered()).containsExactly("200 BYE");
      assertThat(scene.sent()).isEmpty();
    }
  }

  @Nested
  @DisplayName("BYE and ACK")
  class Bye {
    @Test
    void byeOfTheCallerEndsBothLegs() {
      scene.up().request(scene.callerRequest(Method.BYE, 2, ""));
      assertThat(scene.answered()).containsExactly("200 BYE");
      assertThat(scene.sent()).containsExactly("BYE");
      assertThat(termination()).isEqualTo(new Termination(Result.COMPLETED, Reason.NORMAL, 200));
      comesToRest();
    }

    @Test
    void byeOfTheCalleeEndsBothLegs() {
      scene.up().request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(scene.sent()).containsExactly("BYE");
      assertThat(scene.last(Effect.Request.class).to().remote()).isEqualTo(Scene.CALLER);
      comesToRest();
    }

    @Test
    void byeBeforeTheAckAcknowledgesTheCalleeFirst() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).request(scene.callerRequest(Method.BYE, 2, ""));
      assertThat(scene.sent()).containsExactly("ACK", "BYE");
      assertThat(scene.all(Effect.StopSuccess.class)).hasSize(1);
      comesToRest();
    }

    @Test
    void byeOfTheCalleeWaitsForTheCallersAck() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(scene.sent()).isEmpty();
      scene.mediaReleased();
      scene.callerAck("");
      assertThat(scene.sent()).contains("BYE");
      assertThat(scene.last(Effect.Request.class).to().remote()).isEqualTo(Scene.CALLER);
    }

    @Test
    void noAckEndsTheCallWithByeOnBothLegs() {
      scene.begin().mediaHolds();
      scene.callee(0, 200, "bob", BOB).fires(Kind.ACK, 0);
      assertThat(scene.sent()).containsExactlyInAnyOrder("BYE", "ACK", "BYE");
      assertThat(termination().reason()).isEqualTo(Reason.NO_ACK);
      comesToRest();
    }

    @Test
    void aRequestWithAnOldNumberGets500() {
      scene.up().request(scene.callerRequest(Method.INFO, 1, ""));
      assertThat(scene.answered()).containsExactly("500 INFO");
    }

    @Test
    void aRequestForAnUnknownDialogGets481() {
      scene.up();
      SipRequest stray =
          scene.callerRequest(Method.BYE, 2, "").toBuilder()
              .from(
                  NameAddr.of(SipUri.of("x", "y"))
                      .withTag(new io.sippbx.control.sip.message.Tag("z")))
              .build();
      scene.request(stray);
      assertThat(scene.answered()).containsExactly("481 BYE");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
    }

    @Test
    void infoIsPassedOnAndItsAnswerBack() {
      scene.up().request(scene.callerRequest(Method.INFO, 2, ""));
      SipRequest info = scene.last(Effect.Request.class).request();
      assertThat(info.method()).isEqualTo(Method.INFO);
      scene.response(Scene.answer(info, 200, "", "", b -> b), List.of());
      assertThat(scene.answered()).containsExactly("200 INFO");
    }
  }

  @Nested
  @DisplayName("re-INVITE")
  class Reinvites {
    private SipRequest passedOn() {
      return scene.last(Effect.Request.class).request();
    }

    @Test
    void holdIsPassedOnAndStopsMedia() {
      scene.up();
      String hold = Scene.sdp("192.0.2.10", 40000, "sendonly", "0 8 101");
      scene.request(scene.callerRequest(Method.INVITE, 2, hold));
      assertThat(scene.answered()).containsExactly("100 INVITE");
      SipRequest reinvite = passedOn();
      assertThat(Scene.body(reinvite)).contains("a=sendonly", "m=audio 10002");
      scene.response(
          Scene.answer(
              reinvite, 200, "", Scene.sdp("192.0.2.20", 50000, "recvonly", "0 8 101"), b -> b),
          List.of());
      assertThat(scene.answered()).containsExactly("200 INVITE");
      var stream = scene.last(Effect.ApplyMedia.class).spec().streams().getFirst();
      assertThat(stream.a().wantsReceive()).isFalse();
      assertThat(stream.b().maySend()).isFalse();
      assertThat(stream.a().maySend()).isTrue();
      assertThat(scene.happenings).contains(new CallHappening.Held(true));
      scene.apply(new Input.AckArrived(scene.callerRequest(Method.ACK, 2, "")));
      assertThat(scene.sent()).containsExactly("ACK");
      assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
    }

    @Test
    void refusedWith488TheCallGoesOn() {
      scene.up().request(scene.calleeRequest(Method.INVITE, 1, Scene.offer("192.0.2.20", 50010)));
      SipRequest reinvite = passedOn();
      scene.response(Scene.answer(reinvite, 488, "", "", b -> b), List.of());
      assertThat(scene.answered()).containsExactly("488 INVITE");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
      assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
    }

    @Test
    void aRefusedStreamIsTakenBackAndLatchingIsNotSetBack() {
      scene.up();
      var before = scene.call.orElseThrow().media().plan();
      String video =
          Scene.offer("192.0.2.11", 40010)
              + "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n";
      scene.request(scene.callerRequest(Method.INVITE, 2, video));
      scene.mediaHolds();
      scene.response(Scene.answer(passedOn(), 488, "", "", b -> b), List.of());
      var after = scene.last(Effect.ApplyMedia.class).spec().streams();
      assertThat(after).hasSize(1);
      assertThat(after.getFirst().a().remoteRtp())
          .isEqualTo(before.streams().getFirst().a().remoteRtp());
      assertThat(after.getFirst().a().latchEpoch())
          .isGreaterThanOrEqualTo(before.streams().getFirst().a().latchEpoch());
    }

    @Test
    void aLostDialogEndsTheCall() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      SipRequest reinvite = passedOn();
      scene.response(Scene.answer(reinvite, 481, "", "", b -> b), List.of());
      assertThat(scene.answered()).containsExactly("481 INVITE");
      assertThat(termination().reason()).isEqualTo(Reason.DIALOG_LOST);
      comesToRest();
    }

    @Test
    void glareIsAnswered491() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      scene.request(scene.calleeRequest(Method.INVITE, 1, Scene.offer("192.0.2.20", 50010)));
      assertThat(scene.answered()).containsExactly("491 INVITE");
    }

    @Test
    void asecondOneOfTheSamePeerIsAnswered500WithRetryAfter() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      scene.request(scene.callerRequest(Method.INVITE, 3, Scene.offer("192.0.2.10", 40012)));
      assertThat(scene.answered()).containsExactly("500 INVITE");
      assertThat(scene.last(Effect.Respond.class).response().header(HeaderName.RETRY_AFTER))
          .isPresent();
    }

    @Test
    void aDelayedOfferGoesTheOtherWay() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, ""));
      SipRequest reinvite = passedOn();
      assertThat(reinvite.hasBody()).isFalse();
      scene.response(Scene.answer(reinvite, 200, "", BOB, b -> b), List.of());
      assertThat(scene.answered()).containsExactly("200 INVITE");
      SipRequest ack = scene.callerRequest(Method.ACK, 2, Scene.offer("192.0.2.10", 40000));
      scene.apply(new Input.AckArrived(ack));
      assertThat(Scene.body(scene.last(Effect.Ack.class).ack())).contains("m=audio 10002");
    }

    @Test
    void aNewAddressRaisesTheLatchEpoch() {
      scene.up();
      int before = scene.call.orElseThrow().media().plan().streams().getFirst().a().latchEpoch();
      scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.11", 40010)));
      scene.response(Scene.answer(passedOn(), 200, "", BOB, b -> b), List.of());
      var stream = scene.last(Effect.ApplyMedia.class).spec().streams().getFirst();
      assertThat(stream.a().latchEpoch()).isGreaterThan(before);
      assertThat(stream.a().remoteRtp()).contains(Endpoint.of("192.0.2.11", 40010));
    }

    @Test
    void aSecondStreamGetsPortsBeforeItIsOffered() {
      scene.up();
      String video =
          Scene.offer("192.0.2.10", 40000)
              + "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n";
      scene.request(scene.callerRequest(Method.INVITE, 2, video));
      assertThat(scene.sent()).isEmpty();
      scene.mediaHolds();
      assertThat(Scene.body(passedOn())).contains("m=video 10006 RTP/AVP 97");
    }

    @Test
    void cancelOfAReinviteIsPassedOn() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      SipRequest reinvite = passedOn();
      SipRequest sent = scene.call.orElseThrow().reinvite().orElseThrow().request();
      scene.response(Scene.answer(reinvite, 180, "", "", b -> b), List.of());
      scene.request(Messages.cancel(sent));
      assertThat(scene.answered()).containsExactly("200 CANCEL");
      assertThat(scene.sent()).containsExactly("CANCEL");
      scene.response(Scene.answer(reinvite, 487, "", "", b -> b), List.of());
      assertThat(scene.answered()).containsExactly("487 INVITE");
      assertThat(scene.call.orElseThrow().isUp()).isTrue();
    }

    @Test
    void byeDuringAReinviteEndsEverything() {
      scene.up().request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 40010)));
      SipRequest reinvite = passedOn();
      scene.request(scene.calleeRequest(Method.BYE, 1, ""));
      assertThat(scene.answered()).containsExactly("200 BYE", "487 INVITE");
      scene.mediaReleased();
      scene.response(Scene.answer(reinvite, 487, "", "", b -> b), List.of());
      assertThat(scene.call.orElseThrow().reinvite()).isEmpty();
      comesToRest();
    }
  }

  @Nested
  @DisplayName("ends of our own")
  class OwnEnds {
    @Test
    void mediaTimeoutHangsUpBothLegs() {
      scene.up();
      long revision = scene.call.orElseThrow().media().revision();
      scene.apply(new Input.MediaHappened(new MediaEvent.MediaTimeout(scene.key(), revision)));
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
      assertThat(termination().reason()).isEqualTo(Reason.MEDIA_TIMEOUT);
      comesToRest();
    }

    @Test
    void maximumDurationHangsUpBothLegs() {
      scene.up().fires(Kind.MAX_DURATION, 0);
      assertThat(scene.sent()).containsExactly("BYE", "BYE");
      assertThat(termination().reason()).isEqualTo(Reason.MAX_DURATION);
      comesToRest();
    }

    @Test
    void shutdownRefusesACallThatIsBeingSetUp() {
      scene.begin().mediaHolds();
      scene.callee(0, 180, "bob", "").apply(new Input.HangUp(Reason.SHUTDOWN));
      assertThat(scene.answered()).containsExactly("503 INVITE");
      assertThat(scene.sent()).containsExactly("CANCEL");
      comesToRest();
    }

    @Test
    void theEndTellsTheWholeRecord() {
      scene.up();
      scene.now = scene.now.plusSeconds(90);
      scene.request(scene.callerRequest(Method.BYE, 2, "")).mediaReleased().closesWhatIsOpen();
      var ended = (CallHappening.Ended) scene.happenings.getLast();
      assertThat(ended.caller().user()).isEqualTo("1004");
      assertThat(ended.callee().user()).isEqualTo("1008");
      assertThat(ended.caller().ip()).isEqualTo("192.0.2.10");
      assertThat(ended.callee().ip()).isEqualTo("192.0.2.20");
      assertThat(ended.codec()).isEqualTo("pcmu");
      assertThat(ended.media().orElseThrow().callerPackets()).isEqualTo(100);
      assertThat(ended.answeredAt().orElseThrow().plusSeconds(90)).isEqualTo(ended.endedAt());
      assertThat(ended.firstNode()).isEqualTo(Scene.SETTINGS.node().text());
      assertThat(ended.knownUp()).as("nobody was gone").isEmpty();
      // 3 and 4 ticks of 8,000 a second.
      assertThat(ended.media().orElseThrow().callerJitterUs()).isEqualTo(375);
      assertThat(ended.media().orElseThrow().calleeJitterUs()).isEqualTo(500);
      assertThat(scene.happenings)
          .contains(
              new CallHappening.Quality(Scene.MEDIA_NODE, ended.media().orElseThrow()), ended);
    }

    @Test
    void earlyMediaIsToldOnceAndWhenTheCalleeWasHeardOfFirst() {
      scene.begin().mediaHolds();
      scene.now = scene.now.plusMillis(700);
      scene.callee(0, 180, "bob", "");
      scene.now = scene.now.plusMillis(700);
      scene.callee(0, 183, "bob", Scene.offer("192.0.2.20", 50000));
      scene.callee(0, 183, "bob", Scene.offer("192.0.2.20", 50000));
      assertThat(scene.happenings.stream().skip(1))
          .containsExactly(new CallHappening.Ringing(180), new CallHappening.EarlyMedia(183));
      scene.callerCancels().callee(0, 487, "bob", "").mediaReleased();
      var ended = (CallHappening.Ended) scene.happenings.getLast();
      assertThat(ended.progressAt()).contains(ended.startedAt().plusMillis(700));
    }

    @Test
    void ofACallThatWasNotAnsweredNoQualityIsToldUnlessSomebodySpoke() {
      scene.begin().mediaHolds().callee(0, 486, "bob", "");
      scene.mediaReleased(new MediaAnswer.Held(9, List.of(), List.of()));
      assertThat(scene.happenings).noneMatch(CallHappening.Quality.class::isInstance);
      assertThat(scene.happenings.getLast()).isInstanceOf(CallHappening.Ended.class);
    }
  }
}
