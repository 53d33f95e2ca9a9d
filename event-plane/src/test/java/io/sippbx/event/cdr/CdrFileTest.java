package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CdrFileTest {

  @TempDir Path folder;
  private final List<Integer> cuts = new ArrayList<>();

  private CdrFile open() throws IOException {
    return CdrFile.open(folder.resolve("f"), null, cuts::add);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({"'',''", "'a\n','a\n'", "'a\nb','a\n'", "'half',''", "'\n','\n'", "'a\n\nb','a\n\n'"})
  void removesALineThatACrashHasCut(String found, String left) throws IOException {
    Files.writeString(folder.resolve("f"), found);
    try (CdrFile file = open()) {
      file.append(List.of(bytes("next\n")));
    }
    assertThat(folder.resolve("f")).hasContent(left + "next\n");
    assertThat(cuts.stream().mapToInt(Integer::intValue).sum())
        .isEqualTo(found.length() - left.length());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void keepsEveryWholeLineWhereverTheCutIs(long seed) throws IOException {
    var random = new Random(seed);
    var text = new StringBuilder();
    while (text.length() < 200_000) {
      text.append("x".repeat(random.nextInt(70_000))).append('\n');
    }
    String cut = text.substring(0, random.nextInt(text.length()));
    Files.writeString(folder.resolve("f"), cut);
    open().close();
    assertThat(Files.readString(folder.resolve("f")))
        .as("seed %d", seed)
        .isEqualTo(cut.substring(0, cut.lastIndexOf('\n') + 1));
  }

  @Test
  void endsButDoesNotRemoveWhatIsTooLongForARecord() throws IOException {
    String foreign = "a\n" + "x".repeat(2 << 20);
    Files.writeString(folder.resolve("f"), foreign);
    try (CdrFile file = open()) {
      file.append(List.of(bytes("next\n")));
    }
    assertThat(Files.readString(folder.resolve("f"))).isEqualTo(foreign + "\nnext\n");
    assertThat(cuts).isEmpty();
  }

  @Test
  void takesAwayWhatAFailedAppendMayHaveLeft() throws IOException {
    Path path = folder.resolve("f");
    CdrFile.Torn torn;
    try (CdrFile file = open()) {
      file.append(List.of(bytes("one\n")));
      torn = file.torn();
    }
    // The append reached the file and then failed: whole lines, and a half one.
    Files.writeString(path, "one\ntwo\nthr");
    try (CdrFile file = CdrFile.open(path, torn, cuts::add)) {
      file.append(List.of(bytes("two\n"), bytes("three\n")));
    }
    assertThat(path).hasContent("one\ntwo\nthree\n");
  }

  @Test
  void leavesAnotherFileOfTheSameNameAlone() throws IOException {
    Path path = folder.resolve("f");
    CdrFile.Torn torn;
    try (CdrFile file = open()) {
      torn = file.torn();
    }
    Files.move(path, folder.resolve("kept"));
    Files.writeString(path, "somebody's\n");
    CdrFile.open(path, torn, cuts::add).close();
    assertThat(path).hasContent("somebody's\n");
  }

  @Test
  void seesThatItWasMovedOrDeleted() throws IOException {
    try (CdrFile file = open()) {
      assertThat(file.isInPlace()).isTrue();
      Files.move(file.path(), folder.resolve("moved"));
      assertThat(file.isInPlace()).isFalse();
      Files.writeString(file.path(), "");
      assertThat(file.isInPlace()).isFalse();
    }
  }
}
