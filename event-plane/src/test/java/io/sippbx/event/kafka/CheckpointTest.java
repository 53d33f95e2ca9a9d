package io.sippbx.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("checkpoint");
  }

  @Test
  void givesBackWhatItWasToldLast() throws IOException {
    var checkpoint = new Checkpoint(file());
    assertThat(checkpoint.load("a")).isEmpty();
    checkpoint.store("a", Map.of(0, 5L, 3, 7L));
    checkpoint.store("a", Map.of(0, 6L, 3, 1L << 40));
    assertThat(new Checkpoint(file()).load("a")).isEqualTo(Map.of(0, 6L, 3, 1L << 40));
  }

  @Test
  void knowsNothingOfAnotherTopicOfTheSameName() throws IOException {
    new Checkpoint(file()).store("a", Map.of(0, 5L));
    assertThat(new Checkpoint(file()).load("b")).isEmpty();
  }

  @Test
  void isNotMisledByWhatACrashHasLeftAside() throws IOException {
    new Checkpoint(file()).store("a", Map.of(0, 5L));
    Files.writeString(folder.resolve("checkpoint.new"), "{\"version\":1,\"topic_id\":\"a\",\"pos");
    assertThat(new Checkpoint(file()).load("a")).isEqualTo(Map.of(0, 5L));
    new Checkpoint(file()).store("a", Map.of(0, 6L));
    assertThat(new Checkpoint(file()).load("a")).isEqualTo(Map.of(0, 6L));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{\"version\":2,\"topic_id\":\"a\",\"positions\":{}}",
        "{\"version\":1,\"topic_id\":\"a\",\"positions\":{\"x\":1}}",
        "{\"version\":1,\"topic_id\":\"a\",\"positions\":[]}",
        "{\"version\":1,\"topic_id\":\"a\",\"positions\":{\"0\":5}"
      })
  void refusesWhatIsNoCheckpointAndNamesTheFile(String text) throws IOException {
    Files.writeString(file(), text);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> new Checkpoint(file()).load("a"))
        .withMessageContaining(file().toString());
  }
}
