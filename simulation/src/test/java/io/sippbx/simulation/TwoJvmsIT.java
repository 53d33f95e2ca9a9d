package io.sippbx.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What iterates in the order of a hash differs from JVM to JVM: a seed must not. */
class TwoJvmsIT {

  @Test
  void theSameSeedGivesTheSameRunInAnotherJvm() throws Exception {
    String once = hash("11");
    assertThat(once).matches("[0-9a-f]+");
    assertThat(hash("11")).isEqualTo(once);
    assertThat(hash("12")).isNotEqualTo(once);
  }

  private static String hash(String seed) throws IOException, InterruptedException {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Simulate.class.getName(),
                "--hash",
                "--seed",
                seed)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(jvm.exitValue()).isZero();
    return said;
  }
}
