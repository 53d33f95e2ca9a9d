package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeadLetterFileTest {

  private static final Instant TIME = Instant.parse("2025-01-05T10:15:30Z");
  private static final DeadLetterSource.Range ALL =
      new DeadLetterSource.Range(Instant.EPOCH, Instant.MAX);

  @TempDir private Path folder;

  private static DeadLetter letter(String call) {
    return new DeadLetter(
        "crm", WebhookBody.of(Events.started(call, 1)).orElseThrow(), TIME, 4, "no", false);
  }

  private List<DeadLetter> read() throws Exception {
    var all = new ArrayList<DeadLetter>();
    new DeadLetterFile(folder).read(ALL, all::add);
    return all;
  }

  @Test
  void hasNoneBeforeTheFirst() throws Exception {
    assertThat(read()).isEmpty();
  }

  @Test
  void tellsThatLettersAreKeptWhenTheyAre() throws Exception {
    var file = new DeadLetterFile(folder);
    var answers = new ArrayList<Boolean>();
    file.keep(letter("a"), answers::add);
    file.keep(letter("b"), answers::add);
    assertThat(answers).isEmpty();
    file.flush();
    assertThat(answers).containsExactly(true, true);
    assertThat(read()).containsExactly(letter("a"), letter("b"));
  }

  @Test
  void passesOverALineThatACrashHasCut() throws Exception {
    var file = new DeadLetterFile(folder);
    file.keep(letter("a"), kept -> {});
    file.flush();
    Path path = folder.resolve(DeadLetterFile.NAME);
    Files.writeString(path, "{\"receiver\":\"crm\",\"id", StandardOpenOption.APPEND);
    file.keep(letter("b"), kept -> {});
    file.flush();
    assertThat(read()).containsExactly(letter("a"), letter("b"));
  }

  @Test
  void dropsTheOldestWhereThereIsNoRoom() throws Exception {
    long room = 3L * (letter("a").encode().length + 1) + 1;
    var file = new DeadLetterFile(folder, room);
    for (String call : List.of("a", "b", "c", "d", "e", "f", "g", "h")) {
      var answers = new ArrayList<Boolean>();
      file.keep(letter(call), answers::add);
      file.flush();
      assertThat(answers).containsExactly(true);
      try (var files = Files.list(folder)) {
        assertThat(files.mapToLong(each -> each.toFile().length())).allMatch(size -> size <= room);
      }
    }
    assertThat(read())
        .containsExactly(letter("d"), letter("e"), letter("f"), letter("g"), letter("h"));
  }

  @Test
  void tellsThatLettersAreNotKeptWhereTheDiskTakesNone() throws Exception {
    var file = new DeadLetterFile(folder.resolve("gone"));
    var answers = new ArrayList<Boolean>();
    file.keep(letter("a"), answers::add);
    file.flush();
    assertThat(answers).containsExactly(false);
    Files.createDirectory(folder.resolve("gone"));
    file.keep(letter("b"), answers::add);
    file.flush();
    assertThat(answers).containsExactly(false, true);
  }
}
