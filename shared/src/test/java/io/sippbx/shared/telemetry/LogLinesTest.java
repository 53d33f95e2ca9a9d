package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.shared.config.LoggingConfig.Format;
import io.sippbx.shared.config.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.KeyValuePair;

class LogLinesTest {

  private static LoggingEvent event(String message, @Nullable Throwable thrown) {
    var logger = new LoggerContext().getLogger("io.sippbx.control.call.CallRuntime");
    var event = new LoggingEvent("fqcn", logger, Level.INFO, message, thrown, null);
    event.setInstant(Instant.parse("2025-01-05T10:15:30.123456Z"));
    return event;
  }

  private static LoggingEvent with(LoggingEvent event, String key, @Nullable Object value) {
    event.addKeyValuePair(new KeyValuePair(key, value));
    return event;
  }

  private static String line(Format format, LoggingEvent event) {
    return new String(new LogLines(format).line(event), StandardCharsets.UTF_8);
  }

  private static JsonNode json(LoggingEvent event) throws Exception {
    return new ObjectMapper().readTree(line(Format.JSON, event));
  }

  @Test
  void isAnObjectWithTheKeysOfTheEvent() {
    LoggingEvent event = event("call.ended", null);
    with(event, "call", "abc");
    with(event, "status", 200);
    with(event, "packets", 12_345_678_901L);
    with(event, "loss", 0.5);
    with(event, "answered", true);
    with(event, "codec", null);
    assertThat(line(Format.JSON, event))
        .isEqualTo(
            "{\"timestamp\":\"2025-01-05T10:15:30.123Z\",\"level\":\"INFO\","
                + "\"logger\":\"io.sippbx.control.call.CallRuntime\",\"message\":\"call.ended\","
                + "\"call\":\"abc\",\"status\":200,\"packets\":12345678901,\"loss\":0.5,"
                + "\"answered\":true,\"codec\":null}\n");
  }

  @Test
  void isReadableAsText() {
    LoggingEvent event = event("call.ended", null);
    with(event, "call", "abc");
    with(event, "reason", "not \"normal\"");
    with(event, "empty", "");
    assertThat(line(Format.TEXT, event))
        .isEqualTo(
            "2025-01-05T10:15:30.123Z INFO  call.ended call=abc reason=\"not \\\"normal\\\"\""
                + " empty=\"\" [CallRuntime]\n");
  }

  @Test
  void carriesTheExceptionAndItsCause() throws Exception {
    var thrown = new IllegalStateException("outer", new RuntimeException("inner"));
    assertThat(json(event("x", thrown)).get("exception").asText())
        .startsWith("java.lang.IllegalStateException: outer")
        .contains("Caused by: java.lang.RuntimeException: inner");
    assertThat(line(Format.TEXT, event("x", thrown)).lines().skip(1))
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line).startsWith("  "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\n2025-01-05T10:15:30.123Z ERROR forged",
        "a\r\nb",
        "\u001b[2J\u0007",
        "\u0000",
        "\u0085",
        "\"}{\"level\":\"ERROR\"",
        "\ud800 alone"
      })
  void cannotBeBrokenByAValue(String hostile) throws Exception {
    String text = line(Format.TEXT, with(event(hostile, null), "user", hostile));
    assertThat(text.lines()).hasSize(1);
    assertThat(text.strip().chars().noneMatch(Character::isISOControl)).isTrue();
    String json = line(Format.JSON, with(event(hostile, null), "user", hostile));
    assertThat(json.lines()).hasSize(1);
    JsonNode tree = new ObjectMapper().readTree(json);
    assertThat(tree.get("level").asText()).isEqualTo("INFO");
  }

  @Test
  void isBounded() throws Exception {
    LoggingEvent event = event("m".repeat(100_000), new RuntimeException("t".repeat(100_000)));
    for (int i = 0; i < 1_000; i++) {
      with(event, "key" + i, "v".repeat(100_000));
    }
    JsonNode tree = json(event);
    assertThat(tree.get("message").asText()).hasSize(LogLines.MAX_VALUE + 3).endsWith("...");
    assertThat(tree.get("exception").asText()).hasSize(LogLines.MAX_TRACE + 3);
    assertThat(tree.size()).isEqualTo(5 + LogLines.MAX_KEYS);
  }

  @Test
  void keepsItsOwnFields() throws Exception {
    JsonNode tree = json(with(event("call.ended", null), "level", "mine"));
    assertThat(tree.get("level").asText()).isEqualTo("INFO");
    assertThat(tree.get("level_").asText()).isEqualTo("mine");
  }

  @Test
  void hidesSecretsAndPeople() throws Exception {
    LoggingEvent event = event("call.started", null);
    with(event, "password", new Secret<>("hunter2"));
    with(event, "caller", new Pii<>("1004"));
    JsonNode tree = json(event);
    assertThat(tree.get("password").asText()).isEqualTo("[REDACTED]");
    assertThat(tree.get("caller").asText()).matches("pii:[0-9a-f]{10}");
    assertThat(new Pii<>("1004").value()).isEqualTo("1004");
    assertThat(new Pii<>("1004")).hasToString(new Pii<>("1004").toString());
    assertThat(new Pii<>("1005").toString()).isNotEqualTo(new Pii<>("1004").toString());
  }
}
