package io.sippbx.media.port;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenFilesCheckTest {

  @TempDir Path folder;

  private OpenFilesCheck process(String openFiles) throws IOException {
    return new OpenFilesCheck(
        Files.writeString(
            folder.resolve("limits"),
            """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             96365                96365                processes
            Max open files            %s
            Max locked memory         unlimited            unlimited            bytes
            """
                .formatted(openFiles)));
  }

  @Test
  void saysForHowManyCallsThereIsRoom() throws IOException {
    assertThat(process("20000                20000                files").problem(10_000, 44_000))
        .hasValueSatisfying(
            problem ->
                assertThat(problem)
                    .contains("20000 files", "4936 calls", "max_sessions 10000", "want 40256"));
  }

  @Test
  void isContentWithWhatSessionsOrPortsWant() throws IOException {
    OpenFilesCheck process = process("20000                20000                files");
    assertThat(process.problem(4_936, 44_000)).isEmpty();
    assertThat(process.problem(4_937, 44_000)).isPresent();
    assertThat(process.problem(10_000, 19_744)).isEmpty();
    assertThat(process.problem(10_000, 19_745)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "unlimited unlimited files", "9999999999999999999 0 files", "x"})
  void takesWhatItCannotReadForNoLimit(String text) throws IOException {
    assertThat(process(text).problem(1_000_000, 1_000_000)).isEmpty();
  }

  @Test
  void takesAMissingFileForAnotherSystem() {
    assertThat(new OpenFilesCheck(folder.resolve("none")).problem(1_000_000, 1_000_000)).isEmpty();
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void readsWhatThisProcessMayOpen() {
    assertThat(OpenFilesCheck.ofThisProcess().problem(1, 4)).isEmpty();
    assertThat(Files.exists(OpenFilesCheck.LINUX)).isTrue();
  }
}
