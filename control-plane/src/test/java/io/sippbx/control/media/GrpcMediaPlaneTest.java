package io.sippbx.control.media;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.MediaAnswer.Held;
import io.sippbx.control.media.MediaAnswer.Refused;
import io.sippbx.control.media.MediaAnswer.Unreachable;
import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.control.media.MediaWitness.Testimony;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.ErrorCode;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEvent;
import io.sippbx.proto.media.v1.SessionEventKind;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.proto.media.v1.StreamCounts;
import io.sippbx.proto.media.v1.StreamEndState;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class GrpcMediaPlaneTest {

  private static final NodeId M1 = new NodeId("m1");
  private static final NodeId M2 = new NodeId("m2");

  private static final MediaNeed ONE_V4 = new MediaNeed(2, 0);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop control = time.loop("control");
  private final VirtualLoop media = time.loop("media");
  private final String run = Long.toHexString(System.identityHashCode(this));
  private final FakeMediaNode m1 = new FakeMediaNode("m1", "m1-" + run, media);
  private final FakeMediaNode m2 = new FakeMediaNode("m2", "m2-" + run, media);
  private final List<MediaEvent> events = new ArrayList<>();
  private final List<NodeId> restores = new ArrayList<>();
  private final List<CallKey> toldLost = new ArrayList<>();
  private final List<NodeId> asked = new ArrayList<>();
  private @Nullable Testimony testimony = Testimony.NOBODY;
  private boolean restoresAtOnce = true;
  private Consumer<List<NodeId>> restoring = keepers -> {};
  private GrpcMediaPlane plane;

  GrpcMediaPlaneTest() {
    plane = plane(GrpcMediaPlaneSettings.of(targets(m1, m2)));
  }

  private static List<MediaTarget> targets(FakeMediaNode... nodes) {
    return java.util.stream.Stream.of(nodes)
        .map(node -> (MediaTarget) new MediaTarget.InProcess(node.address))
        .toList();
  }

  private GrpcMediaPlane plane(GrpcMediaPlaneSettings settings) {
    var made =
        GrpcMediaPlane.start(
            settings,
            new NodeId("control-1"),
            new Incarnation(5),
            control,
            new Random(1),
            (host, answer) -> answer.accept(List.of()),
            MediaChannels.IN_PROCESS_ONLY);
    made.witnessedBy(
        (node, told) -> {
          asked.add(node);
          if (testimony != null) {
            told.accept(testimony);
          }
        });
    made.onEvent(events::add);
    made.onRestore(
        (node, told, done) -> {
          restores.add(node);
          toldLost.addAll(told);
          restoring = done;
          if (restoresAtOnce) {
            done.accept(List.of());
          }
        });
    return made;
  }

  private void restartPlane(GrpcMediaPlaneSettings settings) {
    plane.close();
    time.runReady();
    plane = plane(settings);
  }

  @AfterEach
  void stop() {
    plane.close();
    time.runReady();
    m1.disconnect();
    m2.disconnect();
  }

  private void pass(long millis) {
    time.advance(Duration.ofMillis(millis));
  }

  private static CallKey call(int number) {
    byte[] octets = new byte[16];
    octets[0] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static SessionSpec spec(int number, long revision) {
    var stream = StreamSpec.rtp(0, "audio", StreamEnd.unknown(false), StreamEnd.unknown(false));
    return new SessionSpec(call(number), revision, List.of(stream), true, Duration.ofSeconds(60));
  }

  private List<MediaAnswer> apply(NodeId node, int number, long revision) {
    var answers = new ArrayList<MediaAnswer>();
    plane.apply(node, spec(number, revision), answers::add);
    time.runReady();
    return answers;
  }

  private List<MediaAnswer> release(NodeId node, int number, long revision) {
    var answers = new ArrayList<MediaAnswer>();
    plane.release(node, call(number), revision, answers::add);
    time.runReady();
    return answers;
  }

  @Nested
  class Requests {
    @Test
    void areAnsweredWithTheAddresses() {
      m1.start();
      pass(50);
      var answers = apply(M1, 1, 1);
      assertThat(answers)
          .singleElement()
          .satisfies(
              answer -> {
                var held = (Held) answer;
                assertThat(held.revision()).isEqualTo(1);
                assertThat(held.addresses())
                    .containsExactly(
                        new StreamAddresses(
                            0,
                            Endpoint.of("192.0.2.7", 10_000),
                            Endpoint.of("192.0.2.7", 10_001),
                            Endpoint.of("192.0.2.7", 10_002),
                            Endpoint.of("192.0.2.7", 10_003)));
              });
      assertThat(release(M1, 1, 1)).singleElement().isInstanceOf(Held.class);
      assertThat(m1.sessions).isEmpty();
    }

    @Test
    void areRefusedAsTheNodeSays() {
      m1.start();
      pass(50);
      for (ErrorCode code : ErrorCode.values()) {
        if (code == ErrorCode.UNRECOGNIZED || code == ErrorCode.ERROR_CODE_UNSPECIFIED) {
          continue;
        }
        m1.refusal = code;
        var refused = (Refused) apply(M1, 1, 1).getFirst();
        assertThat("ERROR_CODE_" + refused.refusal()).isEqualTo(code.toString());
        assertThat(refused.heldRevision()).isEqualTo(9);
      }
      m1.refusal = ErrorCode.ERROR_CODE_UNSPECIFIED;
      assertThat(apply(M1, 1, 1)).singleElement().isInstanceOf(Unreachable.class);
    }

    @Test
    void toANodeThatIsNotThereAreAnsweredAtOnce() {
      pass(50);
      assertThat(apply(M1, 1, 1)).singleElement().isInstanceOf(Unreachable.class);
    }

    @Test
    void areGivenUpAfterTheTimeout() {
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = apply(M1, 1, 1);
      pass(1_950);
      assertThat(answers).isEmpty();
      pass(100);
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      assertThat(plane.stats().inFlight()).isZero();
      // An answer that comes after all is nobody's.
      m1.say(
          NodeMessage.newBuilder()
              .setApplyResult(
                  ApplyResult.newBuilder()
                      .setRequestId(m1.received.getLast().getApply().getRequestId())
                      .setSession(Session.getDefaultInstance()))
              .build());
      pass(50);
      assertThat(answers).hasSize(1);
    }

    @Test
    void areSentAgainOnTheNextStream() {
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = apply(M1, 1, 1);
      m1.disconnect();
      pass(20);
      m1.mute = false;
      m1.connect();
      pass(800);
      assertThat(answers).singleElement().isInstanceOf(Held.class);
      assertThat(m1.applies()).isEqualTo(2);
      assertThat(events).isEmpty();
    }

    @Test
    void areGivenUpOnceTheNodeIsLost() {
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = apply(M1, 1, 1);
      m1.disconnect();
      pass(900);
      assertThat(answers).isEmpty();
      pass(200);
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      assertThat(apply(M1, 2, 1)).singleElement().isInstanceOf(Unreachable.class);
    }

    @Test
    void areRefusedWhenTooManyWait() {
      restartPlane(GrpcMediaPlaneSettings.of(targets(m1)).withLimits(3, 3, 10));
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = new ArrayList<MediaAnswer>();
      for (int i = 0; i < 5; i++) {
        plane.apply(M1, spec(i, 1), answers::add);
      }
      time.runReady();
      assertThat(answers)
          .hasSize(2)
          .allSatisfy(
              answer ->
                  assertThat(((Refused) answer).refusal())
                      .isEqualTo(MediaAnswer.Refusal.OVERLOADED));
      pass(2_100);
      assertThat(answers).hasSize(5);
      assertThat(plane.stats().overloads()).isEqualTo(2);
    }

    @Test
    void withAnAnswerThatMakesNoSenseAreUnreachable() {
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = apply(M1, 1, 1);
      m1.say(
          NodeMessage.newBuilder()
              .setApplyResult(
                  ApplyResult.newBuilder()
                      .setRequestId(m1.received.getLast().getApply().getRequestId())
                      .setSession(Session.newBuilder().addStreams(Stream.getDefaultInstance())))
              .build());
      pass(50);
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      assertThat(plane.stats().malformed()).isEqualTo(1);
    }

    @Test
    void areAnsweredWhenThePlaneIsClosed() {
      m1.start();
      pass(50);
      m1.mute = true;
      var answers = apply(M1, 1, 1);
      plane.close();
      time.runReady();
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      assertThat(apply(M1, 1, 2)).singleElement().isInstanceOf(Unreachable.class);
      assertThat(plane.place(ONE_V4)).isEmpty();
      assertThat(m1.streams()).isZero();
    }
  }

  @Nested
  class Releases {
    @Test
    void areSentAgainUntilTheyAreAcknowledged() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      pass(2_000);
      var answers = release(M1, 1, 1);
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      pass(20_000);
      assertThat(plane.stats().releasesKept()).isEqualTo(1);
      assertThat(m1.sessions).hasSize(1);
      m1.connect();
      pass(2_500);
      assertThat(m1.sessions).isEmpty();
      assertThat(m1.releases()).isEqualTo(1);
      assertThat(plane.stats().releasesKept()).isZero();
      assertThat(answers).hasSize(1);
      assertThat(events).as("a released session is not lost").isEmpty();
    }

    @Test
    void thatAreNotAnsweredInTimeAreKeptToo() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.mute = true;
      var answers = release(M1, 1, 1);
      pass(2_100);
      assertThat(answers).singleElement().isInstanceOf(Unreachable.class);
      assertThat(plane.stats().releasesKept()).isEqualTo(1);
      m1.disconnect();
      m1.mute = false;
      m1.connect();
      pass(2_000);
      assertThat(m1.sessions).isEmpty();
      assertThat(plane.stats().releasesKept()).isZero();
    }

    @Test
    void areForgottenWhenTheNodeHasStartedAnew() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      pass(2_000);
      release(M1, 1, 1);
      m1.start();
      pass(2_500);
      assertThat(m1.releases()).isZero();
      assertThat(plane.stats().releasesKept()).isZero();
    }

    @Test
    void areKeptOnlyUpToTheLimit() {
      restartPlane(GrpcMediaPlaneSettings.of(targets(m1)).withLimits(10, 2, 10));
      m1.start();
      pass(50);
      m1.disconnect();
      pass(2_000);
      for (int i = 0; i < 5; i++) {
        assertThat(release(M1, i, 1)).singleElement().isInstanceOf(Unreachable.class);
      }
      pass(50);
      assertThat(plane.stats().releasesKept()).isEqualTo(2);
      assertThat(plane.stats().releasesDropped()).isEqualTo(3);
    }

    @Test
    void areGivenUpAfterTheirLife() {
      pass(50);
      assertThat(release(M1, 1, 1)).singleElement().isInstanceOf(Unreachable.class);
      pass(50);
      assertThat(plane.stats().releasesKept()).isEqualTo(1);
      pass(600_000);
      assertThat(plane.stats().releasesKept()).isZero();
      assertThat(plane.stats().lost()).as("a node never seen is forgotten").isZero();
    }

    @Test
    void forANodeThatWasNeverSeenWaitForIt() {
      pass(50);
      release(M1, 1, 1);
      m1.start();
      pass(3_000);
      assertThat(m1.releases()).isEqualTo(1);
      assertThat(plane.stats().releasesKept()).isZero();
    }
  }

  @Nested
  class Placing {
    @Test
    void takesTheNodeWithTheMostFreePairs() {
      m1.pairsTotal = 10;
      m2.pairsTotal = 20;
      m1.start();
      m2.start();
      pass(50);
      var placed = new ArrayList<NodeId>();
      for (int i = 0; i < 8; i++) {
        plane.place(ONE_V4).ifPresent(placed::add);
      }
      assertThat(placed).startsWith(M2, M2, M2, M2, M2).contains(M1);
      assertThat(placed.stream().filter(M2::equals)).hasSizeBetween(6, 7);
    }

    @Test
    void takesOffWhatIsNotReportedYet() {
      m1.pairsTotal = 6;
      m1.silent = false;
      m1.start();
      pass(50);
      for (int i = 0; i < 3; i++) {
        assertThat(plane.place(ONE_V4)).contains(M1);
        apply(M1, i, 1);
      }
      assertThat(plane.place(ONE_V4)).isEmpty();
      // The report has them in: nothing is taken off twice.
      m1.pairsTotal = 8;
      pass(300);
      assertThat(plane.place(ONE_V4)).contains(M1);
      assertThat(plane.place(ONE_V4)).isEmpty();
      // What is placed and never applied is free again after a while.
      pass(2_100);
      assertThat(plane.place(ONE_V4)).contains(M1);
    }

    @Test
    void givesBackWhatWasRefused() {
      m1.pairsTotal = 2;
      m1.start();
      pass(50);
      assertThat(plane.place(ONE_V4)).contains(M1);
      m1.refusal = ErrorCode.ERROR_CODE_PORTS_EXHAUSTED;
      apply(M1, 1, 1);
      assertThat(plane.place(ONE_V4)).contains(M1);
    }

    @Test
    void leavesOutNodesThatTakeNothingOrAreSilent() {
      m1.start();
      m2.start();
      pass(50);
      m2.state = NodeState.NODE_STATE_DRAINING;
      pass(300);
      assertThat(placedNodes()).containsExactly(M1);
      m2.state = NodeState.NODE_STATE_RESTORING;
      restoresAtOnce = false;
      m1.silent = true;
      pass(300);
      assertThat(placedNodes()).containsExactly(M1);
      pass(500);
      assertThat(placedNodes()).isEmpty();
      m1.silent = false;
      m2.state = NodeState.NODE_STATE_RUNNING;
      pass(300);
      assertThat(placedNodes()).containsExactly(M1, M2);
      m1.disconnect();
      pass(10);
      assertThat(placedNodes()).as("at once on a reset").containsExactly(M2);
    }

    @Test
    void countsThePairsOfTheIpVersionThatIsNeeded() {
      // m1 has the more pairs in all, m2 the more of IPv6
      m1.pairsTotal = 20;
      m1.pairsTotalV6 = 4;
      m2.pairsTotal = 6;
      m2.pairsTotalV6 = 8;
      m1.start();
      m2.start();
      pass(50);
      assertThat(plane.place(new MediaNeed(2, 0))).contains(M1);
      assertThat(plane.place(new MediaNeed(0, 2))).contains(M2);
      // both: of m1 3 of IPv6 would be left, of m2 5 of either
      assertThat(plane.place(new MediaNeed(1, 1))).contains(M2);
      assertThat(plane.place(new MediaNeed(5, 1))).contains(M1);
      assertThat(plane.place(new MediaNeed(0, 5))).contains(M2);
      assertThat(plane.place(new MediaNeed(0, 5))).isEmpty();
      assertThat(plane.place(new MediaNeed(1, 0))).contains(M1);
    }

    @Test
    void takesOffWhatTheApplyNeedsByIpVersion() {
      m1.pairsTotal = 4;
      m1.pairsTotalV6 = 4;
      m1.start();
      pass(50);
      assertThat(plane.place(new MediaNeed(1, 1))).contains(M1);
      var mixed = StreamSpec.rtp(0, "audio", StreamEnd.unknown(false), StreamEnd.unknown(true));
      var video = StreamSpec.rtp(1, "video", StreamEnd.unknown(false), StreamEnd.unknown(true));
      m1.mute = true;
      plane.apply(
          M1, new SessionSpec(call(1), 1, List.of(mixed, video), true, Duration.ZERO), a -> {});
      time.runReady();
      assertThat(plane.place(new MediaNeed(3, 0))).isEmpty();
      assertThat(plane.place(new MediaNeed(0, 3))).isEmpty();
      assertThat(plane.place(new MediaNeed(2, 2))).contains(M1);
    }

    private Set<NodeId> placedNodes() {
      var placed = new TreeSet<NodeId>();
      for (int i = 0; i < 10; i++) {
        plane.place(ONE_V4).ifPresent(placed::add);
      }
      pass(10);
      return placed;
    }
  }

  @Nested
  class Restoring {
    @Test
    void endsAtOnceWhereNothingIsToComeBack() {
      m1.state = NodeState.NODE_STATE_RESTORING;
      m1.start();
      pass(10);
      assertThat(m1.restoresDone()).isEqualTo(1);
      assertThat(plane.place(ONE_V4)).as("long before its 5 s are over").contains(M1);
    }

    @Test
    void endsWhenWhatCanComeBackHas() {
      restoresAtOnce = false;
      m1.state = NodeState.NODE_STATE_RESTORING;
      m1.start();
      pass(1_000);
      assertThat(restores).containsExactly(M1);
      assertThat(m1.restoresDone()).isZero();
      assertThat(plane.place(ONE_V4)).isEmpty();
      restoring.accept(List.of());
      pass(10);
      assertThat(m1.restoresDone()).isEqualTo(1);
      assertThat(plane.place(ONE_V4)).contains(M1);
    }

    @Test
    void isSaidAgainOnTheNextStreamWhenItWasLostWithTheLast() {
      m1.mute = true;
      m1.state = NodeState.NODE_STATE_RESTORING;
      m1.start();
      pass(50);
      m1.disconnect();
      m1.mute = false;
      pass(50);
      m1.connect();
      pass(3_000);
      assertThat(restores).as("the same start of the node").containsExactly(M1);
      assertThat(plane.place(ONE_V4)).contains(M1);
    }

    @Test
    void isAskedForAgainWhenTheNodeStartsAnew() {
      m1.start();
      pass(50);
      assertThat(restores).as("it was not restoring").isEmpty();
      m1.disconnect();
      restoresAtOnce = false;
      m1.state = NodeState.NODE_STATE_RESTORING;
      m1.start();
      pass(3_000);
      Consumer<List<NodeId>> first = restoring;
      m1.disconnect();
      m1.start();
      pass(3_000);
      assertThat(restores).containsExactly(M1, M1);
      first.accept(List.of());
      pass(300);
      assertThat(m1.restoresDone()).as("that was of the start before").isZero();
      restoring.accept(List.of());
      pass(10);
      assertThat(m1.restoresDone()).isEqualTo(1);
    }

    @Test
    void isNotSaidToANodeThatIsRunning() {
      m1.start();
      pass(1_000);
      assertThat(m1.restoresDone()).isZero();
    }
  }

  @Nested
  class Loss {
    @Test
    void ofAllSessionsIsToldWhenTheNodeHasStartedAnew() {
      m1.start();
      m2.start();
      pass(50);
      apply(M1, 1, 1);
      apply(M1, 2, 1);
      apply(M2, 3, 1);
      m1.disconnect();
      m1.start();
      pass(1_000);
      assertThat(events)
          .containsExactly(
              new MediaEvent.SessionLost(call(1), M1), new MediaEvent.SessionLost(call(2), M1));
      assertThat(plane.stats().sessionsKnown()).isEqualTo(1);
      m1.disconnect();
      m1.start();
      pass(1_000);
      assertThat(events).hasSize(2);
    }

    @Test
    void ofWhatTheNodeHasNoMoreIsFoundAfterAReconnection() {
      m1.pageSize = 2;
      m1.start();
      pass(50);
      for (int i = 0; i < 7; i++) {
        apply(M1, i, 1);
      }
      m1.disconnect();
      m1.sessions.remove(call(2).text());
      m1.sessions.remove(call(6).text());
      m1.connect();
      pass(1_000);
      assertThat(events)
          .containsExactly(
              new MediaEvent.SessionLost(call(2), M1), new MediaEvent.SessionLost(call(6), M1));
      var claim = m1.received.getLast().getClaim();
      assertThat(claim.getCallKeysList())
          .containsExactly(
              call(0).text(), call(1).text(), call(3).text(), call(4).text(), call(5).text());
    }

    @Test
    void isNotToldOfWhatWasAppliedSinceTheReconnection() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      m1.mute = true;
      m1.connect();
      pass(500);
      // The first List fails; meanwhile the call is applied again.
      m1.mute = false;
      apply(M1, 1, 2);
      m1.sessions.clear();
      pass(2_000);
      assertThat(events).isEmpty();
    }

    @Test
    void isAskedForAgainWhenTheListFails() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      m1.sessions.clear();
      m1.mute = true;
      m1.connect();
      pass(900);
      assertThat(events).isEmpty();
      m1.mute = false;
      pass(1_500);
      assertThat(events).containsExactly(new MediaEvent.SessionLost(call(1), M1));
    }

    private Standing standing(NodeId node) {
      return plane.seen().stream()
          .filter(seen -> seen.id().equals(node))
          .findFirst()
          .orElseThrow()
          .standing();
    }

    @Test
    void ofANodeIsSeenAfterASecondOfSilence() {
      m1.start();
      m2.start();
      pass(50);
      assertThat(standing(M1)).isEqualTo(Standing.RUNNING);
      m1.disconnect();
      pass(50);
      assertThat(standing(M1)).as("at once on a reset").isEqualTo(Standing.SUSPECTED);
      assertThat(asked).containsExactly(M1);
      pass(850);
      assertThat(standing(M1)).isEqualTo(Standing.SUSPECTED);
      pass(200);
      assertThat(standing(M1)).isEqualTo(Standing.LOST);
      assertThat(standing(M2)).isEqualTo(Standing.RUNNING);
      assertThat(events).as("who is told is the keepers' business").isEmpty();
    }

    @Test
    void isNotBelievedWhileAnotherControlNodeHearsTheNode() {
      testimony = Testimony.HEARD;
      m1.start();
      m2.start();
      pass(50);
      m1.disconnect();
      pass(5_000);
      assertThat(standing(M1)).isEqualTo(Standing.SILENT);
      testimony = Testimony.SILENT;
      pass(1_100);
      assertThat(standing(M1)).isEqualTo(Standing.LOST);
    }

    @Test
    void isNotPutOffByAWitnessThatHasNotNoticedYet() {
      testimony = Testimony.HEARD;
      m1.start();
      m2.start();
      pass(50);
      m1.disconnect();
      pass(200);
      assertThat(asked).containsExactly(M1);
      testimony = Testimony.SILENT;
      pass(850);
      assertThat(standing(M1)).isEqualTo(Standing.LOST);
      int questions = asked.size();
      pass(5_000);
      assertThat(asked).as("that it is lost need be said once").hasSize(questions);
    }

    @Test
    void doesNotWaitForAWitnessThatDoesNotAnswer() {
      testimony = null;
      m1.start();
      m2.start();
      pass(50);
      m1.disconnect();
      pass(1_050);
      assertThat(standing(M1)).isEqualTo(Standing.SILENT);
      pass(250);
      assertThat(standing(M1)).isEqualTo(Standing.LOST);
    }

    @Test
    void isForgottenWhereNothingIsLeftOnTheNode() {
      m1.start();
      m2.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      pass(60_000);
      assertThat(plane.seen()).extracting(MediaNodeSeen::id).containsExactly(M1, M2);
      release(M1, 1, 1);
      pass(700_000);
      assertThat(plane.seen()).extracting(MediaNodeSeen::id).containsExactly(M2);
    }

    @Test
    @DisplayName("a control node that was paused judges nobody before it has listened for 3 s")
    void isNotSaidByWhoWasPaused() {
      m1.start();
      m2.start();
      pass(50);
      control.pause();
      m1.disconnect();
      pass(10_000);
      control.resume();
      for (int i = 0; i < 28; i++) {
        pass(100);
        assertThat(standing(M1)).isNotEqualTo(Standing.LOST);
      }
      pass(500);
      assertThat(standing(M1)).isEqualTo(Standing.LOST);
    }

    @Test
    void ofWhatTheNodeHadIsHandedToWhoBringsItBack() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      m1.state = NodeState.NODE_STATE_RESTORING;
      m1.start();
      pass(1_000);
      assertThat(toldLost).containsExactly(call(1));
    }

    @Test
    void isNotToldWhenMostNodesSeemToBeGone() {
      m1.start();
      m2.start();
      pass(50);
      apply(M1, 1, 1);
      apply(M2, 2, 1);
      m1.disconnect();
      m2.disconnect();
      pass(120_000);
      assertThat(events).isEmpty();
      assertThat(plane.stats().lost()).isEqualTo(2);
      assertThat(plane.seen())
          .extracting(MediaNodeSeen::standing)
          .containsExactly(Standing.SILENT, Standing.SILENT);
      m1.connect();
      m2.connect();
      pass(3_000);
      assertThat(events).isEmpty();
      assertThat(plane.stats().healthy()).isEqualTo(2);
    }

    @Test
    void isNotSeenByWhoDidNotListen() {
      m1.start();
      m2.start();
      pass(50);
      var answers = apply(M1, 1, 1);
      assertThat(answers).hasSize(1);
      control.pause();
      pass(60_000);
      control.resume();
      pass(10);
      assertThat(plane.stats().healthy()).isEqualTo(2);
      pass(1_000);
      assertThat(plane.stats().healthy()).isEqualTo(2);
      assertThat(events).isEmpty();
    }

    @Test
    void ofAStreamThatIsSilentOpensAnother() {
      m1.start();
      pass(50);
      assertThat(plane.stats().connects()).isEqualTo(1);
      m1.silent = true;
      pass(3_200);
      m1.silent = false;
      pass(1_000);
      assertThat(plane.stats().connects()).isEqualTo(2);
      assertThat(plane.stats().healthy()).isEqualTo(1);
    }

    @Test
    void leadsToAttemptsThatGrowApart() {
      pass(60_000);
      long attempts = plane.stats().disconnects();
      // Two nodes, each at most every second once it has slowed down, and at least every two.
      assertThat(attempts).isBetween(60L, 140L);
    }
  }

  @Nested
  class Events {
    @Test
    void ofNodesArePassedOn() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.say(
          event(SessionEventKind.SESSION_EVENT_KIND_FIRST_PACKET).setStreamIndex(2).setFromA(true));
      m1.say(event(SessionEventKind.SESSION_EVENT_KIND_MEDIA_TIMEOUT).setRevision(1));
      m1.say(event(SessionEventKind.SESSION_EVENT_KIND_EXPIRED).setRevision(1));
      m1.say(event(SessionEventKind.SESSION_EVENT_KIND_EXPIRED).setCallKey("../../etc/passwd"));
      m1.say(event(SessionEventKind.SESSION_EVENT_KIND_UNSPECIFIED));
      pass(50);
      assertThat(events)
          .containsExactly(
              new MediaEvent.FirstPacket(call(1), 2, true),
              new MediaEvent.MediaTimeout(call(1), 1),
              new MediaEvent.Expired(call(1), M1, 1));
      assertThat(plane.stats().sessionsKnown()).isZero();
      assertThat(plane.stats().malformed()).isEqualTo(1);
    }

    @Test
    void thatWereMissedAreToldAfterAReconnection() {
      m1.start();
      pass(50);
      apply(M1, 1, 1);
      m1.disconnect();
      Session held = Objects.requireNonNull(m1.sessions.get(call(1).text()));
      var counted =
          StreamEndState.newBuilder().setReceived(StreamCounts.newBuilder().setPackets(5));
      m1.sessions.put(
          call(1).text(),
          held.toBuilder()
              .setMediaTimedOut(true)
              .setStreams(0, held.getStreams(0).toBuilder().setB(counted))
              .build());
      m1.connect();
      pass(1_000);
      assertThat(events)
          .containsExactly(
              new MediaEvent.MediaTimeout(call(1), 1),
              new MediaEvent.FirstPacket(call(1), 0, false));
      m1.disconnect();
      m1.connect();
      pass(1_000);
      assertThat(events)
          .as("the level again, the first packet only once")
          .hasSize(3)
          .last()
          .isEqualTo(new MediaEvent.MediaTimeout(call(1), 1));
    }

    private static SessionEvent.Builder event(SessionEventKind kind) {
      return SessionEvent.newBuilder().setCallKey(call(1).text()).setKind(kind);
    }
  }

  @Nested
  class Directory {
    @Test
    void takesTwoWaysToOneNodeForOne() {
      // The same start of the same node, at another address.
      var other = new FakeMediaNode("m1", "m1-other-" + run, media);
      restartPlane(GrpcMediaPlaneSettings.of(targets(m1, other)));
      m1.start();
      other.start();
      pass(1_000);
      assertThat(plane.stats().healthy()).isEqualTo(1);
      assertThat(plane.stats().conflicts()).isZero();
      assertThat(m1.streams() + other.streams()).isEqualTo(1);
      (m1.streams() == 1 ? m1 : other).disconnect();
      pass(500);
      assertThat(plane.stats().healthy()).isEqualTo(1);
      assertThat(m1.streams() + other.streams()).isEqualTo(1);
      other.disconnect();
    }

    @Test
    void refusesASecondNodeOfTheSameName() {
      var other = new FakeMediaNode("m1", "m1-other-" + run, media);
      restartPlane(GrpcMediaPlaneSettings.of(targets(m1, other)));
      m1.start();
      other.start();
      other.disconnect();
      other.start();
      pass(1_000);
      assertThat(plane.stats().healthy()).isEqualTo(1);
      assertThat(plane.stats().conflicts()).isPositive();
      assertThat(events).isEmpty();
      other.disconnect();
    }

    @Test
    void leavesANodeWithoutAName() {
      var nameless = new FakeMediaNode("", "nameless-" + run, media);
      restartPlane(GrpcMediaPlaneSettings.of(targets(nameless)));
      nameless.start();
      pass(1_000);
      assertThat(plane.stats().healthy()).isZero();
      assertThat(plane.stats().malformed()).isPositive();
      nameless.disconnect();
    }

    @Test
    void remembersOnlySoManySessions() {
      restartPlane(GrpcMediaPlaneSettings.of(targets(m1)).withLimits(10, 10, 2));
      m1.start();
      pass(50);
      for (int i = 0; i < 3; i++) {
        apply(M1, i, 1);
      }
      pass(50);
      assertThat(plane.stats().sessionsKnown()).isEqualTo(2);
      assertThat(plane.stats().sessionsNotKnown()).isEqualTo(1);
    }
  }
}
