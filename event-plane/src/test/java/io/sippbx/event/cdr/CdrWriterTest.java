package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.event.cdr.CdrWriter.Answer;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ringing;
import io.sippbx.shared.config.CdrConfig;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
@SuppressWarnings("try") // what closing does is looked at before the resource ends
class CdrWriterTest {

  private static final Instant NOW = Instant.parse("2025-01-05T12:00:00Z");
  private static final CdrWriter.Pace FAST =
      new CdrWriter.Pace(Duration.ofMillis(5), Duration.ZERO);

  @TempDir Path temp;

  private Path folder() {
    return temp.resolve("cdr");
  }

  private Path today() {
    return folder().resolve("cdr-2025-01-05.jsonl");
  }

  private CdrConfig config(int queueLength) {
    return new CdrConfig(
        true,
        folder(),
        false,
        "cdr-%Y-%m-%d.jsonl",
        CdrConfig.Rotation.DAILY,
        ZoneOffset.UTC,
        Optional.empty(),
        Optional.of(90),
        queueLength,
        List.of(),
        Optional.empty());
  }

  private CdrWriter start() throws IOException {
    return start(1_000);
  }

  private CdrWriter start(int queueLength) throws IOException {
    Files.createDirectories(folder());
    return CdrWriter.start(
        folder(), config(queueLength), InstantSource.fixed(NOW), FAST, CdrWriter.REMEMBERED);
  }

  private static List<String> keys(Path file) throws IOException {
    var keys = new ArrayList<String>();
    for (String line : Files.readAllLines(file)) {
      keys.add(new ObjectMapper().readTree(line).get("call_key").asText());
    }
    return keys;
  }

  private static Answer accept(CdrWriter writer, CallEvent event) {
    return writer.accept(event, () -> {});
  }

