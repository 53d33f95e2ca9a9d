package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SimulateTest {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return Simulate.run(
        args,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private String said() {
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void printsEveryEventOfASeed() {
    assertThat(run("--seed", "2", "--control", "1", "--calls", "4", "--faults", "none", "--trace"))
        .isZero();
    assertThat(said())
        .contains("0.000000 c1#1 starts")
        .contains(" tells 1:STARTED")
        .contains("seed 2: 1 control and ")
        .contains(": as it must be");
  }

  @Test
  void printsATableOfManySeeds() {
    assertThat(
            run(
                "--seeds",
                "2",
                "--seed",
                "5",
                "--threads",
                "2",
                "--control",
                "1",
                "--calls",
                "4",
                "--faults",
                "none"))
        .isZero();
    assertThat(said())
        .contains("| seeds | 2 |")
        .contains("| seeds that failed | 0 |")
        .contains("| calls a second of CPU | ");
  }

  @Test
  void saysWhatItExpected() {
    assertThat(run("--seeds", "none")).isEqualTo(2);
    assertThat(run("--faults", "fire")).isEqualTo(2);
    assertThat(run("--seconds", "5", "--trace")).isEqualTo(2);
    assertThat(run("--what")).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("Expected --seeds of 1 to 2147483647, but got none")
        .contains("Expected the name of a fault, but got fire")
        .contains("with one seed")
        .contains("Expected a value after --what");
  }

  @Test
  void saysHowItIsUsed() {
    assertThat(run("--help")).isZero();
    assertThat(said()).contains("--seconds N").contains("kill_control");
  }
}
