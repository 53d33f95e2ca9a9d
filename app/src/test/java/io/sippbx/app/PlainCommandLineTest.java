package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The plain form of a node's command line means what picocli makes of it. */
class PlainCommandLineTest {

  private static final List<String> WORDS =
      List.of(
          "standalone",
          "control-plane",
          "media-plane",
          "event-plane",
          "--set",
          "--set=sip.listen_ip=127.0.0.1",
          "sip.listen_port=5060",
          "a=b=c",
          "=",
          "--config",
          "--config=/etc/sip-pbx.yaml",
          "sip-pbx.yaml",
          "--port",
          "--port=0",
          "5070",
          "--log-level",
          "DEBUG",
          "--log-level=",
          "--media",
          "--media=127.0.0.1:9900,localhost:9901",
          "--help",
          "-h",
          "--",
          "-p",
          "@arguments",
          "'quoted'",
          "\"quoted",
          "",
          " ",
          "--unknown=1");

  /** As picocli reads it. */
  private static NodeStart read(String... args) {
    CommandLine.ParseResult parsed = Cli.commandLine(args).parseArgs(args);
    Object command = parsed.subcommand().commandSpec().userObject();
    return switch (command) {
      case StandaloneCommand standalone -> standalone.start();
      case ControlPlaneCommand control -> control.start();
      case MediaPlaneCommand media -> media.start();
      default -> throw new IllegalStateException("Expected a node, but got " + command);
    };
  }

  @Test
  void isReadAsPicocliReadsIt() {
    String[] args = {
      "control-plane",
      "--set",
      "sip.listen_ip=127.0.0.1",
      "--config=node.yaml",
      "--media",
      "127.0.0.1:9900",
      "--set=a=b=c",
      "--port",
      "0",
      "--log-level=DEBUG"
    };
    var expected =
        new NodeStart(
            Role.CONTROL_PLANE,
            Node.Planes.CONTROL,
            Optional.of(Path.of("node.yaml")),
            List.of(
                new Assignment("media.nodes", "127.0.0.1:9900", "--media"),
                new Assignment("logging.level", "DEBUG", "--log-level"),
                new Assignment("sip.listen_port", "0", "--port"),
                new Assignment("sip.listen_ip", "127.0.0.1", "--set"),
                new Assignment("a", "b=c", "--set")));
    assertThat(PlainCommandLine.read(args)).contains(expected);
    assertThat(read(args)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "demo",
        "--version",
        "--help standalone",
        "event-plane --cdr",
        "standalone --help",
        "standalone --lissen",
        "standalone --port",
        "standalone --port 1 --port 2",
        "standalone --media 127.0.0.1:9900",
        "standalone --set --port",
        "standalone --set=",
        "standalone @arguments",
        "standalone extra"
      })
  void leavesToPicocliWhatIsNotPlain(String line) {
    assertThat(PlainCommandLine.read(line.isEmpty() ? new String[0] : line.split(" "))).isEmpty();
  }

  @Test
  void neverMeansAnythingElse() {
    var random = new Random(1);
    int plain = 0;
    for (int i = 0; i < 2_000; i++) {
      var args = new ArrayList<String>(List.of(WORDS.get(random.nextInt(4))));
      int more = random.nextInt(6);
      for (int j = 0; j < more; j++) {
        args.add(WORDS.get(random.nextInt(WORDS.size())));
      }
      String[] line = args.toArray(new String[0]);
      Optional<NodeStart> start = PlainCommandLine.read(line);
      if (start.isPresent()) {
        plain++;
        assertThat(read(line)).as("%s", args).isEqualTo(start.get());
      }
    }
    assertThat(plain).isGreaterThan(100);
  }
}