  private static void handOver(CdrWriter writer, CallEvent event) throws InterruptedException {
    var done = new CountDownLatch(1);
    assertThat(writer.accept(event, done::countDown)).isEqualTo(Answer.TAKEN);
    assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void saysDoneWhenTheRecordIsInItsFile() throws Exception {
    try (CdrWriter writer = start()) {
      handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
      assertThat(keys(today())).containsExactly("a");
      assertThat(writer.records()).isEqualTo(1);
      assertThat(writer.depth()).isZero();
    }
  }

  @Test
  void forcesRecordsToTheDiskTogetherThatComeOneSoonAfterTheOther() throws Exception {
    Files.createDirectories(folder());
    var seen = new ArrayList<Long>();
    var patient = new CdrWriter.Pace(Duration.ofMillis(5), Duration.ofMinutes(5));
    try (CdrWriter writer =
        CdrWriter.start(
            folder(), config(1_000), InstantSource.fixed(NOW), patient, CdrWriter.REMEMBERED)) {
      for (String call : List.of("a", "b", "c")) {
        writer.accept(
            Ends.of(call, "2025-01-05T11:00:00Z"),
            () -> {
              synchronized (seen) {
                seen.add(writer.records());
              }
            });
      }
      // What waits for more is written at the end, and at once.
    }
    synchronized (seen) {
      assertThat(seen).containsExactly(3L, 3L, 3L);
    }
  }

  @Test
  void choosesTheFileByTheEndOfTheCallInUtc() throws Exception {
    try (CdrWriter writer = start()) {
      accept(writer, Ends.of("a", "2025-01-04T23:59:59.999Z"));
      accept(writer, Ends.of("b", "2025-01-05T00:00:00Z"));
      accept(writer, Ends.of("c", "2025-01-04T23:59:59Z"));
    }
    assertThat(keys(folder().resolve("cdr-2025-01-04.jsonl"))).containsExactly("a", "c");
    assertThat(keys(today())).containsExactly("b");
  }

  @Test
  void beginsAFileEachHourWhenAsked() throws Exception {
    Files.createDirectories(folder());
    var hourly =
        new CdrConfig(
            true,
            folder(),
            false,
            "%Y%m%d-%H",
            CdrConfig.Rotation.HOURLY,
            ZoneOffset.UTC,
            Optional.empty(),
            Optional.empty(),
            100,
            List.of(),
            Optional.empty());
    try (CdrWriter writer = CdrWriter.start(folder(), hourly, InstantSource.fixed(NOW))) {
      accept(writer, Ends.of("a", "2025-01-05T10:59:59Z"));
      accept(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
    }
    assertThat(keys(folder().resolve("20250105-10"))).containsExactly("a");
    assertThat(keys(folder().resolve("20250105-11"))).containsExactly("b");
  }

  @Test
  void writesNothingForEventsThatEndNoCall() throws Exception {
    try (CdrWriter writer = start()) {
      var ringing = CallEvent.newBuilder().setCallKey("a").setRinging(Ringing.getDefaultInstance());
      assertThat(accept(writer, ringing.build())).isEqualTo(Answer.NOT_AN_END);
    }
    assertThat(today()).doesNotExist();
  }

  @Test
  void refusesAnEndOfNoCall() throws Exception {
    try (CdrWriter writer = start()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> accept(writer, Ends.of("", "2025-01-05T11:00:00Z")));
    }
  }

  @Nested
  class OncePerCall {
    @Test
    void writesOneRecordForAnEndThatComesTwice() throws Exception {
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
        accept(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
        accept(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
        writer.close();
        assertThat(keys(today())).containsExactly("a", "b");
        assertThat(writer.duplicates()).isEqualTo(2);
        assertThat(writer.records()).isEqualTo(2);
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2025-01-05T11:00:00Z", "2025-01-04T11:59:00Z"})
    void remembersAcrossARestartFromTheFilesOfTwoDays(String end) throws Exception {
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", end));
      }
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", end));
        assertThat(writer.records()).isZero();
        assertThat(writer.duplicates()).isEqualTo(1);
      }
    }

    /** As after a process that was killed on one day and is started again on another. */
    @Test
    void findsTheRecordsOfFilesThatWereNotReadBack() throws Exception {
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-01T11:00:00Z"));
      }
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("b", "2025-01-01T11:00:01Z"));
        handOver(writer, Ends.of("a", "2025-01-01T11:00:00Z"));
        assertThat(writer.records()).isEqualTo(1);
        assertThat(writer.duplicates()).isEqualTo(1);
      }
      assertThat(keys(folder().resolve("cdr-2025-01-01.jsonl"))).containsExactly("a", "b");
    }

