package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls in each phase, whose control node is killed with SIGKILL: each comes to its proper end. */
class TakeOverIT {

  private static final long SEED = 7;
  private static final List<Phase> PHASES = List.of(Phase.values());
  private static final Duration SPREAD = Duration.ofSeconds(3);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(45);

  @TempDir Path folder = Path.of("");

  @Test
  void aNodeThatIsStartedAgainGoesOnWithCallsInEachPhase() throws IOException {
    try (Fleet fleet = Fleets.start(folder, 1);
        var load = new Load(fleet, SEED);
        var caller = new UdpPhone(fleet.edge(), "tries-a");
        var callee = new UdpPhone(fleet.edge(), "tries-b")) {
      load.begin(PHASES, false, 1);
      load.begin(PHASES, true, 1);
      var callIds = new ArrayList<>(load.callIds());
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(2 * PHASES.size());
      String invite = isTried(caller, callee);
      callIds.add(caller.callId());
      load.mark(1);
      fleet.killControl(1);
      fleet.startControl(1);
      isRefused(caller, callee, invite);
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }

  /** Of the callee no more is heard than 100. */
  private static String isTried(UdpPhone caller, UdpPhone callee) {
    // A node on a busy machine may ask it to come again.
    Await.until(
        "the callee is registered",
        ENDS_WITHIN,
        () -> callee.ask(callee.registration(), ENDS_WITHIN),
        answer -> answer.startsWith("SIP/2.0 200 "));
    String invite = caller.invitation("tries-b");
    caller.send(invite);
    String got = callee.awaitRequest("INVITE", ENDS_WITHIN);
    callee.send(callee.answer(got, "100 Trying", ""));
    caller.await("100", ENDS_WITHIN, message -> message.startsWith("SIP/2.0 100 "));
    return invite;
  }

  /** Whoever goes on asks again, byte for byte, and has an answer. */
  private static void isRefused(UdpPhone caller, UdpPhone callee, String invite) {
    String again = callee.awaitRequest("INVITE", ENDS_WITHIN);
    callee.send(callee.answer(again, "486 Busy Here", ""));
    String refused =
        caller.await("486", ENDS_WITHIN, message -> UdpPhone.isFinalTo(invite, message));
    assertThat(refused).startsWith("SIP/2.0 486 ");
    caller.send(caller.acknowledgement(invite, refused));
  }

  @Test
  void theSurvivorsGoOnWithCallsInEachPhaseOfTheirDeadNode() throws IOException {
    try (Fleet fleet = Fleets.start(folder, 3);
        var load = new Load(fleet, SEED)) {
      load.begin(PHASES, false, 3);
      load.begin(PHASES, true, 2);
      List<String> callIds = load.callIds();
      assertThat(load.notHeld()).isEmpty();
      assertThat(callIds).hasSize(5 * PHASES.size());
      int victim = load.busiest(phase -> phase != Phase.UP);
      load.mark(victim);
      fleet.killControl(victim);
      load.release(phase -> true, SPREAD);
      load.awaitEnds(phase -> true, ENDS_WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }
}
