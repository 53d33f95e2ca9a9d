package io.sippbx.app.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.GrpcMediaPlane;
import io.sippbx.control.media.GrpcMediaPlaneSettings;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaAnswer.Held;
import io.sippbx.control.media.MediaAnswer.Refusal;
import io.sippbx.control.media.MediaAnswer.Refused;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaTarget;
import io.sippbx.control.media.NettyMediaChannels;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.media.SystemHostResolver;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.media.MediaNode;
import io.sippbx.media.MediaNodeSettings;
import io.sippbx.media.MediaNodeSettings.Listen;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.relay.RelaySettings.LoopChoice;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.media.session.SessionSettings;
import io.sippbx.servers.ClusterCertificates;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The control plane's client against a real media node with a real relay, on loopback. */
@Timeout(90)
class MediaPlaneContractTest {

  private static final NodeId NODE = new NodeId("m1");
  private static final IpAddress LOOPBACK = IpAddress.of("127.0.0.1");
  private static final EphemeralRangeCheck ANY_MACHINE =
      new EphemeralRangeCheck(Path.of("none"), Path.of("none"));

  private final LinkedBlockingQueue<MediaEvent> events = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final NettyLoops loops = NettyLoops.start(1);
  private boolean isOneLoop;

  enum Way {
    IN_PROCESS,
    /** In one process, on one loop: as a standalone has it. */
    ONE_LOOP,
    NETWORK,
    TLS
  }

  /** A range of six pairs that nobody has now. */
  private static final PortRange PORTS = freePorts();

  private static PortRange freePorts() {
    for (int first = 21_000; first < 60_000; first += 12) {
      if (isFree(first, first + 11)) {
        return new PortRange(first, first + 11);
      }
    }
    throw new IllegalStateException("Expected twelve free ports in a row, but there are none");
  }

  private static boolean isFree(int first, int last) {
    for (int port = first; port <= last; port++) {
      try (var socket = new DatagramSocket(port, InetAddress.getLoopbackAddress())) {
        assertThat(socket.isBound()).isTrue();
      } catch (IOException taken) {
        return false;
      }
    }
    return true;
  }

  @TempDir private Path folder = Path.of("");

  private Optional<ClusterCertificates> authority = Optional.empty();

  private Listen listen(Way way, int port) {
    return switch (way) {
      case NETWORK -> new Listen.Network(new Endpoint(LOOPBACK, port), Optional.empty());
      case TLS -> {
        authority = Optional.of(new ClusterCertificates(folder, "cluster"));
        yield new Listen.Network(new Endpoint(LOOPBACK, port), tls(NODE.text()));
      }
      case IN_PROCESS, ONE_LOOP -> {
        isOneLoop = way == Way.ONE_LOOP;
        yield new Listen.InProcess("media-" + System.identityHashCode(this));
      }
    };
  }