    /** With so few calls known by heart that nearly each has to be looked for in its file. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void writesOneRecordForAnEndThatComesAgainMuchLater(long seed) throws Exception {
      var random = new Random(seed);
      var all = new ArrayList<CallEvent>();
      for (int i = 0; i < 60; i++) {
        String end = NOW.minus(Duration.ofHours(random.nextInt(80))).toString();
        all.add(Ends.of("call-" + i, end));
      }
      for (int run = 0; run < 3; run++) {
        Files.createDirectories(folder());
        try (CdrWriter writer =
            CdrWriter.start(folder(), config(1_000), InstantSource.fixed(NOW), FAST, 3)) {
          for (int i = 0; i < 150; i++) {
            handOver(writer, all.get(random.nextInt(all.size())));
          }
          all.forEach(event -> accept(writer, event));
        }
      }
      var keys = new ArrayList<String>();
      try (var files = Files.list(folder())) {
        for (Path each : files.filter(file -> file.toString().endsWith(".jsonl")).toList()) {
          keys.addAll(keys(each));
        }
      }
      assertThat(keys).doesNotHaveDuplicates().hasSize(all.size());
    }

    @Test
    void knowsTheRecordsOfACompressedFileAndAddsToThem() throws Exception {
      Files.createDirectories(folder());
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-01T10:00:00Z"));
      }
      // Two days old: the next process compresses it when it starts.
      try (CdrWriter writer =
          CdrWriter.start(
              folder(), compressing(), InstantSource.fixed(NOW), FAST, CdrWriter.REMEMBERED)) {
        Path plain = folder().resolve("cdr-2025-01-01.jsonl");
        Path compressed = folder().resolve("cdr-2025-01-01.jsonl.gz");
        Awaitility.await().until(() -> !Files.exists(plain));
        assertThat(compressed).exists();
        handOver(writer, Ends.of("a", "2025-01-01T10:00:00Z"));
        handOver(writer, Ends.of("b", "2025-01-01T11:00:00Z"));
        assertThat(keys(plain)).containsExactly("a", "b");
        assertThat(compressed).doesNotExist();
      }
    }

    private CdrConfig compressing() {
      return new CdrConfig(
          true,
          folder(),
          false,
          "cdr-%Y-%m-%d.jsonl",
          CdrConfig.Rotation.DAILY,
          ZoneOffset.UTC,
          Optional.of(2),
          Optional.of(90),
          100,
          List.of(),
          Optional.empty());
    }

    @Test
    void forgetsTheOldestOverItsBound() {
      var recent = new RecentCalls(2);
      recent.add("a", NOW);
      recent.add("b", NOW.plusSeconds(5));
      recent.add("a", NOW);
      assertThat(recent.isCompleteAt(Instant.MIN)).isTrue();
      recent.add("c", NOW);
      assertThat(recent.isCompleteAt(NOW)).isFalse();
      assertThat(recent.isCompleteAt(NOW.plusSeconds(1))).isTrue();
      assertThat(recent.contains("a")).isFalse();
      assertThat(recent.contains("b")).isTrue();
      assertThat(recent.contains("c")).isTrue();
      assertThat(recent.size()).isEqualTo(2);
    }

    /** Crashes at any byte of the file, over and over: each call is there exactly once at last. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void survivesCrashesAtAnyByte(long seed) throws Exception {
      var random = new Random(seed);
      var expected = new TreeSet<String>();
      for (int start = 0; start < 8; start++) {
        try (CdrWriter writer = start()) {
          int count = random.nextInt(20);
          for (int i = 0; i < count; i++) {
            expected.add("call-" + random.nextInt(60));
          }
          // What was not acknowledged comes again: here simply all.
          for (String key : expected) {
            accept(writer, Ends.of(key, "2025-01-05T11:00:00Z"));
          }
        }
        if (Files.exists(today())) {
          byte[] content = Files.readAllBytes(today());
          int kept = content.length - random.nextInt(Math.min(content.length, 700) + 1);
          Files.write(today(), java.util.Arrays.copyOf(content, kept));
        }
      }
      try (CdrWriter writer = start()) {
        expected.add("last");
        for (String key : expected) {
          accept(writer, Ends.of(key, "2025-01-05T11:00:00Z"));
        }
      }
      assertThat(keys(today()))
          .as("seed %d", seed)
          .doesNotHaveDuplicates()
          .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void readsBackPastLinesThatAreNotItsOwn() throws Exception {
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
      }
      Files.writeString(
          today(), "not json\n" + "x".repeat(300_000) + "\n\n", StandardOpenOption.APPEND);
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
      }
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
        handOver(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
        assertThat(writer.duplicates()).isEqualTo(2);
      }
    }
  }

  @Nested
  class WhenTheDiskIsAway {

    /** A file in the folder's place: creating anything in it fails, for root too. */
    private void takeAway() throws IOException {
      Files.move(folder(), temp.resolve("away"));
      Files.createFile(folder());
    }

    private void bringBack() throws IOException {
      Files.delete(folder());
      Files.move(temp.resolve("away"), folder());
    }

    @Test
    void triesAgainUntilItIsBackAndRaisesAnAlarmMeanwhile() throws Exception {
      try (CdrWriter writer = start();
          var metrics = new Metrics()) {
        writer.bind(metrics);
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
        assertThat(metrics.scrapeText()).contains("cdr_write_alarm 0.0\n");
        takeAway();
        var done = new CountDownLatch(3);
        for (String key : List.of("b", "c", "d")) {
          writer.accept(Ends.of(key, "2025-01-05T11:00:00Z"), done::countDown);
        }
        while (writer.failures() < 2) {
          Thread.onSpinWait();
        }
        assertThat(writer.isFailing()).isTrue();
        assertThat(metrics.scrapeText())
            .contains("cdr_write_alarm 1.0\n", "cdr_queue_length 3.0\n", "cdr_records_total 1.0\n");
        bringBack();
        assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(keys(today())).containsExactlyInAnyOrder("a", "b", "c", "d");
        assertThat(writer.refused()).isZero();
        writer.close();
        assertThat(writer.isFailing()).isFalse();
      }
    }

