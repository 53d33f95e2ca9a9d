package io.sippbx.media;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A loop of the node on a thread that others use, too. */
@Timeout(60)
class ThreadLoopTest {

  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("given", true), NioIoHandler.newFactory());
  private final EventLoop given = group.next();
  private final ThreadLoop loop = ThreadLoop.on(given);

  @AfterEach
  void stop() {
    loop.close();
    assertThat(group.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(20_000))
        .isTrue();
  }

  @Test
  void runsOnTheThreadThatItWasGiven() throws Exception {
    var there = new AtomicBoolean();
    var twice = new CountDownLatch(2);
    loop.execute(() -> there.set(given.inEventLoop()));
    loop.every(Duration.ofMillis(1), twice::countDown);
    assertThat(twice.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(there).isTrue();
    assertThat(loop.group()).isSameAs(given);
    assertThat(loop.serverChannel()).isEqualTo(NioServerSocketChannel.class);
  }

  @Test
  void goesOnAfterATaskThatFails() throws Exception {
    var times = new CountDownLatch(2);
    loop.every(
        Duration.ofMillis(1),
        () -> {
          times.countDown();
          throw new IllegalStateException("meant");
        });
    assertThat(times.await(20, TimeUnit.SECONDS)).isTrue();
    given.submit(() -> {}).get(20, TimeUnit.SECONDS);
    assertThat(loop.faults()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void runsNothingMoreOnceItIsClosedAndTheThreadGoesOn() throws Exception {
    var ran = new AtomicInteger();
    loop.every(Duration.ofMillis(1), ran::incrementAndGet);
    loop.close();
    int before = ran.get();
    loop.execute(ran::incrementAndGet);
    loop.every(Duration.ofMillis(1), ran::incrementAndGet);
    // What is due before this one would have run before it.
    assertThat(given.schedule(ran::get, 5, TimeUnit.MILLISECONDS).get(20, TimeUnit.SECONDS))
        .isEqualTo(before);
  }

  @Test
  void isClosedWhenTheTaskUnderWayIsDone() throws Exception {
    var begun = new CountDownLatch(1);
    var mayEnd = new CountDownLatch(1);
    var done = new AtomicBoolean();
    var doneWhenClosed = new AtomicBoolean();
    loop.execute(
        () -> {
          begun.countDown();
          awaitUninterruptibly(mayEnd);
          done.set(true);
        });
    assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
    Thread closer =
        Thread.ofPlatform()
            .start(
                () -> {
                  loop.close();
                  doneWhenClosed.set(done.get());
                });
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                closer.getState() == Thread.State.TIMED_WAITING
                    || closer.getState() == Thread.State.TERMINATED);
    mayEnd.countDown();
    assertThat(closer.join(Duration.ofSeconds(20))).isTrue();
    assertThat(doneWhenClosed).isTrue();
  }

  @Test
  void closesAlsoWhenTheThreadHasEnded() {
    assertThat(group.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(20_000))
        .isTrue();
    loop.close();
    loop.execute(() -> {});
    assertThat(loop.faults()).isZero();
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted", e);
    }
  }
}
