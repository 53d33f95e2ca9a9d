package io.sippbx.control.store.redis;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Store time on this node: its own clock and the offset to Redis' TIME, measured at start and every
 * {@link #EVERY}. A measurement counts for half of what its question and answer took, at worst;
 * slow ones are passed over. {@link #now} may be called from any thread.
 */
public final class StoreClock {

  /** Between two measurements. */
  static final Duration EVERY = Duration.ofSeconds(10);

  /** A measurement that took longer says too little. */
  static final Duration SLOWEST = Duration.ofMillis(200);

  private final RedisLink link;
  private final Loop home;
  private volatile Duration offset = Duration.ZERO;
  private boolean closed;

  StoreClock(RedisLink link, Loop home) {
    this.link = link;
    this.home = home;
  }

  /** Measures, and goes on measuring. */
  void start() {
    measure(this::again);
  }

  private void again() {
    if (!closed) {
      home.schedule(EVERY, () -> measure(this::again));
    }
  }

  private void measure(Runnable then) {
    long askedNs = home.nowNs();
    link.ask(
        io.sippbx.control.store.Partition.COUNT,
        home,
        redis -> redis.time(),
        reply -> {
          long tookNs = home.nowNs() - askedNs;
          if (reply instanceof Reply.Answered(Object value)) {
            List<?> time = Bytes.list(value);
            measured(
                Instant.ofEpochSecond(
                    Bytes.number(Bytes.at(time, 0)), 1000 * Bytes.number(Bytes.at(time, 1))),
                home.now(),
                Duration.ofNanos(tookNs));
          }
          then.run();
        });
  }

  /**
   * @param stored what Redis said
   * @param now when the answer came, by this node's clock
   * @param took question and answer together
   */
  void measured(Instant stored, Instant now, Duration took) {
    if (took.compareTo(SLOWEST) <= 0) {
      offset = Duration.between(now.minus(took.dividedBy(2)), stored);
    }
  }

  /** Store time now, by the clock that is given. */
  public Instant now(Loop loop) {
    return loop.now().plus(offset);
  }

  /** What is to be added to this node's clock. */
  public Duration offset() {
    return offset;
  }

  void close() {
    home.execute(() -> closed = true);
  }
}
