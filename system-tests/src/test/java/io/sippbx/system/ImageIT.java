package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the Dockerfile copies is there, and what it runs works: with this machine's Java and the
 * executable of this build in the image's places.
 */
class ImageIT {

  private static final Path ROOT =
      Path.of(System.getProperty("sippbx.root", "..")).toAbsolutePath().normalize();
  private static final Path APP = ROOT.resolve("app").resolve("target");
  private static final String HOME = "/var/lib/sip-pbx";
  private static final Duration WITHIN = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder = Path.of("");

  private final List<Instruction> dockerfile = read();

  /** A line of the Dockerfile, its continuations joined. */
  private record Instruction(String name, String rest) {}

  private static List<Instruction> read() {
    var instructions = new ArrayList<Instruction>();
    var line = new StringBuilder();
    try {
      for (String each : Files.readAllLines(ROOT.resolve("Dockerfile"))) {
        if (each.startsWith("#") || each.isBlank()) {
          continue;
        }
        line.append(each.strip());
        if (each.endsWith("\\")) {
          line.setLength(line.length() - 1);
        } else {
          int space = line.indexOf(" ");
          instructions.add(
              new Instruction(line.substring(0, space), line.substring(space + 1).strip()));
          line.setLength(0);
        }
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return instructions;
  }

  private Stream<String> all(String name) {
    return dockerfile.stream().filter(each -> each.name().equals(name)).map(Instruction::rest);
  }

  /** An instruction in the form that no shell reads. */
  private List<String> exec(String name) throws IOException {
    String text = all(name).reduce((first, last) -> last).orElseThrow();
    return List.of(JSON.readValue(text.substring(text.indexOf('[')), String[].class));
  }

  private List<String> entrypoint() throws IOException {
    return exec("ENTRYPOINT").stream()
        .map(
            word ->
                word.equals("java")
                    ? Path.of(System.getProperty("java.home"), "bin", "java").toString()
                    : word.replace("/opt/sip-pbx", APP.toString()))
        .toList();
  }

  /** The image's variables, its home being a folder of this test. */
  private List<String> environment(String... more) {
    var variables =
        new ArrayList<>(
            Pattern.compile("\\S+=\\S+")
                .matcher(String.join(" ", all("ENV").toList()))
                .results()
                .map(MatchResult::group)
                .map(variable -> variable.replace(HOME, folder.toString()))
                .toList());
    variables.addAll(List.of(more));
    return variables;
  }

  private static List<String> joined(List<String> environment, List<String> command) {
    return Stream.of(List.of("env"), environment, command).flatMap(List::stream).toList();
  }

  @Test
  void copiesWhatIsThereAndIsNotIgnored() throws IOException {
    List<String> allowed = Files.readAllLines(ROOT.resolve(".dockerignore"));
    var copied = new ArrayList<String>();
    for (String copy : all("COPY").toList()) {
      String[] words = copy.split(" ");
      if (words[0].equals("--from=build")) {
        assertThat(words[1]).startsWith("/src/");
        assertThat(ROOT.resolve(words[1].substring("/src/".length()))).exists();
      } else {
        for (String source : List.of(words).subList(0, words.length - 1)) {
          copied.add(source);
          assertThat(ROOT.resolve(source)).exists();
          assertThat(allowed).contains("!" + source);
        }
      }
    }
    String pom = Files.readString(ROOT.resolve("pom.xml"));
    assertThat(Pattern.compile("<module>(.+?)</module>").matcher(pom).results())
        .isNotEmpty()
        .allSatisfy(
            module ->
                assertThat(copied).containsAnyOf(module.group(1), module.group(1) + "/pom.xml"));
  }

  @Test
  void startsTheVirtualMachineAsTheScriptDoes() throws IOException {
    var options =
        Pattern.compile("(?m)^options=\\(\\R((?: {2}-\\S+\\R)+)\\)")
            .matcher(Files.readString(ROOT.resolve("sip-pbx")));
    assertThat(options.find()).isTrue();
    assertThat(exec("ENTRYPOINT")).contains(options.group(1).strip().split("\\s+", -1));
  }

  @Test
  void isNobodyWithRights() {
    assertThat(all("USER")).containsExactly("10001:10001");
  }

  @ParameterizedTest
  @ValueSource(strings = {"standalone", "control-plane", "media-plane", "event-plane"})
  void hasEveryRole(String role) throws IOException {
    var command = new ArrayList<>(joined(environment(), entrypoint()));
    command.addAll(List.of(role, "--help"));
    try (Child child = Child.start(role, folder, command)) {
      assertThat(child.awaitExit(WITHIN)).as(child.tail()).isZero();
      assertThat(child.output()).contains("Usage: sip-pbx " + role);
    }
  }

  @Test
  void runsWithoutArgumentsIsHealthyAndEndsInOrder() throws IOException {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":", -1))
            .anyMatch(each -> Files.isExecutable(Path.of(each, "curl"))),
        "no curl here: the image has one for its health check");
    int rtp = Ports.range(20);
    String health = "SIP_PBX_MONITORING_HEALTH_CHECK_PORT=" + Ports.pair();
    List<String> environment =
        environment(
            health,
            "SIP_PBX_MONITORING_PROMETHEUS_PORT=0",
            "SIP_PBX_SIP_LISTEN_IP=127.0.0.1",
            "SIP_PBX_SIP_LISTEN_PORT=0",
            "SIP_PBX_MEDIA_BIND_IP=127.0.0.1",
            "SIP_PBX_MEDIA_PORT_POOL_START=" + rtp,
            "SIP_PBX_MEDIA_PORT_POOL_END=" + (rtp + 19),
            "SIP_PBX_CDR_OUTPUT_DIR=" + folder);
    var command = new ArrayList<>(joined(environment, entrypoint()));
    command.addAll(exec("CMD"));
    List<String> check = joined(List.of(health), exec("HEALTHCHECK"));
    try (Child child = Child.start("sip-pbx", folder, command)) {
      assertThat(child.awaitLine(line -> line.startsWith("sip-pbx ready"), WITHIN))
          .as(child.tail())
          .isPresent();
      assertThat(exitOf(check)).isZero();
      assertThat(Tasks.niceness(child, "sip-pbx-loop")).isNotEmpty().containsOnly(0);
      assertThat(Tasks.niceness(child, "C2 CompilerThre"))
          .as("it compiles with what calls leave of the processors")
          .isNotEmpty()
          .containsOnly(10);
      child.terminate();
      assertThat(child.awaitExit(WITHIN)).as(child.tail()).isZero();
    }
    assertThat(exitOf(check)).as("the check of a process that is gone").isNotZero();
  }

  private int exitOf(List<String> check) {
    try (Child child = Child.start("health check", folder, check)) {
      return child.awaitExit(WITHIN);
    }
  }
}
