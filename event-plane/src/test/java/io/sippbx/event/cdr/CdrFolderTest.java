package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.config.CdrConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdrFolderTest {

  @TempDir Path temp;
  private Path blocked;

  /** A folder that nobody can make, root not either: its parent is a file. */
  @BeforeEach
  void block() throws IOException {
    Files.writeString(temp.resolve("file"), "");
    blocked = temp.resolve("file").resolve("cdr");
  }

  private static CdrConfig config(Path outputDir, boolean isDefault) {
    return new CdrConfig(
        true,
        outputDir,
        isDefault,
        "cdr-%Y-%m-%d.jsonl",
        CdrConfig.Rotation.DAILY,
        ZoneOffset.UTC,
        Optional.empty(),
        Optional.of(90),
        100,
        List.of(),
        Optional.empty());
  }

  @Test
  void makesTheConfiguredFolder() throws IOException {
    Path wanted = temp.resolve("a/b/cdr");
    CdrFolder folder = CdrFolder.choose(config(wanted, false), Optional.of(temp.resolve("other")));
    assertThat(folder).isEqualTo(new CdrFolder(wanted, Optional.empty()));
    assertThat(wanted).isEmptyDirectory();
    assertThat(temp.resolve("other")).doesNotExist();
  }

  @Test
  void fallsBackWhereNobodyConfiguredAFolder() throws IOException {
    Path other = temp.resolve("other");
    CdrFolder folder = CdrFolder.choose(config(blocked, true), Optional.of(other));
    assertThat(folder.path()).isEqualTo(other);
    assertThat(folder.notice())
        .hasValueSatisfying(
            notice -> assertThat(notice).contains("cdr.output_dir", "" + blocked, "" + other));
  }

  @Test
  void refusesAFolderThatSomebodyConfiguredAndCannotBeMade() {
    assertThatThrownBy(
            () -> CdrFolder.choose(config(blocked, false), Optional.of(temp.resolve("other"))))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            "cdr.output_dir = " + blocked + ": expected a folder that can be written, but ");
    assertThat(temp.resolve("other")).doesNotExist();
  }

  @Test
  void refusesWhereThereIsNoOther() {
    assertThatThrownBy(() -> CdrFolder.choose(config(blocked, true), Optional.empty()))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cdr.output_dir = " + blocked);
    assertThatThrownBy(() -> CdrFolder.choose(config(blocked, true), Optional.of(blocked)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cdr.output_dir = " + blocked);
  }
}
