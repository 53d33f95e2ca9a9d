package io.sippbx.media.relay.ffm;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.PacketLoop.BindAnswer;
import io.sippbx.media.relay.PacketLoop.Owner;
import io.sippbx.media.relay.PacketLoop.SocketOptions;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

@DisplayName("packet loop on io_uring")
@EnabledIf("isHere")
class UringPacketLoopTest {

  private static final SocketOptions OPTIONS = new SocketOptions(1 << 20, 0, 0);
  private static final long LOCALHOST = 0xffff_7f00_0001L;
  private static final int KIND = 7;

  private final UringPacketLoop loop =
      new UringPacketLoop("loop-under-test", System::nanoTime, 2_048);
  private final Tasks tasks = new Tasks();
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

  static boolean isHere() {
    return UringPacketLoop.isSupported();
  }

  @BeforeEach
  void start() {
    loop.start(tasks);
  }

  @AfterEach
  void stop() {
    loop.stop();
    assertThat(tasks.defects).isEmpty();
  }

  /** More datagrams wait than there are buffers, at far more sockets than places at first. */
  @Test
  void readsAllThatWaitsWhenItHasFewerBuffers() {
    int sockets = 1_500;
    int each = 2;
    onLoop(
        () -> {
          List<PacketSocket> all = new ArrayList<>();
          for (int i = 0; i < sockets; i++) {
            all.add(bound("" + i));
          }
          PacketSocket from = bound("none");
          for (int i = 0; i < sockets * each; i++) {
            from.destination(AddressBits.V4_HIGH, LOCALHOST, all.get(i % sockets).local().port());
            from.send(0, i / sockets + 1, KIND);
          }
          return true;
        });
    var got = new int[sockets];
    for (int i = 0; i < sockets * each; i++) {
      got[Integer.parseInt(poll(seen).split(" ", -1)[0])]++;
    }
    assertThat(got).containsOnly(each);
  }

  /** Else each turn arms all that have a queue, of which most fail: dearer than the packets. */
  @Test
  void armsFewAgainWhileItIsBehind() {
    int sockets = 300;
    int each = 40;
    onLoop(
        () -> {
          PacketSocket from = bound("none");
          for (int i = 0; i < sockets; i++) {
            PacketSocket to = bound("" + i);
            from.destination(AddressBits.V4_HIGH, LOCALHOST, to.local().port());
            for (int j = 1; j <= each; j++) {
              from.send(0, j, KIND);
            }
          }
          return true;
        });
    var last = new int[sockets];
    for (int i = 0; i < sockets * each; i++) {
      String[] got = poll(seen).split(" ", -1);
      int socket = Integer.parseInt(got[0]);
      assertThat(Integer.parseInt(got[1])).isEqualTo(++last[socket]);
    }
    assertThat(onLoop(() -> loop.starved)).isLessThan(sockets * each / 8);
  }

  /** What is sent to one socket takes from the others no more than some of their turns. */
  @Test
  void readsOthersWhileOneIsFlooded() {
    int sockets = 50;
    int flood = 2_000;
    onLoop(
        () -> {
          PacketSocket from = bound("none");
          from.destination(AddressBits.V4_HIGH, LOCALHOST, bound("flooded").local().port());
          for (int i = 0; i < flood; i++) {
            from.send(0, 1, KIND);
          }
          for (int i = 0; i < sockets; i++) {
            from.destination(AddressBits.V4_HIGH, LOCALHOST, bound("" + i).local().port());
            from.send(0, 1, KIND);
          }
          return true;
        });
    int before = 0;
    int others = 0;
    while (others < sockets) {
      if (poll(seen).startsWith("flooded")) {
        before++;
      } else {
        others++;
      }
    }
    assertThat(before).as("datagrams of the flooded socket before all others").isLessThan(200);
    assertThat(onLoop(() -> loop.starved)).isZero();
  }

  @Test
  void goesOnAfterEmptyDatagrams() {
    onLoop(
        () -> {
          PacketSocket to = bound("to");
          PacketSocket from = bound("from");
          from.destination(AddressBits.V4_HIGH, LOCALHOST, to.local().port());
          from.send(0, 0, KIND);
          from.send(0, 3, KIND);
          from.send(0, 0, KIND);
          from.send(0, 4, KIND);
          return true;
        });
    assertThat(List.of(poll(seen), poll(seen), poll(seen), poll(seen)))
        .containsExactly("to 0", "to 3", "to 0", "to 4");
  }

  /** Known only after the turn: to a broadcast address, which the socket may not send to. */
  @Test
  void tellsOfWhatTheSystemRefuses() {
    onLoop(
        () -> {
          PacketSocket from = bound("from");
          from.destination(AddressBits.V4_HIGH, 0xffff_ffff_ffffL, 9);
          assertThat(from.send(0, 1_999, KIND)).isTrue();
          return true;
        });
    assertThat(poll(seen)).isEqualTo("from refused 1999 of 7");
  }

  /** The number of a file is another's as soon as it is closed. */
  @Test
  void sendsWhatWasTakenBeforeASocketIsClosed() {
    onLoop(
        () -> {
          PacketSocket to = bound("to");
          PacketSocket from = bound("from");
          from.destination(AddressBits.V4_HIGH, LOCALHOST, to.local().port());
          from.send(0, 5, KIND);
          from.close();
          from.close();
          return true;
        });
    assertThat(poll(seen)).isEqualTo("to 5");
  }

  @Test
  void hasFreedThePortsOnceAllIsClosed() {
    var free = new ArrayBlockingQueue<Boolean>(1);
    onLoop(
        () -> {
          List<PacketSocket> all = new ArrayList<>();
          for (int i = 0; i < 50; i++) {
            all.add(bound("" + i));
          }
          all.forEach(PacketSocket::close);
          loop.afterClosing(
              () ->
                  free.add(
                      all.stream()
                          .allMatch(
                              each ->
                                  loop.bind(each.local(), OPTIONS) instanceof BindAnswer.Bound)));
          return true;
        });
    assertThat(poll(free)).isTrue();
  }

  private PacketSocket bound(String name) {
    PacketSocket socket =
        ((BindAnswer.Bound) loop.bind(Endpoint.of("127.0.0.1", 0), OPTIONS)).socket();
    socket.readBy(
        new PacketReader() {
          @Override
          public void received(
              ByteBuffer buffer, int at, int length, long high, long low, int port) {
            seen.add(name + " " + length);
          }

          @Override
          public void receivedTooLong() {
            seen.add(name + " too long");
          }

          @Override
          public void refused(int length, int kind) {
            seen.add(name + " refused " + length + " of " + kind);
          }
        });
    return socket;
  }

  private <T> T onLoop(Supplier<T> task) {
    var answer = new ArrayBlockingQueue<T>(1);
    tasks.waiting.add(() -> answer.add(task.get()));
    loop.wakeUp();
    return poll(answer);
  }

  private static <T> T poll(BlockingQueue<T> queue) {
    try {
      T head = queue.poll(10, TimeUnit.SECONDS);
      if (head == null) {
        throw new AssertionError("Nothing came");
      }
      return head;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static final class Tasks implements Owner {

    private final BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
    private final BlockingQueue<RuntimeException> defects = new LinkedBlockingQueue<>();

    @Override
    public void wokenUp() {
      for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
        task.run();
      }
    }

    @Override
    public void tick() {}

    @Override
    public void stopped() {}

    @Override
    public void failed(RuntimeException defect) {
      defects.add(defect);
    }
  }
}
