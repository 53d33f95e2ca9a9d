package io.sippbx.event.webhook;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What became of each attempt, a line of JSON each, in a file a day (UTC). For people who look for
 * a webhook; nothing depends on it, so that what the disk does not take is dropped and counted. Any
 * thread.
 */
public final class DeliveryLog implements DeliveryWitness, AutoCloseable {

  /** Octets of a day's file; more are dropped. */
  static final long MAX_FILE = 1L << 30;

  private static final JsonFactory JSON = new JsonFactory();
  private static final String PREFIX = "deliveries-";
  private static final String SUFFIX = ".jsonl";

  private final Path folder;
  private final int keepDays;
  private final long maxFile;
  private final InstantSource clock;
  private final RateLimitedLog limited =
      RateLimitedLog.of(LoggerFactory.getLogger(DeliveryLog.class));
  private final LongAdder dropped = new LongAdder();
  private @Nullable OutputStream out;
  private LocalDate day = LocalDate.MIN;
  private long size;

  /** In this folder, which exists. */
  public DeliveryLog(Path folder, int keepDays, InstantSource clock) {
    this(folder, keepDays, clock, MAX_FILE);
  }

  DeliveryLog(Path folder, int keepDays, InstantSource clock, long maxFile) {
    this.folder = folder;
    this.keepDays = keepDays;
    this.clock = clock;
    this.maxFile = maxFile;
  }

  @Override
  public synchronized void told(Told told) {
    Instant now = clock.instant();
    byte[] line = line(told, now);
    try {
      OutputStream open = opened(now.atZone(ZoneOffset.UTC).toLocalDate());
      if (size + line.length > maxFile) {
        drop("the day's file has " + size + " bytes");
        return;
      }
      open.write(line);
      // A line is a request to a receiver: a system call beside it is nothing.
      open.flush();
      size += line.length;
    } catch (IOException e) {
      drop(e.toString());
      close();
    }
  }

  private void drop(String problem) {
    dropped.increment();
    limited
        .at(Level.WARN, "webhook.log-dropped")
        .addKeyValue("folder", folder)
        .addKeyValue("problem", problem)
        .log("webhook.log-dropped");
  }

  private OutputStream opened(LocalDate today) throws IOException {
    OutputStream open = out;
    if (open != null && today.equals(day)) {
      return open;
    }
    close();
    sweep(today);
    Path file = folder.resolve(PREFIX + today + SUFFIX);
    open =
        new BufferedOutputStream(
            Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    size = Files.size(file);
    out = open;
    day = today;
    return open;
  }

  private void sweep(LocalDate today) throws IOException {
    for (Path each : files(folder)) {
      if (dayOf(each).filter(that -> that.isBefore(today.minusDays(keepDays))).isPresent()) {
        Files.deleteIfExists(each);
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(each -> dayOf(each).isPresent()).sorted().toList();
    }
  }

  private static Optional<LocalDate> dayOf(Path file) {
    String name = String.valueOf(file.getFileName());
    if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          LocalDate.parse(name.substring(PREFIX.length(), name.length() - SUFFIX.length())));
    } catch (DateTimeParseException | StringIndexOutOfBoundsException e) {
      // Somebody else's file.
      return Optional.empty();
    }
  }

  private static byte[] line(Told told, Instant now) {
    var bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("time", now.toString());
      json.writeStringField("receiver", told.receiver());
      json.writeStringField("call", told.webhook().subject());
      json.writeNumberField("seq", told.webhook().seq());
      json.writeStringField("type", told.webhook().type().text());
      json.writeStringField("id", told.webhook().id());
      json.writeNumberField("attempt", told.attempt());
      json.writeStringField("result", told.what().name().toLowerCase(Locale.ROOT));
      json.writeNumberField("status", told.status());
      json.writeNumberField("ms", told.millis());
      json.writeStringField("problem", told.problem());
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  /** Gives the lines of one call, from the oldest day on. */
  public static void find(Path folder, String call, Consumer<String> reader) throws IOException {
    Predicate<String> wanted = line -> line.contains("\"call\":\"" + call + "\"");
    for (Path each : files(folder)) {
      var decoder =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPLACE)
              .onUnmappableCharacter(CodingErrorAction.REPLACE);
      try (var in =
          new BufferedReader(new InputStreamReader(Files.newInputStream(each), decoder))) {
        in.lines().filter(wanted).forEach(reader);
      }
    }
  }

  /** Shows its count as a metric of the process. */
  public void bind(Metrics metrics) {
    metrics.counter(EventMetric.WEBHOOK_LOG_DROPPED, dropped::sum);
  }

  /** Lines that were dropped. */
  public long dropped() {
    return dropped.sum();
  }

  @Override
  public synchronized void close() {
    OutputStream open = out;
    out = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException e) {
      limited.at(Level.WARN, "webhook.log-close").setCause(e).log("webhook.log-close");
    }
  }
}
