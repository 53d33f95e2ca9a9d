package io.sippbx.media.relay.ffm;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.relay.OpenResult.BindFailure;
import io.sippbx.media.relay.PacketLoop.BindAnswer;
import io.sippbx.media.relay.PacketLoop.Owner;
import io.sippbx.media.relay.PacketLoop.SocketOptions;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("packet loop by system calls")
@EnabledOnOs(
    value = OS.LINUX,
    architectures = {"amd64", "aarch64"})
class FfmPacketLoopTest {

  private static final int EF = 46;

  private final FfmPacketLoop loop = new FfmPacketLoop("loop-under-test", System::nanoTime, 2_048);
  private final Tasks tasks = new Tasks();

  @BeforeEach
  void start() {
    loop.start(tasks);
  }

  @AfterEach
  void stop() {
    loop.stop();
    assertThat(tasks.defects).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1", "::1"})
  void marksBuffersAndSeparatesASocketAsAsked(String ip) {
    boolean isV6 = ip.contains(":");
    var options = new SocketOptions(50_000, 60_000, EF);
    int[] seen =
        onLoop(
            () -> {
              var bound = (BindAnswer.Bound) loop.bind(Endpoint.of(ip, 0), options);
              int fd = ((FfmSocket) bound.socket()).fd;
              return new int[] {
                isV6
                    ? option(fd, LinuxSockets.IPPROTO_IPV6, LinuxSockets.IPV6_TCLASS)
                    : option(fd, LinuxSockets.IPPROTO_IP, LinuxSockets.IP_TOS),
                option(fd, LinuxSockets.SOL_SOCKET, LinuxSockets.SO_RCVBUF),
                option(fd, LinuxSockets.SOL_SOCKET, LinuxSockets.SO_SNDBUF),
                isV6 ? option(fd, LinuxSockets.IPPROTO_IPV6, LinuxSockets.IPV6_V6ONLY) : 1,
                bound.socket().receiveBufferBytes(),
                bound.socket().local().port(),
              };
            });
    assertThat(seen[0]).isEqualTo(EF << 2);
    // the kernel doubles what it is asked for, for its own needs
    assertThat(seen[1]).isEqualTo(100_000).isEqualTo(seen[4]);
    assertThat(seen[2]).isEqualTo(120_000);
    assertThat(seen[3]).isEqualTo(1);
    assertThat(seen[5]).isPositive();
  }

  @Test
  void lendsTheSamePortNumberForIpv4AndIpv6() {
    var options = new SocketOptions(0, 0, 0);
    onLoop(
        () -> {
          var any6 = (BindAnswer.Bound) loop.bind(Endpoint.of("::", 0), options);
          int port = any6.socket().local().port();
          assertThat(loop.bind(Endpoint.of("127.0.0.1", port), options))
              .isInstanceOf(BindAnswer.Bound.class);
          return port;
        });
  }

  @Test
  void tellsErrno() {
    var options = new SocketOptions(0, 0, 0);
    BindAnswer answer =
        onLoop(
            () -> {
              var first = (BindAnswer.Bound) loop.bind(Endpoint.of("127.0.0.1", 0), options);
              return loop.bind(first.socket().local(), options);
            });
    assertThat(answer)
        .isEqualTo(
            new BindAnswer.Failed(
                BindFailure.ADDRESS_IN_USE, LinuxSockets.EADDRINUSE, "bind: errno 98"));
  }

  /** A socket writes to another of the loop; the datagram is what the first one received. */
  @Test
  void goesOnAfterAReaderThatThrows() {
    var received = new LinkedBlockingQueue<Integer>();
    var options = new SocketOptions(0, 0, 0);
    PacketSocket socket =
        onLoop(
            () -> {
              var bound = (BindAnswer.Bound) loop.bind(Endpoint.of("127.0.0.1", 0), options);
              PacketSocket self = bound.socket();
              self.readBy(
                  new PacketReader() {
                    @Override
                    public void received(
                        ByteBuffer buffer, int at, int length, long high, long low, int port) {
                      received.add(length);
                      if (length > 0) {
                        self.send(at, length - 1, 0);
                      }
                      if (length == 2) {
                        throw new IllegalStateException("a test's defect");
                      }
                    }

                    @Override
                    public void receivedTooLong() {}

                    @Override
                    public void refused(int length, int kind) {}
                  });
              self.destination(0, 0xffff_7f00_0001L, self.local().port());
              self.send(0, 3, 0);
              return self;
            });
    for (int length = 3; length >= 0; length--) {
      assertThat(poll(received)).isEqualTo(length);
    }
    assertThat(poll(tasks.defects)).hasMessage("a test's defect");
    onLoop(
        () -> {
          socket.close();
          socket.close();
          return true;
        });
  }

  /** Memory outside the heap is looked after by the collector, at each of its rounds. */
  @Test
  void takesNoMemoryOutsideTheHeapForASocket() {
    int sockets = 200;
    var options = new SocketOptions(0, 0, 0);
    onLoop(() -> loop.bind(Endpoint.of("127.0.0.1", 0), options));
    long before = nativeBuffers();
    var bound = new ArrayList<BindAnswer>();
    onLoop(
        () -> {
          for (int i = 0; i < sockets; i++) {
            bound.add(loop.bind(Endpoint.of("127.0.0.1", 0), options));
          }
          return true;
        });
    assertThat(bound).hasSize(sockets).hasOnlyElementsOfType(BindAnswer.Bound.class);
    // other tests of the same JVM may have some of theirs
    assertThat(nativeBuffers() - before).isLessThan(sockets / 2);
  }

  @Test
  void sendsFromEachSocketToWhereThatOneSends() {
    var received = new LinkedBlockingQueue<String>();
    onLoop(
        () -> {
          PacketSocket v4 = listening("127.0.0.1", "v4", received);
          PacketSocket otherV4 = listening("127.0.0.1", "other v4", received);
          PacketSocket v6 = listening("::1", "v6", received);
          v4.destination(0, 0xffff_7f00_0001L, otherV4.local().port());
          otherV4.destination(0, 0xffff_7f00_0001L, v4.local().port());
          v6.destination(0, 1, v6.local().port());
          v6.send(0, 1, 0);
          v4.send(0, 2, 0);
          v6.send(0, 3, 0);
          otherV4.send(0, 4, 0);
          return true;
        });
    assertThat(List.of(poll(received), poll(received), poll(received), poll(received)))
        .containsExactlyInAnyOrder("v6 got 1", "other v4 got 2", "v6 got 3", "v4 got 4");
  }

  private PacketSocket listening(String ip, String name, BlockingQueue<String> received) {
    var bound = (BindAnswer.Bound) loop.bind(Endpoint.of(ip, 0), new SocketOptions(0, 0, 0));
    bound
        .socket()
        .readBy(
            new PacketReader() {
              @Override
              public void received(
                  ByteBuffer buffer, int at, int length, long high, long low, int port) {
                received.add(name + " got " + length);
              }

              @Override
              public void receivedTooLong() {}

              @Override
              public void refused(int length, int kind) {}
            });
    return bound.socket();
  }

  private static long nativeBuffers() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getCount)
        .sum();
  }

  @Test
  void leavesNothingOpenWhenItStops() throws Exception {
    loop.stop();
    long before = fileDescriptors();
    for (int i = 0; i < 10; i++) {
      var another = new FfmPacketLoop("another", System::nanoTime, 2_048);
      if (i % 2 == 0) {
        another.start(new Tasks());
      }
      another.stop();
      another.stop();
      another.wakeUp();
    }
    // each loop had two: a leak would be twenty more
    assertThat(fileDescriptors()).isLessThan(before + 10);
  }

  @Test
  void knowsThePlatform() {
    assertThat(FfmPacketLoop.isSupported()).isTrue();
    // struct epoll_event is packed on x86-64 alone
    boolean isX86 = System.getProperty("os.arch").equals("amd64");
    assertThat(LinuxSockets.EPOLL_EVENT_BYTES).isEqualTo(isX86 ? 12 : 16);
    assertThat(LinuxSockets.EPOLL_EVENT_DATA_AT).isEqualTo(isX86 ? 4 : 8);
  }

  /** Else a compiler that computes goes on for milliseconds after a packet has come. */
  @Test
  void asksForShortTurnsOfItsThread() {
    long turnNs =
        onLoop(
            () -> {
              try (Arena arena = Arena.ofConfined()) {
                var attributes = arena.allocate(LinuxSockets.SCHED_ATTR_BYTES, 8);
                assertThat(LinuxSockets.readScheduling(attributes)).isTrue();
                return attributes.get(ValueLayout.JAVA_LONG, LinuxSockets.SCHED_ATTR_RUNTIME_AT);
              }
            });
    // 0 where the system knows of none: Linux before 6.12
    assertThat(turnNs).isIn(0L, LinuxSockets.SHORTEST_TURN_NS);
  }

  private static int option(int fd, int level, int name) {
    try (Arena arena = Arena.ofConfined()) {
      var value = arena.allocate(ValueLayout.JAVA_INT);
      var length = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
      int result =
          new LinuxSockets.Caller(arena)
              .getsockopt(fd, level, name, value.address(), length.address());
      assertThat(result).isZero();
      return value.get(ValueLayout.JAVA_INT, 0);
    }
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

  private static long fileDescriptors() throws Exception {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
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
