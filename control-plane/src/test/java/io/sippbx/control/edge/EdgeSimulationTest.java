package io.sippbx.control.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A whole control node (edge, transactions, calls, store) on virtual time between scripted phones
 * and a ledger of media sessions. The real code, no part of it replaced but sockets and the relay.
 */
@DisplayName("a node between phones on a network that loses, repeats and reorders")
class EdgeSimulationTest {

  @Test
  void nothingIsLeftAfterAThousandCallsOfEveryKind() {
    var world = new World(1, 0);
    World.Kind[] kinds = World.Kind.values();
    for (int i = 0; i < 1_000; i++) {
      world.startCall(kinds[i % kinds.length]);
      world.clock.advance(Duration.ofMillis(700));
    }
    world.startCall(World.Kind.CALLER_HANGS_UP);
    world.startCall(World.Kind.NO_ANSWER);
    world.clock.advance(Duration.ofSeconds(2));
    world.shutDown();
    world.comesToRest(1, world.started);
    // A CANCEL that overtakes what makes a call of an INVITE leaves no call.
    assertThat(world.started).isGreaterThan(950);
    var every = EnumSet.allOf(Termination.Reason.class);
    every.remove(Termination.Reason.INTERNAL_ERROR);
    // Nobody is there to end a call by hand, and the store is always there.
    every.remove(Termination.Reason.ADMINISTRATOR);
    every.remove(Termination.Reason.STORE_UNAVAILABLE);
    assertThat(world.ended)
        .as("every kind of end but a defect")
        .extracting(end -> end.termination().reason())
        .containsOnly(every.toArray(Termination.Reason[]::new));
  }

  @Test
  void theSameTwoUsersCallAHundredTimesInARow() {
    var world = new World(2, 0);
    for (int i = 0; i < 100; i++) {
      world.startCall(World.Kind.CALLEE_HANGS_UP);
      world.clock.advance(Duration.ofSeconds(4));
    }
    world.comesToRest(2, 100);
    assertThat(world.ended).allMatch(end -> end.termination().reason().text().equals("normal"));
  }

  @Test
  void aCalleeMayRingForLongerThanAnUnconfirmedSessionLives() {
    var world = new World(3, 0);
    world.startCall(World.Kind.RINGS_LONG);
    world.comesToRest(3, 1);
    CallHappening.Ended end = world.ended.getFirst();
    assertThat(end.termination().reason()).isEqualTo(Termination.Reason.NORMAL);
    assertThat(Duration.between(end.startedAt(), end.answeredAt().orElseThrow()))
        .isGreaterThan(Duration.ofSeconds(169));
    List<Long> ringing =
        world.network.trace().stream()
            .filter(sent -> sent.from().equals(World.EDGE) && sent.line().startsWith("180"))
            .map(sent -> sent.at().toSeconds())
            .toList();
    assertThat(ringing).as("RFC 3261 13.3.1.1: at every minute").containsExactly(0L, 60L, 120L);
  }

