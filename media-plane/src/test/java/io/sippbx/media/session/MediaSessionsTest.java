package io.sippbx.media.session;

import static io.sippbx.media.testkit.Specs.audio;
import static io.sippbx.media.testkit.Specs.call;
import static io.sippbx.media.testkit.Specs.end;
import static io.sippbx.media.testkit.Specs.held;
import static io.sippbx.media.testkit.Specs.pinned;
import static io.sippbx.media.testkit.Specs.spec;
import static io.sippbx.media.testkit.Specs.timedOut;
import static io.sippbx.media.testkit.Specs.unconfirmed;
import static io.sippbx.media.testkit.Specs.video;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.session.Answer.Refusal;
import io.sippbx.media.testkit.FakePath;
import io.sippbx.media.testkit.ManualLoop;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MediaSessionsTest {

  private static final ControlNode CONTROL =
      new ControlNode(new NodeId("control-1"), new Incarnation(1));
  private static final ControlNode OTHER =
      new ControlNode(new NodeId("control-2"), new Incarnation(7));
  private static final CallKey CALL = call(1);
  private static final List<BindFailure> FAILURES = List.of(BindFailure.values());
  private static final SessionSettings SETTINGS =
      SessionSettings.defaults().withRestoring(Duration.ZERO);

  private final ManualLoop loop = new ManualLoop();
  private final FakePath path = new FakePath();
  private final List<String> events = new ArrayList<>();
  private final List<NodeState> states = new ArrayList<>();
  private PortPool pool = pool(10_000, 10_019);
  private MediaSessions sessions = sessions(SETTINGS);

  private static PortPool pool(int first, int last) {
    return new PortPool(
        new PortRange(first, last),
        List.of(LocalAddress.of(IpAddress.of("127.0.0.1")), LocalAddress.of(IpAddress.of("::1"))),
        Duration.ofSeconds(5),
        Duration.ofSeconds(60),
        new Random(1));
  }

  private MediaSessions sessions(SessionSettings settings) {
    var listener =
        new SessionListener() {
          @Override
          public void event(SessionEvent event, Optional<ControlNode> claimant) {
            events.add(
                event.getClass().getSimpleName()
                    + " "
                    + event.revision()
                    + (event instanceof SessionEvent.Expired e ? " " + e.reason() : "")
                    + claimant.map(c -> " to " + c.id()).orElse(" to all"));
          }

          @Override
          public void stateChanged(NodeState state) {
            states.add(state);
          }
        };
    return new MediaSessions(settings, pool, path, loop, listener);
  }

  /** Lets the path and the loop do all that waits. */
  private void settle() {
    do {
      loop.runAll();
    } while (path.next());
    assertThat(path.waiting()).isZero();
  }

  private Answer apply(SessionSpec spec) {
    return apply(spec, CONTROL);
  }

  private Answer apply(SessionSpec spec, ControlNode from) {
    var answers = new ArrayList<Answer>();
    sessions.apply(spec, from, answers::add);
    settle();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private Answer release(CallKey call, long revision) {
    var answers = new ArrayList<Answer>();
    sessions.release(call, revision, answers::add);
    settle();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private static SessionState done(Answer answer) {
    assertThat(answer).isInstanceOf(Answer.Done.class);
    return ((Answer.Done) answer).session();
  }

  private static void assertRefused(Answer answer, Refusal refusal, long heldRevision) {
    assertThat(answer).isInstanceOf(Answer.Refused.class);
    var refused = (Answer.Refused) answer;
    assertThat(refused.refusal()).as(refused.detail()).isEqualTo(refusal);
    assertThat(refused.heldRevision()).isEqualTo(heldRevision);
    assertThat(refused.detail()).isNotBlank();
  }

  private void pass(Duration time) {
    loop.advance(time);
    sessions.tick();
    settle();
  }

  private int lent() {
    return sessions.ledger().lent();
  }

  @Nested
  class Apply {
    @Test
    void opensBothEndsOfEachStreamAndTellsTheirAddresses() {
      SessionState state = done(apply(spec(CALL, 1, audio(0), video(2))));
      assertThat(state.streams()).extracting(SessionState.Stream::index).containsExactly(0, 2);
      var rtpPorts = new ArrayList<Integer>();
      for (SessionState.Stream stream : state.streams()) {
        for (SessionState.LocalEnd local : List.of(stream.a(), stream.b())) {
          assertThat(local.rtp().ip()).hasToString("127.0.0.1");
          assertThat(local.rtp().port()).isEven();
          assertThat(local.rtcp().port()).isEqualTo(local.rtp().port() + 1);
          rtpPorts.add(local.rtp().port());
        }
      }
      assertThat(rtpPorts).doesNotHaveDuplicates();
      assertThat(lent()).isEqualTo(4);
      assertThat(path.boundPorts()).isEqualTo(8);
    }

    @Test
    void toldTwiceChangesNothing() {
      SessionState first = done(apply(spec(CALL, 1, audio(0))));
      assertThat(done(apply(spec(CALL, 1, audio(0))))).isEqualTo(first);
      assertThat(lent()).isEqualTo(2);
    }

    @Test
    void rtcpSharesTheRtpPortWhereTheEndMultiplexes() {
      EndSpec a = end(false, 4_000);
      var mux =
          new EndSpec(false, a.remoteRtp(), Optional.empty(), true, true, true, List.of(), 0, 0);
      var stream = StreamSpec.rtp(0, "audio", mux, end(false, 5_000));
      SessionState.Stream state = done(apply(spec(CALL, 1, stream))).streams().getFirst();
      assertThat(state.a().rtcp()).isEqualTo(state.a().rtp());
      assertThat(state.b().rtcp()).isNotEqualTo(state.b().rtp());
    }

    @Test
    void goesBetweenTheIpVersions() {
      var stream = StreamSpec.rtp(0, "audio", end(false, 4_000), end(true, 5_000));
      SessionState.Stream state = done(apply(spec(CALL, 1, stream))).streams().getFirst();
      assertThat(state.a().rtp().ip()).hasToString("127.0.0.1");
      assertThat(state.b().rtp().ip()).hasToString("::1");
    }

    @Test
    void keepsThePortsOfStreamsThatStay() {
      var before = done(apply(spec(CALL, 1, audio(0)))).streams().getFirst();
      var after = done(apply(spec(CALL, 2, audio(0), video(1)))).streams();
      assertThat(after.getFirst().a()).isEqualTo(before.a());
      assertThat(after.getFirst().b()).isEqualTo(before.b());
      var third = done(apply(spec(CALL, 3, audio(0)))).streams();
      assertThat(third).hasSize(1);
      assertThat(third.getFirst().a()).isEqualTo(before.a());
      assertThat(sessions.ledger()).isEqualTo(new PortLedger(20, 2, 2, 0));
      assertThat(path.boundPorts()).isEqualTo(4);
    }

    /** A fax takes the place of a voice in the same line, whose ports both ends were told. */
    @Test
    void keepsThePortsOfALineThatChangesItsMedia() {
      var before = done(apply(spec(CALL, 1, audio(0), video(1)))).streams();
      var fax =
          new StreamSpec(0, "image", PayloadForm.DATAGRAMS, end(false, 4_000), end(false, 5_000));
      var after = done(apply(spec(CALL, 2, fax, video(1)))).streams();
      assertThat(after.get(0).a()).isEqualTo(before.get(0).a());
      assertThat(after.get(0).b()).isEqualTo(before.get(0).b());
      assertThat(path.plan(CALL).orElseThrow().streams().getFirst().form())
          .isEqualTo(PayloadForm.DATAGRAMS);
      assertThat(lent()).isEqualTo(4);
    }

    @Test
    void movesOnlyTheEndThatChangesItsIpVersion() {
      var before = done(apply(spec(CALL, 1, audio(0)))).streams().getFirst();
      var moved = StreamSpec.rtp(0, "audio", end(true, 4_000), end(false, 5_000));
      var after = done(apply(spec(CALL, 2, moved))).streams().getFirst();
      assertThat(after.a().rtp().ip()).hasToString("::1");
      assertThat(after.b()).isEqualTo(before.b());
      assertThat(lent()).isEqualTo(2);
    }

    @Test
    void followsADirectionOnTheSamePorts() {
      var before = done(apply(spec(CALL, 1, audio(0))));
      var hold = StreamSpec.rtp(0, "audio", held(end(false, 4_000)), end(false, 5_000));
      var after = done(apply(spec(CALL, 2, hold)));
      assertThat(after.streams().getFirst().a()).isEqualTo(before.streams().getFirst().a());
      assertThat(path.plan(CALL).orElseThrow().streams().getFirst().a().maySend()).isFalse();
    }

    /** A relay that is told something has to be woken for it. */
    @Test
    void tellsTheRelayOnlyWhatIsNewToIt() {
      apply(unconfirmed(spec(CALL, 1, audio(0))));
      assertThat(done(apply(spec(CALL, 2, audio(0)))).confirmed()).isTrue();
      assertThat(path.updates()).isZero();
      apply(timedOut(spec(CALL, 3, audio(0)), Duration.ofSeconds(30)));
      assertThat(path.updates()).isEqualTo(1);
      assertThat(path.plan(CALL).orElseThrow().mediaTimeout()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void isRefusedForAnOlderRevisionWithTheOneHeld() {
      apply(spec(CALL, 5, audio(0)));
      assertRefused(apply(spec(CALL, 4, audio(0))), Refusal.STALE_REVISION, 5);
      assertThat(done(apply(spec(CALL, 5, audio(0)))).revision()).isEqualTo(5);
    }

    @Test
    void isRefusedForAnotherSpecAtTheRevisionHeld() {
      apply(spec(CALL, 5, audio(0)));
      assertRefused(apply(spec(CALL, 5, video(0))), Refusal.REVISION_REUSED, 5);
      assertRefused(apply(unconfirmed(spec(CALL, 5, audio(0)))), Refusal.REVISION_REUSED, 5);
      assertThat(lent()).isEqualTo(2);
    }

    @Test
    void thatIsRefusedLeavesTheSessionAsItWas() {
      SessionState before = done(apply(spec(CALL, 1, audio(0))));
      StreamSpec[] many = new StreamSpec[12];
      for (int i = 0; i < many.length; i++) {
        many[i] = audio(i);
      }
      assertRefused(apply(spec(CALL, 2, many)), Refusal.PORTS_EXHAUSTED, 0);
      assertThat(sessions.get(CALL)).contains(before);
      assertThat(sessions.ledger()).isEqualTo(new PortLedger(20, 2, 0, 0));
    }

    @Test
    void holdsASessionWithoutStreams() {
      assertThat(done(apply(spec(CALL, 1, audio(0)))).streams()).hasSize(1);
      assertThat(done(apply(spec(CALL, 2))).streams()).isEmpty();
      assertThat(sessions.size()).isEqualTo(1);
      assertThat(path.boundPorts()).isZero();
    }

    @Test
    void isAnsweredInOrderWhileTheRelayTakesItsTime() {
      var order = new ArrayList<String>();
      sessions.apply(spec(CALL, 1, audio(0)), CONTROL, a -> order.add("1 " + name(a)));
      sessions.apply(spec(CALL, 2, audio(0), video(1)), CONTROL, a -> order.add("2 " + name(a)));
      sessions.apply(spec(CALL, 1, audio(0)), CONTROL, a -> order.add("1 again " + name(a)));
      sessions.apply(spec(call(2), 1, audio(0)), CONTROL, a -> order.add("other " + name(a)));
      sessions.release(CALL, 2, a -> order.add("release " + name(a)));
      assertThat(order).isEmpty();
      settle();
      assertThat(order)
          .containsExactlyInAnyOrder(
              "1 Done", "2 Done", "1 again STALE_REVISION", "other Done", "release Done");
      order.remove("other Done");
      assertThat(order)
          .containsExactly("1 Done", "2 Done", "1 again STALE_REVISION", "release Done");
    }

    @Test
    void isRefusedWhenTooManyWaitForOneSession() {
      var answers = new ArrayList<String>();
      for (int i = 1; i <= 20; i++) {
        sessions.apply(spec(CALL, i, audio(0)), CONTROL, a -> answers.add(name(a)));
      }
      assertThat(answers).containsExactly("OVERLOADED", "OVERLOADED", "OVERLOADED");
      settle();
      assertThat(answers).hasSize(20);
      assertThat(sessions.counters().refusals()).containsEntry(Refusal.OVERLOADED, 3L);
    }

    private static String name(Answer answer) {
      return switch (answer) {
        case Answer.Done ignored -> "Done";
        case Answer.Refused refused -> refused.refusal().toString();
      };
    }
  }

  @Nested
  class Ports {
    @Test
    void ofWhichNoneIsFreeAreRefusedClearly() {
      for (int i = 1; i <= 5; i++) {
        done(apply(spec(call(i), 1, audio(0))));
      }
      Answer answer = apply(spec(call(6), 1, audio(0)));
      assertRefused(answer, Refusal.PORTS_EXHAUSTED, 0);
      assertThat(((Answer.Refused) answer).detail()).contains("10 of 10 are in use");
      assertThat(sessions.size()).isEqualTo(5);
      var v6 = StreamSpec.rtp(0, "audio", end(true, 4_000), end(true, 5_000));
      done(apply(spec(call(6), 1, v6)));
    }

    @Test
    void heldByAnotherProgramAreSetAsideAndOthersTaken() {
      for (int port = 10_000; port < 10_008; port += 2) {
        path.fail(Endpoint.of("127.0.0.1", port + 1), BindFailure.ADDRESS_IN_USE);
      }
      var state = done(apply(spec(CALL, 1, audio(0), video(1))));
      assertThat(state.streams())
          .allSatisfy(s -> assertThat(s.a().rtp().port()).isGreaterThan(10_007));
      int aside = sessions.ledger().setAside();
      assertThat(aside).isPositive();
      assertThat(sessions.counters().bindFailures()).isEqualTo(aside);
      assertThat(lent()).isEqualTo(4);
    }

    @Test
    void areTriedOnlySoOften() {
      for (int port = 10_000; port < 10_020; port += 2) {
        path.fail(Endpoint.of("127.0.0.1", port), BindFailure.ADDRESS_IN_USE);
      }
      assertRefused(apply(spec(CALL, 1, audio(0))), Refusal.PORTS_EXHAUSTED, 0);
      assertThat(sessions.ledger()).isEqualTo(new PortLedger(20, 0, 0, 8));
      assertThat(sessions.size()).isZero();
    }

    @Test
    void thatArePinnedAreTakenOrRefused() {
      var stream =
          StreamSpec.rtp(
              0, "audio", pinned(end(false, 4_000), 10_006), pinned(end(false, 5_000), 10_002));
      var state = done(apply(spec(CALL, 1, stream))).streams().getFirst();
      assertThat(state.a().rtp().port()).isEqualTo(10_006);
      assertThat(state.b().rtp().port()).isEqualTo(10_002);
      assertRefused(apply(spec(call(2), 1, stream)), Refusal.PORT_TAKEN, 0);
      var outside = StreamSpec.rtp(0, "audio", pinned(end(false, 0), 20_000), end(false, 0));
      assertRefused(apply(spec(call(2), 1, outside)), Refusal.INVALID_SPEC, 0);
      path.fail(Endpoint.of("127.0.0.1", 10_008), BindFailure.ADDRESS_IN_USE);
      var foreign = StreamSpec.rtp(0, "audio", pinned(end(false, 0), 10_008), end(false, 0));
      assertRefused(apply(spec(call(2), 1, foreign)), Refusal.PORT_TAKEN, 0);
      assertThat(sessions.ledger()).isEqualTo(new PortLedger(20, 2, 0, 1));
    }

    @Test
    void moveToTheOnePinnedLater() {
      int b = done(apply(spec(CALL, 1, audio(0)))).streams().getFirst().b().rtp().port();
      int wanted = b == 10_018 ? 10_016 : 10_018;
      var stream = StreamSpec.rtp(0, "audio", pinned(end(false, 4_000), wanted), end(false, 5_000));
      var state = done(apply(spec(CALL, 2, stream))).streams().getFirst();
      assertThat(state.a().rtp().port()).isEqualTo(wanted);
      assertThat(state.b().rtp().port()).isEqualTo(b);
      assertThat(done(apply(spec(CALL, 3, audio(0)))).streams().getFirst().a())
          .isEqualTo(state.a());
    }

    @Test
    void ofAnIpVersionThatTheNodeLacksAreRefused() {
      pool =
          new PortPool(
              new PortRange(10_000, 10_019),
              List.of(LocalAddress.of(IpAddress.of("127.0.0.1"))),
              Duration.ofSeconds(5),
              Duration.ofSeconds(60),
              new Random(1));
      sessions = sessions(SETTINGS);
      var stream = StreamSpec.rtp(0, "audio", end(false, 4_000), end(true, 5_000));
      assertRefused(apply(spec(CALL, 1, stream)), Refusal.FAMILY_UNAVAILABLE, 0);
      assertThat(lent()).isZero();
    }

    @ParameterizedTest
    @EnumSource(BindFailure.class)
    void neverLeakHoweverTheBindFails(BindFailure failure) {
      for (int port = 10_000; port < 10_020; port++) {
        path.fail(Endpoint.of("127.0.0.1", port), failure);
      }
      assertThat(apply(spec(CALL, 1, audio(0)))).isInstanceOf(Answer.Refused.class);
      assertThat(lent()).isZero();
      assertThat(sessions.size()).isZero();
      path.healAll();
      loop.advance(Duration.ofSeconds(60));
      done(apply(spec(CALL, 1, audio(0))));
    }

    @Test
    void restAfterASessionBeforeTheyServeAnother() {
      for (int i = 1; i <= 5; i++) {
        apply(spec(call(i), 1, audio(0)));
      }
      release(call(3), 1);
      assertRefused(apply(spec(call(6), 1, audio(0))), Refusal.PORTS_EXHAUSTED, 0);
      loop.advance(Duration.ofSeconds(5));
      done(apply(spec(call(6), 1, audio(0))));
    }
  }

  @Nested
  class Release {
    @Test
    void endsTheSessionAndTellsItsLastCounts() {
      apply(spec(CALL, 1, audio(0)));
      path.packet(CALL, loop.nowNs());
      SessionState last = done(release(CALL, 1));
      assertThat(last.streams().getFirst().counts().orElseThrow().a().packets()).isEqualTo(1);
      assertThat(sessions.get(CALL)).isEmpty();
      assertThat(sessions.ledger()).isEqualTo(new PortLedger(20, 0, 2, 0));
      assertThat(path.boundPorts()).isZero();
    }

    @Test
    void toldTwiceIsAnsweredTheSame() {
      apply(spec(CALL, 1, audio(0)));
      path.packet(CALL, loop.nowNs());
      SessionState last = done(release(CALL, 1));
      assertThat(done(release(CALL, 1))).isEqualTo(last);
      assertThat(sessions.counters().released()).isEqualTo(1);
    }

    @Test
    void ofAnOlderRevisionIsRefusedWithTheOneHeld() {
      apply(spec(CALL, 5, audio(0)));
      assertRefused(release(CALL, 4), Refusal.STALE_REVISION, 5);
      assertThat(sessions.size()).isEqualTo(1);
      done(release(CALL, 6));
    }

    @Test
    void leavesATombstoneThatALateApplyCannotPass() {
      apply(spec(CALL, 3, audio(0)));
      release(CALL, 4);
      for (long revision = 1; revision <= 4; revision++) {
        assertRefused(apply(spec(CALL, revision, audio(0))), Refusal.RELEASED, 4);
      }
      assertThat(sessions.size()).isZero();
      pass(Duration.ofSeconds(59));
      assertRefused(apply(spec(CALL, 3, audio(0))), Refusal.RELEASED, 4);
      pass(Duration.ofSeconds(1));
      assertThat(sessions.tombstones()).isZero();
      done(apply(spec(CALL, 3, audio(0))));
    }

    @Test
    void letsACallComeBackThatWasDecidedAfterIt() {
      apply(spec(CALL, 3, audio(0)));
      release(CALL, 3);
      assertThat(done(apply(spec(CALL, 4, audio(0)))).revision()).isEqualTo(4);
      assertThat(done(release(CALL, 5)).revision()).isEqualTo(4);
    }

    @Test
    void ofWhatIsNotHeldIsDoneAndStopsALateApplyToo() {
      assertThat(done(release(CALL, 2)).streams()).isEmpty();
      assertRefused(apply(spec(CALL, 2, audio(0))), Refusal.RELEASED, 2);
    }

    @Test
    void forgetsTheOldestTombstoneAboveTheLimit() {
      sessions =
          sessions(
              new SessionSettings(
                  Duration.ofSeconds(90),
                  Duration.ofSeconds(60),
                  3,
                  Duration.ofHours(1),
                  Duration.ZERO,
                  100,
                  16,
                  16,
                  8));
      for (int i = 1; i <= 5; i++) {
        release(call(i), 1);
      }
      assertThat(sessions.tombstones()).isEqualTo(3);
      assertThat(sessions.counters().tombstonesForgotten()).isEqualTo(2);
      done(apply(spec(call(1), 1, audio(0))));
      assertRefused(apply(spec(call(5), 1, audio(0))), Refusal.RELEASED, 1);
    }
  }

  @Nested
  class ByItself {
    @Test
    void endsASessionThatIsNotConfirmed() {
      sessions.connected(CONTROL);
      apply(unconfirmed(spec(CALL, 1, audio(0))));
      pass(Duration.ofSeconds(89));
      assertThat(sessions.size()).isEqualTo(1);
      pass(Duration.ofSeconds(1));
      assertThat(sessions.size()).isZero();
      assertThat(lent()).isZero();
      assertThat(events).containsExactly("Expired 1 UNCONFIRMED to control-1");
      // The ends were told addresses that are gone: no revision brings them back unnoticed.
      assertRefused(apply(spec(CALL, 2, audio(0))), Refusal.RELEASED, 1);
    }

    @Test
    void keepsASessionThatASecondApplyConfirms() {
      sessions.connected(CONTROL);
      apply(unconfirmed(spec(CALL, 1, audio(0))));
      pass(Duration.ofSeconds(89));
      apply(spec(CALL, 2, audio(0)));
      pass(Duration.ofHours(1));
      assertThat(sessions.size()).isEqualTo(1);
    }

    @Test
    void countsFromTheLastChangeAndNotFromRepeats() {
      apply(unconfirmed(spec(CALL, 1, audio(0))));
      pass(Duration.ofSeconds(60));
      apply(unconfirmed(spec(CALL, 2, audio(0))));
      pass(Duration.ofSeconds(60));
      apply(unconfirmed(spec(CALL, 2, audio(0))));
      assertThat(sessions.size()).isEqualTo(1);
      pass(Duration.ofSeconds(30));
      assertThat(sessions.size()).isZero();
    }

    @Test
    void lendsAnEarToAConfirmationThatCameInTime() {
      apply(unconfirmed(spec(CALL, 1, audio(0))));
      loop.advance(Duration.ofSeconds(90));
      var answers = new ArrayList<Answer>();
      sessions.apply(spec(CALL, 2, audio(0), video(1)), CONTROL, answers::add);
      sessions.tick();
      settle();
      assertThat(done(answers.getFirst()).confirmed()).isTrue();
      assertThat(sessions.size()).isEqualTo(1);
    }

    @Test
    void endsASessionThatNobodyClaimsAndThatIsSilent() {
      sessions.connected(CONTROL);
      apply(spec(CALL, 1, audio(0)));
      pass(Duration.ofHours(3));
      assertThat(sessions.size()).as("claimed").isEqualTo(1);
      sessions.disconnected(CONTROL);
      pass(Duration.ofMinutes(30));
      path.packet(CALL, loop.nowNs());
      pass(Duration.ofMinutes(59));
      assertThat(sessions.size()).as("had a packet").isEqualTo(1);
      pass(Duration.ofMinutes(1));
      assertThat(sessions.size()).isZero();
      assertThat(events).containsExactly("Expired 1 ORPHANED to all");
      assertThat(sessions.counters().expiredOrphaned()).isEqualTo(1);
    }

    @Test
    void endsNothingWhileControlIsSilentForThreeMinutes() {
      sessions.connected(CONTROL);
      apply(timedOut(spec(CALL, 1, audio(0)), Duration.ofSeconds(60)));
      apply(spec(call(2), 1, audio(0)));
      sessions.disconnected(CONTROL);
      sessions.mediaTimeout(CALL);
      pass(Duration.ofMinutes(3));
      assertThat(sessions.size()).isEqualTo(2);
      sessions.connected(CONTROL);
      assertThat(done(release(CALL, 1)).call()).isEqualTo(CALL);
      assertThat(done(release(call(2), 1)).call()).isEqualTo(call(2));
      assertThat(sessions.size()).isZero();
    }

    @Test
    void keepsASessionThatAnotherControlNodeClaims() {
      sessions.connected(CONTROL);
      apply(spec(CALL, 1, audio(0)));
      sessions.disconnected(CONTROL);
      sessions.connected(OTHER);
      pass(Duration.ofMinutes(59));
      sessions.claim(OTHER, List.of(CALL, call(2)));
      pass(Duration.ofHours(5));
      assertThat(sessions.size()).isEqualTo(1);
      sessions.disconnected(OTHER);
      pass(Duration.ofMinutes(61));
      assertThat(sessions.size()).isZero();
    }

    @Test
    void keepsTheClaimWhileOneOfTwoStreamsIsLeft() {
      sessions.connected(CONTROL);
      sessions.connected(CONTROL);
      apply(spec(CALL, 1, audio(0)));
      sessions.disconnected(CONTROL);
      pass(Duration.ofHours(2));
      assertThat(sessions.size()).isEqualTo(1);
    }

    @Test
    void tellsOfSilenceAgainWhileItLasts() {
      sessions.connected(CONTROL);
      apply(timedOut(spec(CALL, 1, audio(0)), Duration.ofSeconds(60)));
      sessions.mediaTimeout(CALL);
      assertThat(sessions.get(CALL).orElseThrow().mediaTimedOut()).isTrue();
      pass(Duration.ofSeconds(59));
      assertThat(events).containsExactly("MediaTimeout 1 to control-1");
      sessions.disconnected(CONTROL);
      pass(Duration.ofSeconds(1));
      assertThat(events).containsExactly("MediaTimeout 1 to control-1", "MediaTimeout 1 to all");
      loop.advance(Duration.ofSeconds(1));
      path.packet(CALL, loop.nowNs());
      pass(Duration.ofSeconds(60));
      assertThat(events).hasSize(2);
      assertThat(sessions.get(CALL).orElseThrow().mediaTimedOut()).isFalse();
    }

    @Test
    void doesNotTellOfSilenceOnHold() {
      apply(timedOut(spec(CALL, 1, audio(0)), Duration.ofSeconds(60)));
      sessions.mediaTimeout(CALL);
      var hold = StreamSpec.rtp(0, "audio", held(end(false, 4_000)), held(end(false, 5_000)));
      apply(timedOut(spec(CALL, 2, hold), Duration.ofSeconds(60)));
      pass(Duration.ofMinutes(10));
      assertThat(events).hasSize(1);
    }

    @Test
    void tellsOfFirstPackets() {
      sessions.connected(CONTROL);
      apply(spec(CALL, 7, audio(0)));
      sessions.firstPacket(CALL, 0, End.B);
      sessions.firstPacket(call(9), 0, End.B);
      assertThat(events).containsExactly("FirstPacket 7 to control-1");
    }

    @Test
    void endsASessionThatTheRelayHasLostAndLives() {
      apply(spec(CALL, 1, audio(0)));
      path.lose(CALL);
      var hold = StreamSpec.rtp(0, "audio", held(end(false, 4_000)), end(false, 5_000));
      assertRefused(apply(spec(CALL, 2, hold)), Refusal.RELEASED, 1);
      assertThat(events).containsExactly("Expired 1 BROKEN to all");
      apply(spec(call(2), 1, audio(0)));
      path.lose(call(2));
      assertRefused(apply(spec(call(2), 2, audio(0), video(1))), Refusal.RELEASED, 1);
      apply(unconfirmed(spec(call(3), 1, audio(0))));
      path.lose(call(3));
      assertRefused(apply(spec(call(3), 2, audio(0))), Refusal.RELEASED, 1);
      assertThat(lent()).isZero();
      assertThat(sessions.size()).isZero();
      assertThat(sessions.counters().broken()).isEqualTo(3);
    }
  }

  @Nested
  class Node {
    @Test
    void takesOnlyPinnedPortsAfterItsStart() {
      sessions = sessions(SessionSettings.defaults());
      assertThat(sessions.state()).isEqualTo(NodeState.RESTORING);
      assertRefused(apply(spec(CALL, 1, audio(0))), Refusal.RESTORING, 0);
      assertRefused(apply(spec(CALL, 1)), Refusal.RESTORING, 0);
      var half = StreamSpec.rtp(0, "audio", pinned(end(false, 4_000), 10_000), end(false, 5_000));
      assertRefused(apply(spec(CALL, 1, half)), Refusal.RESTORING, 0);
      var whole =
          StreamSpec.rtp(
              0, "audio", pinned(end(false, 4_000), 10_000), pinned(end(false, 5_000), 10_002));
      done(apply(spec(CALL, 1, whole)));
      done(apply(spec(CALL, 2, audio(0))));
      assertRefused(apply(spec(CALL, 3, audio(0), video(1))), Refusal.RESTORING, 0);
      assertThat(lent()).isEqualTo(2);
      pass(Duration.ofMillis(4_999));
      assertThat(sessions.state()).isEqualTo(NodeState.RESTORING);
      pass(Duration.ofMillis(1));
      assertThat(sessions.state()).isEqualTo(NodeState.RUNNING);
      assertThat(states).containsExactly(NodeState.RUNNING);
      done(apply(spec(CALL, 3, audio(0), video(1))));
    }

    @Test
    void waitsForAControlNodeThatIsConnectedAndHasYetToStart() {
      sessions = sessions(SessionSettings.defaults());
      pass(Duration.ofSeconds(1));
      sessions.connected(CONTROL);
      pass(Duration.ofSeconds(8));
      assertThat(sessions.state()).isEqualTo(NodeState.RESTORING);
      var whole =
          StreamSpec.rtp(
              0, "audio", pinned(end(false, 4_000), 10_000), pinned(end(false, 5_000), 10_002));
      done(apply(spec(CALL, 1, whole)));
      sessions.connected(OTHER);
      pass(Duration.ofMillis(4_999));
      assertThat(sessions.state()).isEqualTo(NodeState.RESTORING);
      pass(Duration.ofMillis(1));
      assertThat(sessions.state()).isEqualTo(NodeState.RUNNING);
    }

    @Test
    void doesNotWaitForEverForOneThatIsConnectedAndAsksForNothing() {
      sessions = sessions(SessionSettings.defaults());
      sessions.connected(CONTROL);
      pass(Duration.ofMillis(29_999));
      assertThat(sessions.state()).isEqualTo(NodeState.RESTORING);
      sessions.restoredByOne();
      pass(Duration.ofMillis(1));
      assertThat(sessions.state()).isEqualTo(NodeState.RUNNING);
    }

    @Test
    void takesEverythingAsSoonAsNothingIsToComeBack() {
      sessions = sessions(SessionSettings.defaults());
      sessions.restored();
      sessions.restored();
      assertThat(states).containsExactly(NodeState.RUNNING);
      done(apply(spec(CALL, 1, audio(0))));
      pass(Duration.ofSeconds(6));
      assertThat(states).containsExactly(NodeState.RUNNING);
    }

    @Test
    void drainsOnWhenItIsRestoredMeanwhile() {
      sessions = sessions(SessionSettings.defaults());
      sessions.drain(true);
      sessions.restored();
      assertThat(sessions.state()).isEqualTo(NodeState.DRAINING);
      sessions.drain(false);
      assertThat(states).containsExactly(NodeState.DRAINING, NodeState.RUNNING);
    }

    @Test
    void drainsAndTakesAgain() {
      apply(spec(CALL, 1, audio(0)));
      sessions.drain(true);
      sessions.drain(true);
      assertRefused(apply(spec(call(2), 1, audio(0))), Refusal.DRAINING, 0);
      done(apply(spec(CALL, 2, audio(0), video(1))));
      sessions.drain(false);
      done(apply(spec(call(2), 1, audio(0))));
      assertThat(states).containsExactly(NodeState.DRAINING, NodeState.RUNNING);
    }

    @Test
    void holdsOnlySoManySessions() {
      sessions = sessions(SETTINGS.withMaxSessions(2));
      var answers = new ArrayList<Answer>();
      for (int i = 1; i <= 3; i++) {
        sessions.apply(spec(call(i), 1, audio(0)), CONTROL, answers::add);
      }
      assertThat(answers).hasSize(1);
      assertRefused(answers.getFirst(), Refusal.TOO_MANY_SESSIONS, 0);
      settle();
      done(apply(spec(call(1), 2, audio(0), video(1))));
      release(call(1), 2);
      done(apply(spec(call(3), 1, audio(0))));
      assertThat(sessions.size()).isEqualTo(2);
    }

    @Test
    void listsSessionsInTheOrderOfTheirKeys() {
      for (int i : new int[] {4, 1, 3, 2}) {
        apply(unconfirmed(spec(call(i), 1, new StreamSpec[0])));
      }
      var seen = new ArrayList<CallKey>();
      boolean more =
          sessions.list(
              Optional.of(call(1)),
              state -> {
                if (seen.size() == 2) {
                  return false;
                }
                return seen.add(state.call());
              });
      assertThat(more).isTrue();
      assertThat(seen).containsExactly(call(2), call(3));
      assertThat(sessions.list(Optional.of(call(3)), state -> true)).isFalse();
    }

    @Test
    void givesAllPairsBackWhenItStops() {
      apply(spec(CALL, 1, audio(0)));
      sessions.apply(spec(call(2), 1, audio(0)), CONTROL, answer -> {});
      sessions.stop();
      settle();
      assertThat(sessions.size()).isZero();
      assertThat(sessions.isQuiet()).isTrue();
      assertThat(lent()).isZero();
      assertThat(path.boundPorts()).isZero();
      assertThat(events).isEmpty();
      assertRefused(apply(spec(call(3), 1, audio(0))), Refusal.DRAINING, 0);
    }
  }

  /** What a control node may believe after random requests: revision and streams, or nothing. */
  private record Model(long revision, List<Integer> streams, boolean confirmed) {}

  /**
   * Random Applies, Releases, failures and time against a model. After each step that lets the
   * relay finish: the ledger is exact, every answer came once, and the node holds what was agreed.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void holdsExactlyWhatWasAgreed(long seed) {
    var random = new Random(seed);
    pool = pool(10_000, 10_000 + 2 * (4 + random.nextInt(20)) - 1);
    sessions = sessions(SETTINGS.withMaxSessions(6));
    var model = new TreeMap<CallKey, Model>();
    int[] asked = {0};
    int[] answered = {0};
    sessions.connected(CONTROL);
    for (int step = 0; step < 1_500; step++) {
      CallKey call = call(1 + random.nextInt(8));
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3, 4 -> {
          long revision = 1L + random.nextInt(6) + step / 50;
          var streams = new ArrayList<StreamSpec>();
          for (int index = 0; index < 3; index++) {
            if (random.nextBoolean()) {
              streams.add(
                  StreamSpec.rtp(
                      index,
                      random.nextInt(6) == 0 ? "video" : "audio",
                      end(random.nextInt(5) == 0, 4_000 + random.nextInt(3)),
                      end(random.nextInt(5) == 0, 5_000)));
            }
          }
          boolean confirmed = random.nextInt(4) != 0;
          var wanted = spec(call, revision, streams.toArray(StreamSpec[]::new));
          var spec = confirmed ? wanted : unconfirmed(wanted);
          asked[0]++;
          sessions.apply(
              spec,
              CONTROL,
              answer -> {
                answered[0]++;
                agree(model, spec, answer);
              });
        }
        case 5, 6 -> {
          long revision = 1L + random.nextInt(6) + step / 50;
          asked[0]++;
          sessions.release(
              call,
              revision,
              answer -> {
                answered[0]++;
                Model before = model.get(call);
                if (before != null && revision < before.revision()) {
                  assertRefused(answer, Refusal.STALE_REVISION, before.revision());
                } else if (!isOverloaded(answer)) {
                  done(answer);
                  model.remove(call);
                }
              });
        }
        case 7 -> {
          int port = 10_000 + random.nextInt(40);
          path.fail(
              Endpoint.of(random.nextBoolean() ? "127.0.0.1" : "::1", port),
              FAILURES.get(random.nextInt(FAILURES.size())));
          if (random.nextBoolean()) {
            path.healAll();
          }
        }
        case 8 -> loop.advance(Duration.ofMillis(random.nextInt(20_000)));
        default -> {
          sessions.tick();
          // What was ended by time is known from its event.
          settle();
          model
              .entrySet()
              .removeIf(e -> sessions.get(e.getKey()).isEmpty() && !e.getValue().confirmed());
        }
      }
      if (random.nextInt(3) == 0) {
        settle();
        assertExact(model);
        assertThat(answered[0]).isEqualTo(asked[0]);
      } else if (random.nextBoolean()) {
        path.next();
        loop.runAll();
      }
    }
    settle();
    for (CallKey call : List.copyOf(model.keySet())) {
      done(release(call, Long.MAX_VALUE));
    }
    assertThat(lent()).isZero();
    assertThat(path.boundPorts()).isZero();
    assertThat(sessions.size()).isZero();
    assertThat(sessions.isQuiet()).isTrue();
  }

  private static void agree(Map<CallKey, Model> model, SessionSpec spec, Answer answer) {
    Model before = model.get(spec.call());
    switch (answer) {
      case Answer.Done(SessionState state) -> {
        assertThat(state.revision()).isEqualTo(spec.revision());
        assertThat(before == null || before.revision() <= spec.revision()).isTrue();
        var indices = spec.streams().stream().map(StreamSpec::index).toList();
        assertThat(state.streams()).extracting(SessionState.Stream::index).isEqualTo(indices);
        model.put(spec.call(), new Model(spec.revision(), indices, spec.confirmed()));
      }
      case Answer.Refused refused -> {
        if (refused.refusal() == Refusal.STALE_REVISION) {
          assertThat(refused.heldRevision())
              .isEqualTo(before == null ? 0 : before.revision())
              .isGreaterThan(spec.revision());
        } else if (refused.refusal() == Refusal.REVISION_REUSED) {
          assertThat(refused.heldRevision()).isEqualTo(spec.revision());
        } else if (refused.refusal() == Refusal.RELEASED) {
          assertThat(before).isNull();
        }
      }
    }
  }

  private static boolean isOverloaded(Answer answer) {
    return answer instanceof Answer.Refused refused && refused.refusal() == Refusal.OVERLOADED;
  }

  private void assertExact(Map<CallKey, Model> model) {
    int pairs = 0;
    var heldNow = new TreeMap<CallKey, Model>();
    for (int i = 1; i <= 8; i++) {
      Optional<SessionState> state = sessions.get(call(i));
      if (state.isPresent()) {
        var indices = state.get().streams().stream().map(SessionState.Stream::index).toList();
        heldNow.put(call(i), new Model(state.get().revision(), indices, state.get().confirmed()));
        pairs += 2 * indices.size();
        assertThat(path.ports(call(i))).hasSameSizeAs(indices);
      }
    }
    assertThat(heldNow).isEqualTo(model);
    assertThat(sessions.size()).isEqualTo(model.size());
    assertThat(sessions.pairsOfSessions()).isEqualTo(pairs);
    assertThat(lent()).isEqualTo(pairs);
    assertThat(path.boundPorts()).isEqualTo(2 * pairs);
    PortLedger ledger = sessions.ledger();
    assertThat(ledger.free() + ledger.lent() + ledger.resting() + ledger.setAside())
        .isEqualTo(ledger.total());
    assertThat(ledger.free()).isNotNegative();
  }
}
