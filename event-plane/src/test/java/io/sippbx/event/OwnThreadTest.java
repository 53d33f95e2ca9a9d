package io.sippbx.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("a thread of one's own")
class OwnThreadTest {

  private static final Duration LONG = Duration.ofMinutes(1);
  private final CountDownLatch told = new CountDownLatch(1);
  private final CountDownLatch interrupted = new CountDownLatch(1);
  private final Thread thread = Thread.ofPlatform().daemon().start(this::waitToBeTold);

  private void waitToBeTold() {
    try {
      told.await();
    } catch (InterruptedException e) {
      interrupted.countDown();
    }
  }

  @Test
  void endsWhenItIsTold() {
    told.countDown();
    OwnThread.awaitEnd(thread, LONG);
    assertThat(thread.isAlive()).isFalse();
    assertThat(interrupted.getCount()).isEqualTo(1);
  }

  @Test
  void isInterruptedWhenItTakesTooLong() {
    OwnThread.awaitEnd(thread, Duration.ofMillis(1));
    assertThat(thread.isAlive()).isFalse();
    assertThat(interrupted.getCount()).isZero();
  }

  @Test
  void isNotWaitedForByWhoIsInterrupted() throws InterruptedException {
    Thread.currentThread().interrupt();
    OwnThread.awaitEnd(thread, LONG);
    assertThat(Thread.interrupted()).as("stays interrupted").isTrue();
    interrupted.await();
  }
}