  @Test
  void aCalleeIsReachedAtItsNextAddressWhenTheFirstIsSilent() {
    var world = new World(4, 0);
    world.startCall(World.Kind.FAIL_OVER);
    world.comesToRest(4, 1);
    CallHappening.Ended end = world.ended.getFirst();
    assertThat(end.termination().reason()).isEqualTo(Termination.Reason.NORMAL);
    assertThat(end.callee().ip()).isEqualTo("127.0.0.3");
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(
      longs = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30})
  void comesToRestOnALossyNetwork(long seed) {
    var world = new World(seed, 0.1);
    World.Kind[] kinds = World.Kind.values();
    int calls = 40;
    for (int i = 0; i < calls; i++) {
      world.startCall(kinds[world.random.nextInt(kinds.length)]);
      world.clock.advance(Duration.ofSeconds(1));
    }
    // An INVITE that the network lost for good is no call; all that arrived must have ended.
    world.runToTheEnd();
    world.comesToRest(seed, world.started);
    assertThat(world.started).isGreaterThan(calls - 3);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(
      longs = {41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60})
  void callsOutliveTheirNodeWheneverItIsKilled(long seed) {
    var world = new World(seed, seed % 2 == 0 ? 0 : 0.05);
    World.Kind[] kinds = World.Kind.values();
    for (int i = 0; i < 40; i++) {
      world.startCall(kinds[world.random.nextInt(kinds.length)]);
      world.clock.advance(Duration.ofMillis(world.random.nextInt(1_500)));
      if (world.random.nextInt(5) == 0) {
        world.killAndStartAgain(Duration.ofMillis(world.random.nextInt(3_000)));
      }
    }
    world.comesToRestAfterAll(seed);
  }

  @ParameterizedTest(name = "killed after {0} ms")
  @ValueSource(ints = {1, 20, 45, 70, 150, 200, 300, 340, 360, 380, 1_000, 5_000, 39_999, 40_010})
  void aCallThatIsKilledInWhateverPhaseEndsAsItWouldHave(int afterMs) {
    var world = new World(7, 0);
    world.startCall(World.Kind.CALLER_HANGS_UP);
    world.clock.advance(Duration.ofMillis(afterMs));
    world.killAndStartAgain(Duration.ofMillis(700));
    world.comesToRestAfterAll(7);
    assertThat(world.outbox().values())
        .as("what phones believe is what is told")
        .allSatisfy(
            events -> assertThat(events.getLast().getEnded().getReason()).isEqualTo("normal"));
    assertThat(world.outbox()).hasSize(1);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(
      longs = {61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80})
  void callsOutliveTheirMediaNodesToo(long seed) {
    var world = new World(seed, seed % 2 == 0 ? 0 : 0.05, 10_000, 3);
    World.Kind[] kinds = World.Kind.values();
    int dead = 0;
    int drained = 0;
    for (int i = 0; i < 60; i++) {
      world.startCall(kinds[world.random.nextInt(kinds.length)]);
      world.clock.advance(Duration.ofMillis(world.random.nextInt(3_000)));
      switch (world.random.nextInt(12)) {
        case 0 -> {
          if (dead == 0) {
            dead = 1 + world.random.nextInt(3);
            world.media.kill(LedgerMediaPlane.node(dead));
          }
        }
        case 1, 2 -> {
          if (dead != 0) {
            world.media.startAgain(LedgerMediaPlane.node(dead));
            dead = 0;
          }
        }
        case 3 -> {
          drained = 1 + world.random.nextInt(3);
          world.media.drain(LedgerMediaPlane.node(drained));
        }
        case 4 -> {
          if (drained != 0) {
            world.media.undrain(LedgerMediaPlane.node(drained));
          }
        }
        case 5 -> world.killAndStartAgain(Duration.ofMillis(world.random.nextInt(3_000)));
        default -> {}
      }
    }
    world.comesToRestAfterAll(seed);
  }

  @ParameterizedTest(name = "media node dies after {0} ms")
  @ValueSource(ints = {1, 5, 20, 45, 70, 150, 200, 300, 340, 360, 380, 1_000, 5_000, 39_000})
  void aCallWhoseMediaNodeDiesInWhateverPhaseEndsAsItWouldHave(int afterMs) {
    var world = new World(8, 0, 10_000, 2);
    world.startCall(World.Kind.CALLER_HANGS_UP);
    world.clock.advance(Duration.ofMillis(afterMs));
    world.media.kill(LedgerMediaPlane.node(1));
    world.comesToRest(8, 1);
    CallHappening.Ended end = world.ended.getFirst();
    assertThat(end.termination().reason()).isEqualTo(Termination.Reason.NORMAL);
    assertThat(end.mediaNode()).isEqualTo("media-2");
  }

  @Test
  void aDrainedNodeIsEmptyWhileItsCallsGoOn() {
    var world = new World(9, 0, 10_000, 2);
    for (int i = 0; i < 10; i++) {
      world.startCall(World.Kind.CALLER_HANGS_UP);
      world.clock.advance(Duration.ofMillis(500));
    }
    world.clock.advance(Duration.ofSeconds(5));
    assertThat(world.media.sessionsOf(LedgerMediaPlane.node(1))).isNotEmpty();
    world.media.drain(LedgerMediaPlane.node(1));
    world.clock.advance(Duration.ofSeconds(5));
    assertThat(world.media.sessionsOf(LedgerMediaPlane.node(1))).isEmpty();
    assertThat(world.media.sessionsOf(LedgerMediaPlane.node(2))).hasSize(10);
    world.comesToRest(9, 10);
    assertThat(world.ended).allMatch(end -> end.termination().reason().text().equals("normal"));
  }

  @Test
  void aMediaNodeThatIsStartedAgainHasItsCallsBackAndNobodyIsTold() {
    var world = new World(10, 0);
    world.startCall(World.Kind.CALLER_HANGS_UP);
    world.clock.advance(Duration.ofSeconds(10));
    int sent = world.network.trace().size();
    world.media.kill(LedgerMediaPlane.node(1));
    world.clock.advance(Duration.ofSeconds(4));
    world.media.startAgain(LedgerMediaPlane.node(1));
    world.clock.advance(Duration.ofSeconds(10));
    assertThat(world.media.sessions()).hasSize(1);
    assertThat(world.network.trace()).hasSize(sent);
    world.comesToRest(10, 1);
    assertThat(world.ended.getFirst().termination().reason()).isEqualTo(Termination.Reason.NORMAL);
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertThat(traceOf(5)).isEqualTo(traceOf(5));
  }

  private static List<String> traceOf(long seed) {
    var world = new World(seed, 0.05);
    for (World.Kind kind : World.Kind.values()) {
      world.startCall(kind);
      world.clock.advance(Duration.ofMillis(900));
    }
    world.runToTheEnd();
    return world.network.trace().stream().map(Object::toString).toList();
  }
}
