package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import io.sippbx.shared.config.LoggingConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

@SuppressWarnings("try") // what closing does is looked at before the resource ends
class LoggingTest {

  @TempDir Path folder;

  /** As before the first log of a process. */
  @AfterEach
  void reset() {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    new QuietUntilStarted().configure(context);
  }

  private Logging start(LoggingConfig.Level level) throws IOException {
    return Logging.start(
        new LoggingConfig(
            level, LoggingConfig.Format.TEXT, folder.resolve("log").toString(), 1_000));
  }

  private List<String> messages() throws IOException {
    return Files.readAllLines(folder.resolve("log")).stream()
        .map(line -> line.substring(25))
        .toList();
  }

  static Stream<Arguments> levels() {
    return Stream.of(
        Arguments.of(
            LoggingConfig.Level.DEBUG,
            List.of("DEBUG ours [X]", "INFO  ours [X]", "WARN  ours [X]", "WARN  theirs [Y]")),
        Arguments.of(
            LoggingConfig.Level.INFO,
            List.of("INFO  ours [X]", "WARN  ours [X]", "WARN  theirs [Y]")),
        Arguments.of(LoggingConfig.Level.ERROR, List.of()));
  }

  @Test
  void hearsWhatIsLoggedByJavaUtilLogging() throws IOException {
    var theirs = java.util.logging.Logger.getLogger("io.grpc.internal.Z");
    var ours = java.util.logging.Logger.getLogger("io.sippbx.test.X");
    try (Logging logging = start(LoggingConfig.Level.INFO)) {
      theirs.info("not wanted");
      theirs.warning("theirs");
      ours.info("ours");
      ours.fine("not wanted");
      assertThat(theirs.isLoggable(java.util.logging.Level.INFO))
          .as("what is not wanted is not even made")
          .isFalse();
      logging.close();
    }
    assertThat(messages()).containsExactly("WARN  theirs [Z]", "INFO  ours [X]");
  }

  @ParameterizedTest
  @MethodSource("levels")
  void hearsUsFromTheConfiguredLevelOnAndLibrariesFromWarnOn(
      LoggingConfig.Level level, List<String> expected) throws IOException {
    Logger ours = LoggerFactory.getLogger("io.sippbx.test.X");
    Logger theirs = LoggerFactory.getLogger("io.netty.Y");
    try (Logging logging = start(level)) {
      ours.debug("ours");
      theirs.debug("theirs");
      ours.info("ours");
      theirs.info("theirs");
      ours.warn("ours");
      theirs.warn("theirs");
      logging.close();
      assertThat(logging.written()).isEqualTo(expected.size());
      assertThat(logging.dropped()).isZero();
    }
    assertThat(messages()).isEqualTo(expected);
  }

  @Test
  void isNotFloodedByConnectionsToBrokersThatAreAway() throws IOException {
    try (Logging logging = start(LoggingConfig.Level.INFO)) {
      LoggerFactory.getLogger("org.apache.kafka.clients.NetworkClient").warn("again and again");
      LoggerFactory.getLogger("org.apache.kafka.clients.NetworkClient").error("once");
      LoggerFactory.getLogger("org.apache.kafka.clients.Metadata").warn("theirs");
      logging.close();
      assertThat(messages())
          .containsExactly("ERROR once [NetworkClient]", "WARN  theirs [Metadata]");
    }
  }

  @Test
  void showsWhatItCounts() throws IOException {
    try (Logging logging = start(LoggingConfig.Level.INFO);
        var metrics = new Metrics()) {
      ProcessMetric.bind(metrics, logging);
      LoggerFactory.getLogger("io.sippbx.test.X").info("ours");
      logging.close();
      assertThat(metrics.scrapeText())
          .contains("log_lines_total 1.0\n", "log_lines_dropped_total 0.0\n");
    }
  }

  @Test
  void isQuietAboutWhatIsLoggedAfterItsEnd() throws IOException {
    start(LoggingConfig.Level.INFO).close();
    LoggerFactory.getLogger("io.sippbx.test.X").warn("late");
    assertThat(messages()).isEmpty();
  }

  @Test
  void leavesStandardErrorOpenWhenItTakesOver() throws IOException {
    PrintStream before = System.err;
    var shown = new ByteArrayOutputStream();
    var closed = new AtomicBoolean();
    System.setErr(
        new PrintStream(shown, true, StandardCharsets.UTF_8) {
          @Override
          public void close() {
            closed.set(true);
            super.close();
          }
        });
    try {
      reset();
      LoggerFactory.getLogger("io.sippbx.test.X").warn("early");
      start(LoggingConfig.Level.INFO).close();
      System.err.print("still");
    } finally {
      System.err.flush();
      System.setErr(before);
    }
    assertThat(closed).isFalse();
    assertThat(shown.toString(StandardCharsets.UTF_8))
        .contains("WARN  early [X]\n")
        .endsWith("still");
  }

  @Test
  void isSetUpBeforeItsStartToShowWarningsOnly() {
    Logger ours = LoggerFactory.getLogger("io.sippbx.test.X");
    assertThat(ours.isInfoEnabled()).isFalse();
    assertThat(ours.isWarnEnabled()).isTrue();
  }
}
