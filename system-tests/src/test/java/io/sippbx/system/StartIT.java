package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong is said at the start, and nothing is left running. */
class StartIT {

  private static final Duration ENDS_WITHIN = Duration.ofSeconds(60);

  @TempDir Path folder = Path.of("");

  @Test
  void namesEveryWrongKeyAtOnce() throws IOException {
    Path file = folder.resolve("wrong.yaml");
    Files.writeString(
        file,
        """
        sip:
          lissen_port: 5060
          no_answer_timeout: soon
        media:
          rtp_timeout: -3
        """);
    try (Child child =
        EdgeProcess.run(folder, List.of("standalone", "--config", file.toString()))) {
      assertThat(child.awaitExit(ENDS_WITHIN)).isNotZero();
      assertThat(child.output())
          .contains("sip.lissen_port")
          .contains("sip.no_answer_timeout", "soon", "an integer from 1 to 3600")
          .contains("media.rtp_timeout", "-3", "an integer from 0 to 86400")
          .doesNotContain("sip-pbx ready");
    }
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    int rtp = Ports.range(20);
    try (var taken = new DatagramSocket(null)) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.pair()));
      try (Child child =
          EdgeProcess.run(
              folder,
              List.of(
                  "standalone",
                  "--port",
                  Integer.toString(taken.getLocalPort()),
                  "--set",
                  "sip.listen_ip=127.0.0.1",
                  "--set",
                  "media.port_pool.start=" + rtp,
                  "--set",
                  "media.port_pool.end=" + (rtp + 19),
                  "--set",
                  "cdr.output_dir=" + folder,
                  "--set",
                  "standalone.data_dir=" + folder,
                  "--set",
                  "monitoring.prometheus_port=0",
                  "--set",
                  "monitoring.health_check_port=0"))) {
        assertThat(child.awaitExit(ENDS_WITHIN)).isNotZero();
        assertThat(child.output())
            .contains("127.0.0.1:" + taken.getLocalPort())
            .doesNotContain("sip-pbx ready");
      }
    }
  }
}
