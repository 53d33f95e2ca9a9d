package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class BoundedWriterTest {

  /** Writes only as many items as it is allowed to. */
  private static final class Valve implements Output {
    final Semaphore allowed;
    final CountDownLatch reached = new CountDownLatch(1);
    final List<String> written = Collections.synchronizedList(new ArrayList<>());
    volatile boolean broken;
    volatile boolean closed;

    Valve(int allowed) {
      this.allowed = new Semaphore(allowed);
    }

    @Override
    public void write(byte[] bytes) throws IOException {
      reached.countDown();
      try {
        allowed.acquire();
      } catch (InterruptedException e) {
        throw new IOException("interrupted", e);
      }
      if (broken) {
        throw new IOException("broken");
      }
      written.add(new String(bytes, StandardCharsets.UTF_8));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      closed = true;
    }
  }

  private static byte[] item(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void writesInOrderAndAllBeforeItCloses() {
    var valve = new Valve(1_000);
    var writer = new BoundedWriter("test-writer", valve, 1_000, 1 << 20);
    var expected = new ArrayList<String>();
    for (int i = 0; i < 500; i++) {
      expected.add("item " + i);
      assertThat(writer.offer(item("item " + i))).isTrue();
    }
    writer.close();
    assertThat(valve.written).isEqualTo(expected);
    assertThat(valve.closed).isTrue();
    assertThat(writer.written()).isEqualTo(500);
    assertThat(writer.dropped()).isZero();
    assertThat(writer.highMark()).isBetween(1L, 500L);
  }

  @Test
  void dropsAndCountsWhatDoesNotFitAndNeverWaits() throws InterruptedException {
    var valve = new Valve(0);
    var writer = new BoundedWriter("test-writer", valve, 10, 1 << 20);
    writer.offer(item("in hand"));
    assertThat(valve.reached.await(10, TimeUnit.SECONDS)).isTrue();
    int taken = 0;
    for (int i = 0; i < 25; i++) {
      taken += writer.offer(item("x")) ? 1 : 0;
    }
    assertThat(taken).isEqualTo(10);
    assertThat(writer.dropped()).isEqualTo(15);
    assertThat(writer.highMark()).isEqualTo(10);
    valve.allowed.release(1_000);
    writer.close();
    assertThat(valve.written).hasSize(11);
  }

  @Test
  void boundsBytesToo() throws InterruptedException {
    var valve = new Valve(0);
    var writer = new BoundedWriter("test-writer", valve, 1_000, 100);
    writer.offer(new byte[40]);
    assertThat(valve.reached.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(writer.offer(new byte[60])).isTrue();
    assertThat(writer.offer(new byte[1])).isFalse();
    valve.allowed.release(1_000);
    writer.close();
    assertThat(writer.written()).isEqualTo(2);
    assertThat(writer.dropped()).isEqualTo(1);
  }

  @Test
  void collectsWhatComesWhileItRestsUpToHalfAQueue() {
    var valve = new Valve(1_000);
    var writer = new BoundedWriter("test-writer", valve, 10, 1 << 20, Duration.ofHours(1));
    writer.offer(item("at once"));
    awaitWritten(writer, 1);
    for (int i = 0; i < 4; i++) {
      writer.offer(item("collected"));
    }
    assertThat(writer.depth()).isEqualTo(4);
    writer.offer(item("half a queue"));
    awaitWritten(writer, 6);
    writer.offer(item("while it rests"));
    writer.close();
    assertThat(writer.written()).isEqualTo(7);
    assertThat(valve.written).endsWith("half a queue", "while it rests");
  }

  @Test
  void restsNoLongerWhenHalfOfItsOctetsAreTaken() {
    var valve = new Valve(1_000);
    var writer = new BoundedWriter("test-writer", valve, 1_000, 100, Duration.ofHours(1));
    writer.offer(item("at once"));
    awaitWritten(writer, 1);
    writer.offer(new byte[51]);
    awaitWritten(writer, 2);
    writer.close();
  }

  private static void awaitWritten(BoundedWriter writer, long items) {
    while (writer.written() < items) {
      Thread.onSpinWait();
    }
  }

  @Test
  void countsWhatCannotBeWrittenAndGoesOn() {
    var valve = new Valve(1_000);
    valve.broken = true;
    var writer = new BoundedWriter("test-writer", valve, 10, 1 << 20);
    writer.offer(item("lost"));
    while (writer.failed() == 0) {
      Thread.onSpinWait();
    }
    valve.broken = false;
    writer.offer(item("kept"));
    writer.close();
    assertThat(valve.written).containsExactly("kept");
    assertThat(writer.failed()).isEqualTo(1);
    assertThat(writer.written()).isEqualTo(1);
  }

  @Test
  void closesInItsTimeWhenTheOutputIsStuck() {
    var valve = new Valve(0);
    var writer = new BoundedWriter("test-writer", valve, 10, 1 << 20);
    writer.offer(item("stuck"));
    writer.close(Duration.ofMillis(10));
    while (!valve.closed) {
      Thread.onSpinWait();
    }
    assertThat(writer.failed()).isPositive();
    assertThat(writer.offer(item("after"))).isFalse();
  }
}
