package io.sippbx.servers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Ports of servers, of which several processes of tests have some each. */
class PortsTest {

  /** What another process of tests is given. */
  static final class Other {
    public static void main(String[] args) throws IOException {
      System.out.println(Ports.free());
    }
  }

  @Test
  void areHandedOutAgainOnlyWhenAllWereAndNeverToAnotherProcess() throws Exception {
    var ours = new TreeSet<Integer>();
    // Some may be somebody's who asked nobody.
    while (ours.add(Ports.free())) {
      assertThat(ours).hasSizeLessThanOrEqualTo(Ports.SHARE);
    }
    assertThat(ours).hasSizeGreaterThan(Ports.SHARE - 10);

    Process other =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    Other.class.getName()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(other.waitFor()).isZero();
    int theirs = Integer.parseInt(said.strip());
    assertThat(theirs < ours.first() || theirs > ours.last())
        .as("%d beside %s", theirs, ours)
        .isTrue();
  }
}
