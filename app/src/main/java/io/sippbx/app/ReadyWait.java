package io.sippbx.app;

import io.sippbx.shared.operations.StatsSource.Readiness;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits, for as long as it takes, until a node that has started takes work, as {@code /ready} says:
 * a node that waits for another is started, healthy, and of no use yet. What it waits for is logged
 * at once, when it changes, and every ten seconds.
 */
final class ReadyWait {

  private static final Logger log = LoggerFactory.getLogger(ReadyWait.class);
  private static final Duration LOOK = Duration.ofMillis(10);
  private static final Duration SAY_AGAIN = Duration.ofSeconds(10);

  private final Supplier<Readiness> readiness;
  private final LongSupplier nanoTime;
  private String said = "";
  private long saidNs;

  ReadyWait(Supplier<Readiness> readiness, LongSupplier nanoTime) {
    this.readiness = readiness;
    this.nanoTime = nanoTime;
  }

  /** Blocks until it is ready (true), or the process is {@code told} to end (false). */
  boolean await(CountDownLatch told) throws InterruptedException {
    while (true) {
      switch (readiness.get()) {
        case Readiness.Ready() -> {
          return true;
        }
        case Readiness.NotReady(String reason) -> say(reason);
      }
      if (told.await(LOOK.toNanos(), TimeUnit.NANOSECONDS)) {
        return false;
      }
    }
  }

  private void say(String reason) {
    long now = nanoTime.getAsLong();
    if (reason.equals(said) && now - saidNs < SAY_AGAIN.toNanos()) {
      return;
    }
    said = reason;
    saidNs = now;
    log.atInfo().addKeyValue("reason", reason).log("node.waiting");
  }
}
