package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The parser under Jazzer, from the torture messages as seeds, in a JVM of its own, so that its
 * instrumentation touches no other test. It runs for {@code fuzz.seconds} (10 unless set as a
 * system property); what it finds to reach new code is kept in target/fuzz and is where the next
 * run starts.
 */
@DisplayName("any octets (DESIGN.md, law 7)")
class SipParserFuzzTest {

  private static final int SECONDS = Integer.getInteger("fuzz.seconds", 10);

  static List<RfcMessages.RfcMessage> seeds() {
    return RfcMessages.all();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("seeds")
  void holdsForTheSeeds(RfcMessages.RfcMessage seed) {
    ParserProperties.check(seed.bytes());
  }

  @Test
  void findsNothingInItsTime() throws IOException, InterruptedException {
    Path corpus = Files.createDirectories(Path.of("target", "fuzz", "sip-message"));
    for (RfcMessages.RfcMessage seed : RfcMessages.all()) {
      Files.write(corpus.resolve("seed-" + seed.name()), seed.bytes());
    }
    Path log = corpus.resolveSibling("sip-message.log");
    Process jazzer =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx768m",
                    "-XX:+UseSerialGC",
                    "-XX:+EnableDynamicAgentLoading",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "com.code_intelligence.jazzer.Jazzer",
                    "--target_class=" + SipParserFuzz.class.getName(),
                    "--instrumentation_includes=io.sippbx.control.sip.message.**",
                    "--reproducer_path=" + corpus.getParent(),
                    "-artifact_prefix=" + corpus.getParent() + "/",
                    "-max_len=8192",
                    "-rss_limit_mb=0",
                    "-max_total_time=" + SECONDS,
                    corpus.toString()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int exit = jazzer.waitFor();
    String said = Files.readString(log);
    assertEquals(0, exit, () -> "Jazzer: " + tail(said));
    assertTrue(said.contains("Done "), () -> "Jazzer ran: " + tail(said));
    assertTrue(
        said.contains("Instrumented io.sippbx.control.sip.message.MessageScan"),
        () -> "Jazzer sees what is covered: " + tail(said));
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - 4000));
  }
}
