package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
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

  /** Run by hand, past the manifest that allows it: the relay goes through Netty then. */
  @Test
  void startsWhereTheJvmLetsNobodyCallTheSystem() {
    String app = System.getProperty("sippbx.app", "../app/target");
    int rtp = Ports.range(20);
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--illegal-native-access=deny",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            app + "/sip-pbx.jar:" + app + "/lib/*",
            "io.sippbx.app.Main",
            "standalone",
            "--port=0",
            "--set=sip.listen_ip=127.0.0.1",
            "--set=media.bind_ip=127.0.0.1",
            "--set=media.port_pool.start=" + rtp,
            "--set=media.port_pool.end=" + (rtp + 19),
            "--set=cdr.output_dir=" + folder,
            "--set=standalone.data_dir=" + folder,
            "--set=monitoring.prometheus_port=0",
            "--set=monitoring.health_check_port=0");
    try (Child child = Child.start("sip-pbx", Path.of("").toAbsolutePath(), command)) {
      assertThat(child.awaitLine(line -> line.startsWith("sip-pbx ready"), ENDS_WITHIN))
          .as(child.tail())
          .isPresent();
      child.terminate();
      assertThat(child.awaitExit(ENDS_WITHIN)).as(child.tail()).isZero();
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

  @Test
  void takesACallRightAfterItSaidThatItIsReady() {
    try (Sipp callee = Sipp.scenario("callee").option("-d", "50").listen(folder);
        EdgeProcess edge = EdgeProcess.standalone(folder)) {
      Phones.registerAtOnce(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      Sipp.scenario("caller").option("-d", "100").succeed(folder, edge.sip(Transport.UDP));
      callee.awaitSuccess();
    }
  }

  @Test
  void saysWhatItWaitsForAndIsReadyWhenAMediaNodeIsThere() throws IOException {
    String control = "127.0.0.1:" + Ports.pair();
    int rtp = Ports.range(20);
    Path cdrs = Files.createDirectory(folder.resolve("cdr"));
    try (Child edge =
        EdgeProcess.run(
            folder,
            List.of(
                "control-plane",
                "--media",
                control,
                "--port",
                "0",
                "--set=sip.listen_ip=127.0.0.1",
                "--set=cdr.output_dir=" + cdrs,
                "--set=monitoring.prometheus_port=0",
                "--set=monitoring.health_check_port=0"))) {
      assertThat(edge.awaitLine(line -> line.contains("node.waiting"), ENDS_WITHIN))
          .as("the line that says what it waits for:\n%s", edge.tail())
          .get()
          .asString()
          .contains("no media node takes calls");
      assertThat(edge.output()).doesNotContain("sip-pbx ready");
      try (EdgeProcess media =
          EdgeProcess.start(
              folder,
              20,
              List.of(),
              List.of("listen: \"" + control + "\""),
              List.of(
                  "media-plane",
                  "--set",
                  "media.port_pool.start=" + rtp,
                  "--set",
                  "media.port_pool.end=" + (rtp + 19)))) {
        assertThat(edge.awaitLine(line -> line.startsWith("sip-pbx ready"), ENDS_WITHIN))
            .as("the banner:\n%s", edge.tail())
            .isPresent();
        assertThat(media.child().isAlive()).isTrue();
      }
      edge.terminate();
      assertThat(edge.awaitExit(ENDS_WITHIN)).isZero();
    }
  }

  @Test
  void endsInOrderWhileItWaits() throws IOException {
    Path cdrs = Files.createDirectory(folder.resolve("cdr"));
    try (Child edge =
        EdgeProcess.run(
            folder,
            List.of(
                "control-plane",
                "--media=127.0.0.1:" + Ports.pair(),
                "--port=0",
                "--set=sip.listen_ip=127.0.0.1",
                "--set=cdr.output_dir=" + cdrs,
                "--set=monitoring.prometheus_port=0",
                "--set=monitoring.health_check_port=0"))) {
      assertThat(edge.awaitLine(line -> line.contains("node.waiting"), ENDS_WITHIN)).isPresent();
      edge.terminate();
      assertThat(edge.awaitExit(ENDS_WITHIN)).isZero();
      assertThat(edge.output()).contains("node.stopped").doesNotContain("sip-pbx ready");
    }
  }
}
