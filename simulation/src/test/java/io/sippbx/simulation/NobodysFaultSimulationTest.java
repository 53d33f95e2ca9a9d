package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What the invariants allow because no node could do better: each in a run that shows it. */
@DisplayName("what no node can help")
class NobodysFaultSimulationTest {

  private static Outcome run(CallKind kind, Fault... faults) {
    var call = new PlannedCall(0, Duration.ofSeconds(1), kind, 0, 0, Duration.ofSeconds(5), 100);
    var scenario = new Scenario(1, 1, 1, 1, 0, 5, List.of(call), List.of(faults));
    Outcome outcome = Simulation.run(scenario, Plants.NONE, 10_000);
    assertThat(outcome.violations()).as(String.join("\n", outcome.trace())).isEmpty();
    assertThat(outcome.calls()).isEqualTo(1);
    return outcome;
  }

  @Test
  void aCalleeThatNoInviteReachesHasNotAnswered() {
    var away =
        new Fault(Duration.ofMillis(500), Duration.ofSeconds(60), Fault.Kind.CUT_PHONE, 0, 1);
    assertThat(run(CallKind.OVERLOADED, away).trace())
        .anyMatch(line -> line.contains("reason=NO_ANSWER"));
  }

  @Test
  void aCalleeThatNobodyHearsRingsUntilItsInviteExpires() {
    // Its 180 is under way when its node is killed; what is sent to it from then on is lost.
    var killed =
        new Fault(Duration.ofMillis(1_011), Duration.ofMillis(200), Fault.Kind.KILL_CONTROL, 0, 0);
    var cutOff =
        new Fault(Duration.ofMillis(1_011), Duration.ofSeconds(60), Fault.Kind.CUT_PHONE, 0, 1);
    assertThat(run(CallKind.NO_ANSWER, killed, cutOff).trace())
        .anyMatch(line -> line.contains("callee0 -> 127.0.0.1:5060 180 of INVITE"))
        .anyMatch(line -> line.endsWith("callee0 rings for call 0 until its INVITE expires"));
  }

  @Test
  void anAnswerHasNoAckWhoseCallerWasRefusedByANodeThatDiedBeforeItCouldWrite() {
    // CANCEL and answer come while it stands still; it refuses the caller before it has a lease.
    var stands =
        new Fault(
            Duration.ofMillis(1_050), Duration.ofMillis(6_913), Fault.Kind.PAUSE_CONTROL, 0, 0);
    var killed =
        new Fault(
            Duration.ofMillis(7_966), Duration.ofMillis(4_000), Fault.Kind.KILL_CONTROL, 0, 0);
    assertThat(run(CallKind.CANCELLED_SOMETIME, stands, killed).trace())
        .anyMatch(line -> line.contains("has no ACK for its 2xx"));
  }

  @Test
  void aCallIsForgottenThatStoreAndNodeLoseTogether() {
    // It is begun and answered while the replica that takes over hears of nothing.
    var failOver =
        new Fault(
            Duration.ofSeconds(1), Duration.ofSeconds(2), Fault.Kind.STORE_LOSES_WRITES, 0, 900);
    var killed =
        new Fault(Duration.ofMillis(2_200), Duration.ofMillis(200), Fault.Kind.KILL_CONTROL, 0, 0);
    assertThat(run(CallKind.CALLER_HANGS_UP, failOver, killed).trace())
        .anyMatch(line -> line.contains("has lost a commit"))
        .noneMatch(line -> line.contains(" back as version "))
        .noneMatch(line -> line.contains(":ENDED"));
  }
}
