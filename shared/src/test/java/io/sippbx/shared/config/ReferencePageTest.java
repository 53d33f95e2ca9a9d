package io.sippbx.shared.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Records, reference file and docs/configuration.md agree. */
class ReferencePageTest {

  private static final Path PAGE = Path.of("..", "docs", "configuration.md");

  @TempDir Path folder;

  private final Map<String, ReferencePage.Key> keys =
      ReferencePage.keys(ConfigLoader.referenceText());

  @Test
  void recordsReadExactlyTheKeysOfTheReferenceFile() {
    assertThat(ConfigLoader.expectations().keySet())
        .containsExactlyInAnyOrderElementsOf(keys.keySet());
  }

  @Test
  void commentsSayWhatTheReaderExpects() {
    var differences = new ArrayList<String>();
    ConfigLoader.expectations()
        .forEach(
            (name, expectation) -> {
              ReferencePage.Key key = keys.get(name);
              if (key != null && !key.expectation().equals(expectation)) {
                differences.add(name + ": \"" + key.expectation() + "\", not " + expectation);
              }
            });
    assertThat(differences).isEmpty();
  }

  @Test
  void everyKeyHasAReason() {
    assertThat(keys.values()).allSatisfy(key -> assertThat(key.reason()).hasSizeGreaterThan(10));
  }

  @Test
  void noTwoKeysShareAVariable() {
    var variables = new HashSet<String>();
    assertThat(keys.keySet())
        .allSatisfy(key -> assertThat(variables.add(Settings.variable(key))).isTrue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '=',
      quoteCharacter = '~',
      value = {
        "sip.listen_ip=\"0.0.0.0\"",
        "sip.listen_port=5060",
        "sip.max_concurrent_calls=100",
        "media.mode=\"bypass\"",
        "media.port_pool.start=10000",
        "media.port_pool.end=20000",
        "media.rtp_timeout=60",
        "media.codec_priority=[\"opus\", \"pcmu\", \"pcma\"]",
        "events.webhook_timeout=10",
        "events.webhook_retries=3",
        "cdr.enabled=true",
        "cdr.output_dir=\"/var/log/sip-pbx/cdr\"",
        "cdr.filename_pattern=\"cdr-%Y-%m-%d.jsonl\"",
        "cdr.rotation=\"daily\"",
        "cdr.retention_days=90",
        "logging.level=\"INFO\"",
        "logging.format=\"json\"",
        "logging.output=\"stdout\"",
        "monitoring.prometheus_port=9090",
        "monitoring.health_check_port=8080",
      })
  void keepsTheDefaultsOfTheReferenceSystem(String key, String value) {
    assertThat(keys.get(key)).isNotNull().extracting(ReferencePage.Key::byDefault).isEqualTo(value);
  }

  @Test
  void exampleOfThePageLoads() throws IOException {
    String page = ReferencePage.markdown(ConfigLoader.referenceText());
    int start = page.indexOf("```yaml\n") + "```yaml\n".length();
    Path file =
        Files.writeString(
            folder.resolve("example.yaml"), page.substring(start, page.indexOf("```", start)));
    assertThat(ConfigLoader.load(Role.STANDALONE, Optional.of(file), Map.of(), List.of()))
        .isInstanceOfSatisfying(
            ConfigResult.Loaded.class, loaded -> assertThat(loaded.notices()).isEmpty());
  }

  @Test
  void pageIsMadeFromTheReferenceFile() throws IOException {
    String page = ReferencePage.markdown(ConfigLoader.referenceText());
    if (Boolean.getBoolean("sippbx.docs.write")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, page);
    }
    assertThat(Files.readString(PAGE))
        .as("docs/configuration.md; its first lines say how to make it anew")
        .isEqualTo(page);
  }
}
