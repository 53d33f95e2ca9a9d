package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(NettyLoops.Io.class)
class NettyLoopsTest {

  private final NettyLoops loops;
  private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();

  NettyLoopsTest(NettyLoops.Io io) {
    assumeTrue(io != NettyLoops.Io.EPOLL || Epoll.isAvailable(), "epoll");
    loops = NettyLoops.start(2, io);
  }

  @AfterEach
  void closesThem() {
    loops.close();
  }

  @Test
  void runsTasksInOrderAndNeverInline() {
    Loop loop = loops.loops().all().getFirst();
    loop.execute(
        () -> {
          loop.execute(() -> seen.add("second"));
          seen.add("first");
        });
    assertThat(Peers.next(seen)).isEqualTo("first");
    assertThat(Peers.next(seen)).isEqualTo("second");
  }

  @Test
  void knowsWhoseThreadItIs() {
    assertThat(loops.current()).isEmpty();
    for (Loop loop : loops.loops().all()) {
      loop.execute(
          () -> seen.add(loop.inLoop() + " " + loops.current().orElseThrow().equals(loop)));
      assertThat(Peers.next(seen)).isEqualTo("true true");
      assertThat(loop.inLoop()).isFalse();
      assertThat(loops.eventLoop(loop).inEventLoop()).isFalse();
    }
  }

  @Test
  void runsTimersInTheirOrderAndNotWhenCancelled() {
    Loop loop = loops.loops().all().getLast();
    loop.execute(
        () -> {
          loop.schedule(Duration.ofMillis(60), () -> seen.add("late"));
          Loop.Timer cancelled = loop.schedule(Duration.ofMillis(30), () -> seen.add("cancelled"));
          loop.schedule(Duration.ofMillis(-1), () -> seen.add("at once"));
          cancelled.cancel();
          seen.add("inline");
        });
    assertThat(Peers.next(seen)).isEqualTo("inline");
    assertThat(Peers.next(seen)).isEqualTo("at once");
    assertThat(Peers.next(seen)).isEqualTo("late");
  }

  @Test
  void goesOnAfterATaskThatThrows() {
    Loop loop = loops.loops().all().getFirst();
    loop.execute(
        () -> {
          throw new IllegalStateException("meant");
        });
    loop.schedule(
        Duration.ZERO,
        () -> {
          throw new IllegalStateException("meant too");
        });
    loop.schedule(Duration.ofMillis(1), () -> seen.add("alive"));
    assertThat(Peers.next(seen)).isEqualTo("alive");
  }

  @Test
  void dropsTasksAfterItsEnd() {
    loops.close();
    Loop loop = loops.loops().all().getFirst();
    loop.execute(() -> seen.add("never"));
    loop.schedule(Duration.ZERO, () -> seen.add("never")).cancel();
    assertThat(loops.group().isTerminated()).isTrue();
    assertThat(seen).isEmpty();
  }

  @Test
  void refusesALoopOfAnother() {
    try (NettyLoops others = NettyLoops.start(1)) {
      Loop strange = others.loops().all().getFirst();
      assertThatThrownBy(() -> loops.eventLoop(strange))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
