package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CdrFileNameTest {

  private static final Instant TIME = Instant.parse("2025-01-05T09:59:59.999Z");

  @ParameterizedTest
  @CsvSource({
    "cdr-%Y-%m-%d.jsonl,cdr-2025-01-05.jsonl",
    "%d.%m.%Y-%Hh.json,05.01.2025-09h.json",
    "100%%-%Y%m%d,100%-20250105",
    "%Y%Y%m%d,202520250105"
  })
  void putsTheTimeInUtcIntoThePattern(String pattern, String name) {
    var fileName = new CdrFileName(pattern, ZoneOffset.UTC);
    assertThat(fileName.at(TIME)).isEqualTo(name);
    assertThat(fileName.day(name)).contains(LocalDate.of(2025, 1, 5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cdr-2025-01-05.jsonl.gz",
        "xcdr-2025-01-05.jsonl",
        "cdr-2025-1-05.jsonl",
        "cdr-2025-13-05.jsonl",
        "cdr-2025-02-30.jsonl",
        "cdr-2025-01-05xjsonl",
        ".cdr.lock",
        "cdr-%Y-%m-%d.jsonl"
      })
  void doesNotTakeOtherFilesForItsOwn(String name) {
    assertThat(new CdrFileName("cdr-%Y-%m-%d.jsonl", ZoneOffset.UTC).day(name)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cdr.jsonl", "%Y-%m", "%Y%m%d%S", "%Y%m%d%", "%%Y%m%d"})
  void refusesPatternsThatDoNotTellTheDay(String pattern) {
    assertThatIllegalArgumentException().isThrownBy(() -> new CdrFileName(pattern, ZoneOffset.UTC));
  }

  @Test
  void takesCharactersOfRegularExpressionsAsTheyAre() {
    var fileName = new CdrFileName("a.(b)[%Y]*%m+%d", ZoneOffset.UTC);
    assertThat(fileName.day(fileName.at(TIME))).contains(LocalDate.of(2025, 1, 5));
    assertThat(fileName.day("aX(b)[2025]*01+05")).isEmpty();
  }

  @Test
  void beginsDaysInItsZone() {
    var berlin = new CdrFileName("cdr-%Y-%m-%d-%H", ZoneId.of("Europe/Berlin"));
    assertThat(berlin.at(Instant.parse("2025-01-05T23:30:00Z"))).isEqualTo("cdr-2025-01-06-00");
    assertThat(berlin.at(Instant.parse("2025-07-05T21:59:59Z"))).isEqualTo("cdr-2025-07-05-23");
  }
}
