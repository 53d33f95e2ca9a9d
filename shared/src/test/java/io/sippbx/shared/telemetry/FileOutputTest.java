package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.config.LoggingConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileOutputTest {

  @TempDir Path folder;
  private final AtomicLong nowNs = new AtomicLong();

  private FileOutput rotating(long maxBytes, int files) throws IOException {
    return FileOutput.rotating(folder.resolve("f"), maxBytes, files, nowNs::get);
  }

  private static void write(FileOutput output, String text) throws IOException {
    output.write(text.getBytes(StandardCharsets.UTF_8));
    output.flush();
  }

  @Test
  void appendsToWhatIsThereAndMakesFolders() throws IOException {
    Path deep = folder.resolve("a/b/log");
    FileOutput first = FileOutput.growing(deep);
    write(first, "one\n");
    first.close();
    FileOutput second = FileOutput.growing(deep);
    write(second, "two\n");
    second.close();
    assertThat(deep).hasContent("one\ntwo\n");
  }

  @Test
  void goesOnInANewFileAfterTheOldOneWasMoved() throws IOException {
    FileOutput output = rotating(Long.MAX_VALUE, 1);
    write(output, "one\n");
    Files.move(folder.resolve("f"), folder.resolve("moved"));
    nowNs.addAndGet(1_000_000_000);
    write(output, "two\n");
    write(output, "three\n");
    output.close();
    assertThat(folder.resolve("moved")).hasContent("one\ntwo\n");
    assertThat(folder.resolve("f")).hasContent("three\n");
  }

  @Test
  void rotatesAndKeepsSoManyFiles() throws IOException {
    FileOutput output = rotating(8, 3);
    for (String text : new String[] {"1111\n", "2222\n", "3333\n", "4444\n", "5555\n"}) {
      write(output, text);
    }
    output.close();
    assertThat(folder.resolve("f")).hasContent("5555\n");
    assertThat(folder.resolve("f.1")).hasContent("4444\n");
    assertThat(folder.resolve("f.2")).hasContent("3333\n");
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(3);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void neverGrowsOverItsBound(long seed) throws IOException {
    var random = new Random(seed);
    int maxBytes = 50 + random.nextInt(200);
    int files = 1 + random.nextInt(4);
    FileOutput output = rotating(maxBytes, files);
    for (int i = 0; i < 300; i++) {
      write(output, "x".repeat(1 + random.nextInt(50)));
      if (random.nextInt(20) == 0) {
        output.close();
        output = rotating(maxBytes, files);
      }
      try (var there = Files.list(folder)) {
        assertThat(there)
            .as("seed %d", seed)
            .hasSizeLessThanOrEqualTo(files)
            .allSatisfy(file -> assertThat(Files.size(file)).isLessThanOrEqualTo(maxBytes));
      }
    }
    output.close();
  }

  @Test
  void namesTheKeyOfAFileThatCannotBeOpened() throws IOException {
    Path blocked = Files.writeString(folder.resolve("file"), "").resolve("log");
    var config =
        new LoggingConfig(
            LoggingConfig.Level.INFO, LoggingConfig.Format.JSON, blocked.toString(), 64);
    assertThatThrownBy(() -> Logging.start(config))
        .isInstanceOf(IOException.class)
        .hasMessage("logging.output = " + blocked + ": expected a file that can be written");
    assertThatThrownBy(() -> SipTraceFile.open(blocked, 1 << 20, 2))
        .isInstanceOf(IOException.class)
        .hasMessage("sip.trace_file = " + blocked + ": expected a file that can be written");
  }
}
