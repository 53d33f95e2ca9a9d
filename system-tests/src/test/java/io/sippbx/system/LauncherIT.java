package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The scripts at the root, in a tree with no more than they need, where {@code java} and {@code
 * mvn} are scripts that say how they were called.
 */
class LauncherIT {

  private static final Duration WITHIN = Duration.ofSeconds(30);
  private static final List<String> TOOLS =
      List.of(
          "bash",
          "cat",
          "dirname",
          "env",
          "find",
          "flock",
          "head",
          "id",
          "mkdir",
          "mktemp",
          "readlink",
          "rm",
          "sed",
          "touch",
          "tr",
          "wc");

  @TempDir Path folder = Path.of("");
  private Path tree = Path.of("");
  private Path tools = Path.of("");

  @BeforeEach
  void makeTree() throws IOException {
    Path root = Path.of(System.getProperty("sippbx.root", "..")).toAbsolutePath();
    tree = Files.createDirectory(folder.resolve("tree"));
    for (String script : List.of("sip-pbx", "check", ".mvn/find-jdk", ".ci/run")) {
      Path copy = tree.resolve(script);
      Files.createDirectories(copy.getParent());
      Files.copy(root.resolve(script), copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
    file(tree.resolve("pom.xml"), "");
    for (String module :
        List.of("proto", "shared", "control-plane", "media-plane", "event-plane", "app")) {
      file(tree.resolve(module).resolve("pom.xml"), "");
      file(tree.resolve(module).resolve("src/main/X.java"), "");
    }
    tools = Files.createDirectory(folder.resolve("tools"));
    for (String tool : TOOLS) {
      Files.createSymbolicLink(tools.resolve(tool), which(tool));
    }
    script(tools.resolve("javac"), "echo javac 17.0.1");
    script(tools.resolve("java"), "echo the wrong java; exit 9");
    for (Tool needed : Tool.values()) {
      script(tools.resolve(needed.program()), "exit 0");
    }
  }

  /** JUnit warns of each link that it deletes. */
  @AfterEach
  void deleteLinks() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path link : all.filter(Files::isSymbolicLink).toList()) {
        Files.delete(link);
      }
    }
  }

  private void maven() throws IOException {
    script(
        tools.resolve("mvn"),
        """
        echo "mvn with $JAVA_HOME: $*"
        echo "mvn: $*" >>%1$s/builds
        mkdir -p %1$s/app/target/lib
        echo jar >%1$s/app/target/sip-pbx.jar
        echo library >%1$s/app/target/lib/library.jar
        """
            .formatted(tree));
  }

  private static Path which(String tool) {
    return Stream.of("/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin")
        .map(place -> Path.of(place, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new AssertionError(tool + " is missing"));
  }

  private static void file(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/usr/bin/env bash\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** A folder that looks like a JDK. */
  private Path jdk(String version) throws IOException {
    Path home = folder.resolve("jdk-" + version);
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    script(home.resolve("bin/javac"), "echo javac " + version);
    script(home.resolve("bin/java"), "echo \"java " + version + ": $*\"");
    return home;
  }

  private record Ended(int code, String output) {}

  private Ended run(String script, List<Path> jdks, String... arguments) {
    var command = new ArrayList<String>(List.of(tools.resolve("env").toString(), "-i"));
    command.add("PATH=" + tools);
    command.add("HOME=" + folder);
    command.add("JDK_FOLDERS=" + String.join(":", jdks.stream().map(Path::toString).toList()));
    command.add(tree.resolve(script).toString());
    command.addAll(List.of(arguments));
    try (Child child = Child.start(script, folder, command)) {
      return new Ended(child.awaitExit(WITHIN), child.output());
    }
  }

  private long builds() {
    try {
      Path builds = tree.resolve("builds");
      return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sip-pbx", "check", ".ci/run"})
  void saysInOneLineThatThereIsNoJdk25(String script) throws IOException {
    maven();
    Ended ended = run(script, List.of(jdk("17.0.15"), jdk("21.0.1"), folder.resolve("none")));
    assertThat(ended.code()).isEqualTo(1);
    assertThat(ended.output().lines())
        .singleElement()
        .asString()
        .contains("JDK 25 is missing", "openjdk-25-jdk", "JAVA_HOME");
    assertThat(builds()).isZero();
  }

  @Test
  void runsWithTheJdk25BesideThe17() throws IOException {
    maven();
    Ended ended = run("sip-pbx", List.of(jdk("17.0.15"), jdk("25.0.3")), "demo", "--seconds=1");
    assertThat(ended.code()).isZero();
    assertThat(ended.output())
        .contains("building")
        .contains("java 25.0.3: ")
        .contains("-jar " + tree.toString())
        .endsWith("/sip-pbx.jar demo --seconds=1");
  }

  @Test
  void collectsInShortStepsOnOneCore() throws IOException {
    maven();
    List<Path> jdks = List.of(jdk("25.0.3"));
    script(tools.resolve("nproc"), "echo 2");
    assertThat(run("sip-pbx", jdks, "demo").output()).doesNotContain("-Xmn");
    script(tools.resolve("nproc"), "echo 1");
    Ended ended = run("sip-pbx", jdks, "demo");
    assertThat(ended.code()).isZero();
    assertThat(ended.output())
        .contains(" -Xmn24m -XX:SurvivorRatio=3 -XX:MaxTenuringThreshold=1 -jar ");
  }

  @Test
  void takesHugePagesWhereTheSystemLetsAProgramAskForThem() throws IOException {
    maven();
    Path mode = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
    boolean may =
        Files.isReadable(mode) && Files.readString(mode).matches("(?s).*\\[(madvise|always)\\].*");
    Ended ended = run("sip-pbx", List.of(jdk("25.0.3")), "demo");
    assertThat(ended.output().contains(" -XX:+UseTransparentHugePages ")).isEqualTo(may);
  }

  @ParameterizedTest
  @ValueSource(strings = {"check", ".ci/run"})
  void checksWithTheJdk25BesideThe17(String script) throws IOException {
    maven();
    Ended ended = run(script, List.of(jdk("17.0.15"), jdk("25.0.3")), "-pl", "shared");
    assertThat(ended.code()).isZero();
    assertThat(ended.output())
        .startsWith("mvn with " + folder.resolve("jdk-25.0.3") + ": ")
        .contains("verify");
  }

  @Test
  void saysInOneLineThatMavenIsMissing() throws IOException {
    Ended ended = run("sip-pbx", List.of(jdk("25.0.3")));
    assertThat(ended.code()).isEqualTo(1);
    assertThat(ended.output().lines()).singleElement().asString().contains("Maven is missing");
  }

  @Test
  void showsWhyTheBuildFailed() throws IOException {
    script(tools.resolve("mvn"), "echo 'ERROR of the compiler'; exit 1");
    Ended ended = run("sip-pbx", List.of(jdk("25.0.3")));
    assertThat(ended.code()).isEqualTo(1);
    assertThat(ended.output()).contains("ERROR of the compiler").endsWith("the build failed");
  }

  @Test
  void buildsOnceAndAgainWhenSourcesOrWhatWasBuiltHaveChanged() throws IOException {
    maven();
    List<Path> jdks = List.of(jdk("25.0.3"));
    run("sip-pbx", jdks);
    run("sip-pbx", jdks);
    assertThat(builds()).as("nothing has changed").isEqualTo(1);

    Path source = tree.resolve("shared/src/main/X.java");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    run("sip-pbx", jdks);
    assertThat(builds()).as("a source is newer").isEqualTo(2);
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().minusSeconds(60)));

    Path library = tree.resolve("app/target/lib/library.jar");
    Files.delete(library);
    assertThat(run("sip-pbx", jdks).code()).isZero();
    assertThat(builds()).as("a library is missing").isEqualTo(3);
    assertThat(library).exists();

    Files.writeString(library, "");
    assertThat(run("sip-pbx", jdks).code()).isZero();
    assertThat(builds()).as("a library is cut short").isEqualTo(4);
    assertThat(library).isNotEmptyFile();
  }

  @Test
  void startsWithWhatTheVirtualMachineLearntAfterTheBuild() throws IOException {
    maven();
    Path jdk = jdk("25.0.3");
    script(
        jdk.resolve("bin/java"),
        """
        for each in "$@"; do
          case "$each" in -XX:AOTCacheOutput=*) echo learnt >"${each#*=}" ;; esac
        done
        echo "java: $*"
        """);
    Path cache = tree.resolve("app/target/sip-pbx.aot");
    Ended ended = run("sip-pbx", List.of(jdk), "demo");
    assertThat(ended.code()).isZero();
    assertThat(cache).hasContent("learnt");
    assertThat(ended.output())
        .contains("-XX:AOTCache=" + cache, "-XX:ArchiveRelocationMode=0")
        .doesNotContain("AOTCacheOutput");

    Files.delete(cache);
    assertThat(run("sip-pbx", List.of(jdk), "demo").output()).doesNotContain("AOTCache");
  }

  @Test
  void startsWithoutWhereTheVirtualMachineLearntNothing() throws IOException {
    maven();
    Path jdk = jdk("25.0.3");
    script(
        jdk.resolve("bin/java"),
        """
        for each in "$@"; do
          case "$each" in -XX:AOTCacheOutput=*) echo half >"${each#*=}"; exit 1 ;; esac
        done
        echo "java: $*"
        """);
    Ended ended = run("sip-pbx", List.of(jdk), "demo");
    assertThat(ended.code()).isZero();
    assertThat(ended.output()).contains("java: ").doesNotContain("AOTCache");
  }

  /** Run by hand, past the script. */
  @ParameterizedTest
  @ValueSource(strings = {"logback-classic", "netty-transport", "grpc-core", "sip-pbx-shared"})
  void saysInOneLineThatALibraryIsMissing(String missing) throws IOException {
    Path app = Path.of(System.getProperty("sippbx.app", "../app/target")).toAbsolutePath();
    Path lib = Files.createDirectory(folder.resolve("lib"));
    try (Stream<Path> jars = Files.list(app.resolve("lib"))) {
      for (Path jar : jars.toList()) {
        if (!jar.getFileName().toString().startsWith(missing)) {
          Files.createSymbolicLink(lib.resolve(jar.getFileName()), jar);
        }
      }
    }
    Files.copy(app.resolve("sip-pbx.jar"), folder.resolve("sip-pbx.jar"));
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "--sun-misc-unsafe-memory-access=allow",
            "-jar",
            folder.resolve("sip-pbx.jar").toString(),
            "standalone",
            "--port=0",
            "--set=sip.listen_ip=127.0.0.1",
            "--set=cdr.output_dir=" + folder,
            "--set=logging.level=ERROR",
            "--set=monitoring.prometheus_port=0",
            "--set=monitoring.health_check_port=0");
    try (Child child = Child.start("sip-pbx", folder, command)) {
      assertThat(child.awaitExit(WITHIN)).isEqualTo(1);
      assertThat(child.output().lines())
          .singleElement()
          .asString()
          .startsWith("sip-pbx: the build is incomplete or broken")
          .contains("NoClassDefFoundError");
    }
  }
}
