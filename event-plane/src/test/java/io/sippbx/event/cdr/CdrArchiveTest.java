package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdrArchiveTest {

  private static final Instant NOW = Instant.parse("2025-01-10T12:00:00Z");

  @TempDir Path folder;

  private CdrArchive archive() {
    return new CdrArchive(
        folder,
        new CdrFileName("cdr-%Y-%m-%d.jsonl", ZoneOffset.UTC),
        ZoneOffset.UTC,
        Optional.of(5),
        Optional.of(2));
  }

  private Path write(String name) throws IOException {
    return Files.writeString(folder.resolve(name), "{\"of\":\"" + name + "\"}\n");
  }

  private static String uncompressed(Path path) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(path))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void compressesAfterSomeDaysAndDeletesAfterMore() throws IOException {
    write("cdr-2025-01-04.jsonl");
    write("cdr-2025-01-04.jsonl.gz");
    write("cdr-2025-01-05.jsonl");
    write("cdr-2025-01-07.jsonl");
    write("cdr-2025-01-08.jsonl");
    write("cdr-2025-01-10.jsonl");
    write("notes-2025-01-01.txt");
    archive().sweep(NOW);
    try (var files = Files.list(folder)) {
      assertThat(files.map(file -> String.valueOf(file.getFileName())))
          .containsExactlyInAnyOrder(
              "cdr-2025-01-05.jsonl.gz",
              "cdr-2025-01-07.jsonl.gz",
              "cdr-2025-01-08.jsonl",
              "cdr-2025-01-10.jsonl",
              "notes-2025-01-01.txt");
    }
    assertThat(uncompressed(folder.resolve("cdr-2025-01-07.jsonl.gz")))
        .isEqualTo("{\"of\":\"cdr-2025-01-07.jsonl\"}\n");
  }

  @Test
  void bringsACompressedFileBackAsItWas() throws IOException {
    Path plain = write("cdr-2025-01-07.jsonl");
    String before = Files.readString(plain);
    archive().sweep(NOW);
    assertThat(plain).doesNotExist();
    archive().restore("cdr-2025-01-07.jsonl");
    assertThat(plain).hasContent(before);
    assertThat(archive().isCompressed("cdr-2025-01-07.jsonl")).isFalse();
  }

  @Test
  void takesTheFileWhereACrashHasLeftBoth() throws IOException {
    Path plain = write("cdr-2025-01-07.jsonl");
    archive().sweep(NOW);
    Files.writeString(plain, "more\n");
    archive().restore("cdr-2025-01-07.jsonl");
    assertThat(plain).hasContent("more\n");
    archive().sweep(NOW);
    assertThat(uncompressed(folder.resolve("cdr-2025-01-07.jsonl.gz"))).isEqualTo("more\n");
  }

  @Test
  void isNotMisledByWhatACrashHasLeftAside() throws IOException {
    Path plain = write("cdr-2025-01-07.jsonl");
    String before = Files.readString(plain);
    Files.writeString(folder.resolve("cdr-2025-01-07.jsonl.gz.new"), "half of somethi");
    archive().sweep(NOW);
    assertThat(uncompressed(folder.resolve("cdr-2025-01-07.jsonl.gz"))).isEqualTo(before);
    Files.writeString(folder.resolve("cdr-2025-01-07.jsonl.new"), "half of something that was lon");
    archive().restore("cdr-2025-01-07.jsonl");
    assertThat(plain).hasContent(before);
  }
}
