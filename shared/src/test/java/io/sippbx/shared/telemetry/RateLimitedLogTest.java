package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;

class RateLimitedLogTest {

  private final AtomicLong nowNs = new AtomicLong();
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private RateLimitedLog limited;
  private ch.qos.logback.classic.Logger logger;

  @BeforeEach
  void start() {
    var context = new LoggerContext();
    logger = context.getLogger("x");
    logger.setLevel(ch.qos.logback.classic.Level.INFO);
    lines.setContext(context);
    lines.start();
    logger.addAppender(lines);
    limited = new RateLimitedLog(logger, 3, Duration.ofSeconds(60), nowNs::get);
  }

  private void log(String event, int times) {
    for (int i = 0; i < times; i++) {
      limited.at(Level.WARN, event).addKeyValue("i", i).log(event);
    }
  }

  @Test
  void letsSoManyLinesPassInAnInterval() {
    log("sip.malformed", 100);
    assertThat(lines.list).hasSize(3);
  }

  @Test
  void tellsInTheNextIntervalHowManyWereKeptBack() {
    log("sip.malformed", 100);
    nowNs.addAndGet(Duration.ofSeconds(60).toNanos());
    log("sip.malformed", 2);
    assertThat(lines.list).hasSize(5);
    assertThat(lines.list.get(3).getKeyValuePairs())
        .anySatisfy(
            pair -> {
              assertThat(pair.key).isEqualTo("suppressed");
              assertThat(pair.value).isEqualTo(97L);
            });
    assertThat(lines.list.get(4).getKeyValuePairs())
        .noneMatch(pair -> pair.key.equals("suppressed"));
  }

  @Test
  void countsEachEventByItself() {
    log("a", 5);
    log("b", 5);
    assertThat(lines.list).hasSize(6);
  }

  @Test
  void holdsABoundedNumberOfEvents() {
    for (int i = 0; i < RateLimitedLog.MAX_EVENTS + 1_000; i++) {
      log("event " + i, 1);
    }
    assertThat(lines.list).hasSize(RateLimitedLog.MAX_EVENTS + 3);
  }

  @Test
  void doesNotCountWhatIsNotLoggedAtAll() {
    for (int i = 0; i < 10; i++) {
      limited.at(Level.DEBUG, "a").log("a");
    }
    log("a", 3);
    assertThat(lines.list).hasSize(3);
  }

  @Test
  void refusesToKeepEverythingBack() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RateLimitedLog(logger, 0, Duration.ofSeconds(1), nowNs::get));
  }
}
