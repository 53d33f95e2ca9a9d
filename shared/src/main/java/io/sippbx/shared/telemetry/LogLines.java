package io.sippbx.shared.telemetry;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sippbx.shared.config.LoggingConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/** From a log event to a line, which no value, however hostile, can break or make endless. */
final class LogLines {

  /** Characters of the longest value; what is longer is cut. */
  static final int MAX_VALUE = 4_096;

  /** Characters of the longest stack trace. */
  static final int MAX_TRACE = 16_384;

  /** Keys of one event that are written. */
  static final int MAX_KEYS = 64;

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.").withZone(ZoneOffset.UTC);
  private static final int MS_PER_SECOND = 1000;
  private static final Set<String> OURS =
      Set.of("timestamp", "level", "logger", "message", "exception");

  /** The second that was written last. A race writes it anew. */
  private Second second = new Second(0, SECONDS.format(Instant.EPOCH));

  private record Second(long sinceEpoch, String text) {}

  private final JsonFactory json = new JsonFactory();
  private final LoggingConfig.Format format;

  LogLines(LoggingConfig.Format format) {
    this.format = format;
  }

  /** The line with its end, in UTF-8. */
  byte[] line(ILoggingEvent event) {
    return switch (format) {
      case JSON -> jsonLine(event);
      case TEXT -> textLine(event);
    };
  }

  private byte[] jsonLine(ILoggingEvent event) {
    var bytes = new ByteArrayOutputStream(512);
    try (JsonGenerator generator = json.createGenerator(bytes)) {
      generator.writeStartObject();
      generator.writeStringField("timestamp", time(event));
      generator.writeStringField("level", event.getLevel().toString());
      generator.writeStringField("logger", event.getLoggerName());
      generator.writeStringField("message", cut(event.getFormattedMessage(), MAX_VALUE));
      for (KeyValuePair pair : pairs(event)) {
        generator.writeFieldName(OURS.contains(pair.key) ? pair.key + "_" : pair.key);
        writeValue(generator, pair.value);
      }
      IThrowableProxy thrown = event.getThrowableProxy();
      if (thrown != null) {
        generator.writeStringField("exception", trace(thrown));
      }
      generator.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  private static void writeValue(JsonGenerator generator, @Nullable Object value)
      throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case Boolean flag -> generator.writeBoolean(flag);
      case Integer number -> generator.writeNumber(number);
      case Long number -> generator.writeNumber(number);
      case Double number when Double.isFinite(number) -> generator.writeNumber(number);
      default -> generator.writeString(cut(String.valueOf(value), MAX_VALUE));
    }
  }

  private byte[] textLine(ILoggingEvent event) {
    var text = new StringBuilder(160);
    text.append(time(event)).append(' ');
    String level = event.getLevel().toString();
    text.append(level).repeat(' ', Math.max(0, 5 - level.length())).append(' ');
    appendVisible(text, cut(event.getFormattedMessage(), MAX_VALUE), false);
    for (KeyValuePair pair : pairs(event)) {
      text.append(' ').append(pair.key).append('=');
      appendVisible(text, cut(String.valueOf(pair.value), MAX_VALUE), true);
    }
    text.append(" [");
    String logger = event.getLoggerName();
    text.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(']').append('\n');
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null) {
      // Many lines on purpose: for people. Each is indented, so that none can pass for an event.
      trace(thrown).lines().forEach(line -> appendVisible(text.append("  "), line, false, '\n'));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void appendVisible(StringBuilder text, String value, boolean quote, char end) {
    appendVisible(text, value, quote);
    text.append(end);
  }

  /** Control characters become escapes: a value begins no line and moves no cursor. */
  private static void appendVisible(StringBuilder text, String value, boolean quote) {
    boolean quoted =
        quote && (value.isEmpty() || value.chars().anyMatch(c -> c == ' ' || c == '"'));
    if (quoted) {
      text.append('"');
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '\t' && !quote) {
        text.append("  ");
      } else if (Character.isISOControl(c)) {
        text.append(String.format("\\u%04x", (int) c));
      } else {
        if (quoted && (c == '"' || c == '\\')) {
          text.append('\\');
        }
        text.append(c);
      }
    }
    if (quoted) {
      text.append('"');
    }
  }

  private String time(ILoggingEvent event) {
    long ms = event.getTimeStamp();
    long sinceEpoch = Math.floorDiv(ms, MS_PER_SECOND);
    Second now = second;
    if (now.sinceEpoch() != sinceEpoch) {
      now = new Second(sinceEpoch, SECONDS.format(Instant.ofEpochSecond(sinceEpoch)));
      second = now;
    }
    int fraction = MS_PER_SECOND + Math.floorMod(ms, MS_PER_SECOND);
    return now.text() + Integer.toString(fraction).substring(1) + 'Z';
  }

  private static List<KeyValuePair> pairs(ILoggingEvent event) {
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    if (pairs == null) {
      return List.of();
    }
    return pairs.size() > MAX_KEYS ? pairs.subList(0, MAX_KEYS) : pairs;
  }

  private static String trace(IThrowableProxy thrown) {
    return cut(ThrowableProxyUtil.asString(thrown).stripTrailing(), MAX_TRACE);
  }

  private static String cut(@Nullable String text, int max) {
    if (text == null) {
      return "null";
    }
    if (text.length() <= max) {
      return text;
    }
    int end = Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max;
    return text.substring(0, end) + "...";
  }
}