  private Optional<NodeTls> tls(String name) {
    return authority.map(
        gives -> {
          ClusterCertificates.Given given = gives.give(name);
          try {
            NodeTls tls =
                NodeTls.open(given.ca(), given.certificate(), given.key(), Duration.ofHours(1));
            opened.add(tls);
            return tls;
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private MediaNode startNode(Listen listen) {
    var settings =
        MediaNodeSettings.of(NODE, listen, PORTS, List.of(LocalAddress.of(LOOPBACK)))
            .withSessions(SessionSettings.defaults().withRestoring(Duration.ofHours(1)))
            .withRelay(RelaySettings.defaults().withWorkers(1).withLoop(LoopChoice.AUTO))
            .withPortRest(Duration.ofMillis(1));
    MediaNode.RelayFactory relays = (relay, heard) -> Relays.start(relay, heard, System::nanoTime);
    MediaNode node =
        isOneLoop
            ? MediaNode.startOn(
                loops.eventLoop(loops.loops().all().getFirst()), settings, ANY_MACHINE, relays)
            : MediaNode.start(settings, ANY_MACHINE, relays);
    opened.add(node);
    return node;
  }

  private GrpcMediaPlane startPlane(MediaNode node) {
    MediaTarget target =
        node.address().isPresent()
            ? new MediaTarget.Network("localhost", node.address().get().port())
            : new MediaTarget.InProcess("media-" + System.identityHashCode(this));
    var resolver = new SystemHostResolver();
    GrpcMediaPlane plane =
        GrpcMediaPlane.start(
            GrpcMediaPlaneSettings.of(List.of(target)),
            new NodeId("control-1"),
            new Incarnation(1),
            loops.loops().all().getFirst(),
            new Random(1),
            resolver,
            new NettyMediaChannels(loops, tls("control-1")));
    plane.onEvent(events::add);
    plane.onRestore((restarted, told, done) -> done.accept(List.of()));
    opened.add(resolver);
    opened.add(plane);
    awaitPlaceable(plane);
    return plane;
  }

  private static void awaitPlaceable(GrpcMediaPlane plane) {
    await(() -> plane.stats().placeable() == 1);
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    Awaitility.await()
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .atMost(Duration.ofSeconds(30))
        .until(condition::getAsBoolean);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : opened.reversed()) {
      closeable.close();
    }
    loops.close();
  }

  private static MediaAnswer answer(Consumer<Consumer<MediaAnswer>> request) {
    var answers = new LinkedBlockingQueue<MediaAnswer>();
    request.accept(answers::add);
    try {
      MediaAnswer answer = answers.poll(30, TimeUnit.SECONDS);
      if (answer == null) {
        throw new AssertionError("Expected an answer, but none came");
      }
      return answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static Held held(MediaAnswer answer) {
    assertThat(answer).isInstanceOf(Held.class);
    return (Held) answer;
  }

  private static Held apply(GrpcMediaPlane plane, SessionSpec spec) {
    return held(answer(to -> plane.apply(NODE, spec, to)));
  }

  private <E extends MediaEvent> E event(Class<E> type, Predicate<E> wanted)
      throws InterruptedException {
    while (true) {
      MediaEvent event = events.poll(30, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("Expected " + type.getSimpleName() + ", but nothing came");
      }
      if (type.isInstance(event) && wanted.test(type.cast(event))) {
        return type.cast(event);
      }
    }
  }

  private static CallKey call(int number) {
    byte[] octets = new byte[16];
    octets[0] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static StreamEnd at(DatagramSocket phone) {
    return new StreamEnd(
        false,
        Optional.of(Endpoint.of("127.0.0.1", phone.getLocalPort())),
        Optional.empty(),
        false,
        true,
        true,
        List.of(0),
        1,
        0);
  }

  private static SessionSpec spec(int number, long revision, Duration timeout, StreamSpec... all) {
    return new SessionSpec(call(number), revision, List.of(all), true, timeout);
  }

  private static StreamSpec unknown(int index) {
    return StreamSpec.rtp(index, "audio", StreamEnd.unknown(false), StreamEnd.unknown(false));
  }

  private DatagramSocket phone() throws IOException {
    var socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    socket.setSoTimeout(20_000);
    opened.add(socket);
    return socket;
  }

  private static void rtp(DatagramSocket from, Endpoint to, int sequence) throws IOException {
    byte[] packet = new byte[172];
    packet[0] = (byte) 0x80;
    packet[3] = (byte) sequence;
    packet[11] = 7;
    from.send(
        new DatagramPacket(packet, packet.length, InetAddress.getLoopbackAddress(), to.port()));
  }

  private static int receive(DatagramSocket at) throws IOException {
    var packet = new DatagramPacket(new byte[2_000], 2_000);
    at.receive(packet);
    return packet.getData()[3];
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void carriesACallThroughItsLife(Way way) throws Exception {
    MediaNode node = startNode(listen(way, 0));
    GrpcMediaPlane plane = startPlane(node);
    assertThat(plane.place(new MediaNeed(2, 0))).contains(NODE);
    DatagramSocket a = phone();
    DatagramSocket b = phone();
    // Both legs are opened before anybody has said an address.
    StreamAddresses first =
        apply(plane, spec(1, 1, Duration.ZERO, unknown(0))).addresses().getFirst();
    var audio = StreamSpec.rtp(0, "audio", at(a), at(b));
    StreamAddresses talk =
        apply(plane, spec(1, 2, Duration.ZERO, audio, unknown(1))).addresses().getFirst();
    assertThat(talk).isEqualTo(first);
    rtp(a, talk.aRtp(), 1);
    assertThat(receive(b)).isEqualTo(1);
    rtp(b, talk.bRtp(), 2);
    assertThat(receive(a)).isEqualTo(2);
    event(MediaEvent.FirstPacket.class, e -> e.fromA() && e.streamIndex() == 0);
    // The second line goes; the first keeps its ports, and its packets are counted on.
    assertThat(apply(plane, spec(1, 3, Duration.ZERO, audio)).addresses()).containsExactly(talk);
    rtp(a, talk.aRtp(), 3);
    assertThat(receive(b)).isEqualTo(3);
    Held last = held(answer(to -> plane.release(NODE, call(1), 3, to)));
    assertThat(last.counts().getFirst().fromA().packets()).isEqualTo(2);
    assertThat(last.counts().getFirst().fromB().packets()).isEqualTo(1);
    assertThat(held(answer(to -> plane.release(NODE, call(1), 3, to)))).isEqualTo(last);
    var late = (Refused) answer(to -> plane.apply(NODE, spec(1, 2, Duration.ZERO, audio), to));
    assertThat(late.refusal()).isEqualTo(Refusal.RELEASED);
    await(() -> node.metrics().pairs().lent() == 0 && node.metrics().relay().sockets() == 0);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void tellsOfSilence(Way way) throws Exception {
    GrpcMediaPlane plane = startPlane(startNode(listen(way, 0)));
    var audio = StreamSpec.rtp(0, "audio", at(phone()), at(phone()));
    apply(plane, spec(1, 1, Duration.ofMillis(300), audio));
    var timeout = event(MediaEvent.MediaTimeout.class, e -> e.call().equals(call(1)));
    assertThat(timeout.revision()).isEqualTo(1);
    event(MediaEvent.MediaTimeout.class, e -> e.call().equals(call(1)));
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void refusesWhatDoesNotFit(Way way) {
    MediaNode node = startNode(listen(way, 0));
    GrpcMediaPlane plane = startPlane(node);
    for (int i = 1; i <= 3; i++) {
      apply(plane, spec(i, 1, Duration.ZERO, unknown(0)));
    }
    var full = (Refused) answer(to -> plane.apply(NODE, spec(4, 1, Duration.ZERO, unknown(0)), to));
    assertThat(full.refusal()).isEqualTo(Refusal.PORTS_EXHAUSTED);
    await(() -> plane.place(new MediaNeed(2, 0)).isEmpty());
    var v6 = StreamSpec.rtp(0, "audio", StreamEnd.unknown(true), StreamEnd.unknown(true));
    var family = (Refused) answer(to -> plane.apply(NODE, spec(4, 1, Duration.ZERO, v6), to));
    assertThat(family.refusal()).isEqualTo(Refusal.FAMILY_UNAVAILABLE);
    answer(to -> plane.release(NODE, call(1), 1, to));
    await(
        () ->
            answer(to -> plane.apply(NODE, spec(4, 1, Duration.ZERO, unknown(0)), to))
                instanceof Held);
    // Ports are told as they are, sessions as they were counted last.
    await(() -> node.metrics().pairs().lent() == 6 && node.metrics().pairsOfSessions() == 6);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void tellsTheSessionsOfANodeThatStartedAnewToBeLost(Way way) throws Exception {
    Listen listen = listen(way, Ports.free());
    MediaNode first = startNode(listen);
    GrpcMediaPlane plane = startPlane(first);
    apply(plane, spec(1, 1, Duration.ZERO, unknown(0)));
    assertThat(first.stop(Duration.ZERO)).isTrue();
    await(() -> plane.stats().placeable() == 0);
    MediaNode second = startNode(listen);
    assertThat(second.incarnation()).isNotEqualTo(first.incarnation());
    event(MediaEvent.SessionLost.class, e -> e.call().equals(call(1)));
    awaitPlaceable(plane);
    apply(plane, spec(2, 1, Duration.ZERO, unknown(0)));
  }
}
