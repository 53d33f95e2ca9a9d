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
}