    @Test
    void keepsWhatFitsAndRefusesWhatDoesNot() throws Exception {
      CdrWriter writer = start(100);
      takeAway();
      accept(writer, Ends.of("first", "2025-01-05T11:00:00Z"));
      while (writer.failures() < 1) {
        Thread.onSpinWait();
      }
      int taken = 0;
      for (int i = 0; i < 150; i++) {
        if (accept(writer, Ends.of("call-" + i, "2025-01-05T11:00:00Z")) == Answer.TAKEN) {
          taken++;
        }
      }
      assertThat(taken).isEqualTo(100);
      assertThat(writer.refused()).isEqualTo(50);
      bringBack();
      writer.close();
      assertThat(keys(today())).hasSize(101);
      assertThat(writer.refused()).isEqualTo(50);
    }

    @Test
    void leavesWhatItCannotWriteToWhoHandedItOver() throws Exception {
      CdrWriter writer = start();
      takeAway();
      var done = new CountDownLatch(1);
      writer.accept(Ends.of("a", "2025-01-05T11:00:00Z"), done::countDown);
      writer.accept(Ends.of("b", "2025-01-05T11:00:00Z"), done::countDown);
      writer.close();
      assertThat(writer.unwritten()).isEqualTo(2);
      assertThat(done.getCount()).isEqualTo(1);
      assertThat(accept(writer, Ends.of("c", "2025-01-05T11:00:00Z"))).isEqualTo(Answer.REFUSED);
      bringBack();
    }

    @Test
    void goesOnInANewFileWhenTheOldOneWasMovedAway() throws Exception {
      try (CdrWriter writer = start()) {
        handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
        Files.move(today(), folder().resolve("archived"));
        handOver(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
        assertThat(keys(folder().resolve("archived"))).containsExactly("a");
        assertThat(keys(today())).containsExactly("b");
      }
    }
  }

  @Test
  void deletesOldFilesOfItsPatternAndNothingElse() throws Exception {
    Files.createDirectories(folder());
    for (String name :
        List.of(
            "cdr-2024-10-06.jsonl",
            "cdr-2024-10-07.jsonl",
            "cdr-2020-01-01.jsonl.bak",
            "billing-2020-01-01.jsonl",
            "cdr-2020-13-01.jsonl")) {
      Files.writeString(folder().resolve(name), "");
    }
    Files.createDirectory(folder().resolve("cdr-2020-01-02.jsonl"));
    try (CdrWriter writer = start()) {
      handOver(writer, Ends.of("a", "2025-01-05T11:00:00Z"));
    }
    try (var files = Files.list(folder())) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "cdr-2024-10-07.jsonl",
              "cdr-2020-01-01.jsonl.bak",
              "billing-2020-01-01.jsonl",
              "cdr-2020-13-01.jsonl",
              "cdr-2020-01-02.jsonl",
              "cdr-2025-01-05.jsonl",
              ".cdr.lock");
    }
  }

  @Test
  void leavesAFolderToTheProcessThatHasIt() throws Exception {
    try (CdrWriter writer = start()) {
      assertThatThrownBy(this::start)
          .isInstanceOf(IOException.class)
          .hasMessage(
              "cdr.output_dir = "
                  + folder()
                  + ": expected a folder that no other process writes to");
      assertThat(writer.records()).isZero();
    }
    start().close();
  }

  @Test
  void goesOnAfterAnErrorOfWhoWasTold() throws Exception {
    try (CdrWriter writer = start()) {
      writer.accept(
          Ends.of("a", "2025-01-05T11:00:00Z"),
          () -> {
            throw new IllegalStateException("somebody's error");
          });
      handOver(writer, Ends.of("b", "2025-01-05T11:00:00Z"));
      assertThat(keys(today())).containsExactly("a", "b");
    }
  }
}
