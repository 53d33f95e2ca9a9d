package io.sippbx.shared.telemetry;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;
import org.slf4j.spi.NOPLoggingEventBuilder;

/**
 * A log for what peers can cause at will: of each event, so many lines in each interval, and the
 * first line of a later interval tells how many were kept back. Safe for any thread.
 */
public final class RateLimitedLog {

  /** Events that are told apart; all further ones share one allowance. */
  static final int MAX_EVENTS = 128;

  private static final String OTHERS = "";

  private final Logger logger;
  private final int perInterval;
  private final long intervalNs;
  private final LongSupplier nanoTime;
  private final ConcurrentHashMap<String, Allowance> allowances = new ConcurrentHashMap<>();

  /**
   * @param perInterval lines of each event
   * @param nanoTime as {@link System#nanoTime}
   */
  public RateLimitedLog(Logger logger, int perInterval, Duration interval, LongSupplier nanoTime) {
    if (perInterval < 1) {
      throw new IllegalArgumentException("Expected at least 1 line, but got " + perInterval);
    }
    this.logger = logger;
    this.perInterval = perInterval;
    this.intervalNs = interval.toNanos();
    this.nanoTime = nanoTime;
  }

  /** Ten lines of each event a minute. */
  public static RateLimitedLog of(Logger logger) {
    return new RateLimitedLog(logger, 10, Duration.ofMinutes(1), System::nanoTime);
  }

  /**
   * A builder for a line, or one that does nothing. The caller ends it with {@code log(event)}.
   *
   * @param event from a closed list, never from input
   */
  public LoggingEventBuilder at(Level level, String event) {
    if (!logger.isEnabledForLevel(level)) {
      return NOPLoggingEventBuilder.singleton();
    }
    Allowance allowance = allowances.get(event);
    if (allowance == null) {
      String name = allowances.size() < MAX_EVENTS ? event : OTHERS;
      allowance = allowances.computeIfAbsent(name, _ -> new Allowance(nanoTime.getAsLong()));
    }
    long suppressed = allowance.take(nanoTime.getAsLong(), perInterval, intervalNs);
    if (suppressed < 0) {
      return NOPLoggingEventBuilder.singleton();
    }
    LoggingEventBuilder builder = logger.atLevel(level);
    return suppressed == 0 ? builder : builder.addKeyValue("suppressed", suppressed);
  }

  private static final class Allowance {
    private final AtomicLong suppressed = new AtomicLong();
    private long startNs;
    private int used;

    Allowance(long startNs) {
      this.startNs = startNs;
    }

    /** How many lines were kept back since the last one that passed, or -1 to keep back. */
    synchronized long take(long nowNs, int perInterval, long intervalNs) {
      if (nowNs - startNs >= intervalNs) {
        startNs = nowNs;
        used = 0;
      }
      if (used >= perInterval) {
        suppressed.incrementAndGet();
        return -1;
      }
      used++;
      return suppressed.getAndSet(0);
    }
  }
}
