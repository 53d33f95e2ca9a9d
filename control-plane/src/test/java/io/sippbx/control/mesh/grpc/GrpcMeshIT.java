package io.sippbx.control.mesh.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaWitness.Testimony;
import io.sippbx.control.mesh.Mesh.Delivery;
import io.sippbx.control.mesh.MeshNode;
import io.sippbx.control.mesh.MeshSettings;
import io.sippbx.control.mesh.MeshStream;
import io.sippbx.control.mesh.Peer;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.servers.ClusterCertificates;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the mesh by gRPC on loopback")
class GrpcMeshIT {

  @TempDir private Path folder = Path.of("");

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closesAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  /** A node with loops and a network of its own, as a process has them. */
  private final class Host {
    final NettyLoops loops = NettyLoops.start(2);
    final GrpcMeshNetwork network;
    final MeshNode node;

    Host(String ip, String name, byte[] secret, MeshSettings settings) throws IOException {
      this(ip, name, secret, settings, Optional.empty());
    }

    Host(String ip, String name, byte[] secret, MeshSettings settings, Optional<NodeTls> tls)
        throws IOException {
      open.add(loops);
      Loop loop = loops.loops().all().getFirst();
      network = GrpcMeshNetwork.listen(loops, loop, Endpoint.of(ip, 0), Optional.empty(), tls);
      open.add(network);
      node = new MeshNode(loop, name, 1, network, secret, settings);
    }
  }

  private Host host(String name) throws IOException {
    return new Host("127.0.0.1", name, MeshNode.SECRET, MeshSettings.DEFAULT);
  }

  private static void await(String what, BooleanSupplier condition) {
    Awaitility.await(what)
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .atMost(Duration.ofSeconds(20))
        .until(condition::getAsBoolean);
  }

  private static void meet(Host... all) {
    MeshNode[] nodes = Arrays.stream(all).map(each -> each.node).toArray(MeshNode[]::new);
    for (MeshNode each : nodes) {
      each.follow(nodes);
    }
    for (MeshNode each : nodes) {
      for (MeshNode other : nodes) {
        await("up", () -> each == other || each.mesh.isUp(other.member));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void carriesMessagesBothWays(String ip) throws IOException {
    var a = new Host(ip, "a", MeshNode.SECRET, MeshSettings.DEFAULT);
    var b = new Host(ip, "b", MeshNode.SECRET, MeshSettings.DEFAULT);
    meet(a, b);
    for (int i = 1; i <= 500; i++) {
      a.node.deliver(b.node, MeshNode.message(i, i));
      b.node.deliver(a.node, MeshNode.message(i, i));
    }
    a.node.mesh.send(
        b.node.member,
        MeshNode.message(1, 65_000),
        MeshNode.connectionOf(b.node.member),
        a.node.told::add);
    await("all", () -> a.node.told.size() == 501 && b.node.told.size() == 500);
    assertThat(a.node.told).containsOnly(Delivery.DELIVERED);
    assertThat(a.node.came.stream().mapToLong(each -> MeshNode.number(each.message())))
        .containsExactlyElementsOf(LongStream.rangeClosed(1, 500).boxed().toList());
    assertThat(b.node.sent.getFirst().message().toBytes())
        .isEqualTo(MeshNode.message(1, 65_000).toBytes());
  }

  @Test
  void keepsThreeTogetherAndNoticesAtOnceWhoIsGone() throws Exception {
    Host a = host("a");
    Host b = host("b");
    Host c = host("c");
    meet(a, b, c);
    long killedNs = System.nanoTime();
    b.network.close();
    b.loops.close();
    await("down", () -> !a.node.mesh.isUp(b.node.member) && !c.node.mesh.isUp(b.node.member));
    assertThat(Duration.ofNanos(System.nanoTime() - killedNs)).isLessThan(Duration.ofSeconds(5));
    assertThat(a.node.mesh.isUp(c.node.member)).isTrue();
    a.node.deliver(b.node, MeshNode.message(1, 0));
    a.node.deliver(c.node, MeshNode.message(2, 0));
    await("told", () -> a.node.told.size() == 2);
    assertThat(a.node.told).containsExactlyInAnyOrder(Delivery.FAILED, Delivery.DELIVERED);
  }

  @Test
  void bearsWitnessOfMediaNodes() throws IOException {
    Host a = host("a");
    Host b = host("b");
    meet(a, b);
    b.node.hears.add(new NodeId("media-1"));
    var said = Collections.synchronizedList(new ArrayList<Testimony>());
    a.node.mesh.ask(new NodeId("media-1"), said::add);
    await("told", () -> said.size() == 1);
    a.node.mesh.ask(new NodeId("media-2"), said::add);
    await("told", () -> said.size() == 2);
    assertThat(said).containsExactly(Testimony.HEARD, Testimony.SILENT);
  }

  @Test
  void findsAPeerThatComesLater() throws IOException {
    Host a = host("a");
    int port = Ports.free();
    var later = new Member(new NodeId("b"), new Incarnation(1));
    a.node.mesh.follow(List.of(new Peer(later, Endpoint.of("127.0.0.1", port))));
    var loops = NettyLoops.start(1);
    open.add(loops);
    Loop loop = loops.loops().all().getFirst();
    GrpcMeshNetwork network =
        GrpcMeshNetwork.listen(
            loops,
            loop,
            Endpoint.of("127.0.0.1", port),
            Optional.of(Endpoint.of("192.0.2.1", 0)),
            Optional.empty());
    open.add(network);
    assertThat(network.address()).isEqualTo(Endpoint.of("192.0.2.1", port));
    var b = new MeshNode(loop, "b", 1, network);
    await("up", () -> a.node.mesh.isUp(b.member) && b.mesh.isUp(a.node.member));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "z"})
  void keepsOutWhoHasAnotherSecret(String name) throws IOException {
    Host known = host("k");
    var stranger =
        new Host(
            "127.0.0.1",
            name,
            "not the secret of this cluster, no".getBytes(StandardCharsets.US_ASCII),
            MeshSettings.DEFAULT);
    known.node.follow(stranger.node);
    stranger.node.follow(known.node);
    await(
        "refused",
        () -> known.node.mesh.counters().unproved() + stranger.node.mesh.counters().unproved() > 2);
    assertThat(known.node.changes).isEmpty();
    assertThat(stranger.node.changes).isEmpty();
  }

  @Test
  void bearsStrangersWhoSpeakSomethingElse() throws IOException {
    Host a = host("a");
    Host b = host("b");
    byte[] octets =
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000).getBytes(StandardCharsets.US_ASCII);
    InetSocketAddress there = NettyLoops.socketAddress(a.network.address());
    for (int i = 0; i < 20; i++) {
      try (var socket = new Socket(there.getAddress(), there.getPort())) {
        socket.setSoTimeout(10_000);
        socket.getOutputStream().write(octets);
        InputStream in = socket.getInputStream();
        while (in.read() >= 0) {
          // Until it is closed there.
        }
      } catch (IOException e) {
        // Reset: that is as good.
        assertThat(e).hasMessageNotContaining("timed out");
      }
    }
    meet(a, b);
  }

  @Test
  void boundsAFloodAndAnswersAllOfIt() throws IOException {
    var a =
        new Host(
            "127.0.0.1",
            "a",
            MeshNode.SECRET,
            MeshSettings.DEFAULT.withQueue(1_000, 1 << 20, 2_000));
    Host b = host("b");
    meet(a, b);
    for (int i = 1; i <= 20_000; i++) {
      a.node.deliver(b.node, MeshNode.message(i, 500));
    }
    await("told", () -> a.node.told.size() == 20_000);
    int delivered = Collections.frequency(a.node.told, Delivery.DELIVERED);
    // What was answered too late on a busy machine has come all the same.
    int timedOut = Math.toIntExact(a.node.mesh.counters().timedOut());
    assertThat(delivered).isPositive();
    assertThat(b.node.came.size()).isBetween(delivered, delivered + timedOut);
    assertThat(a.node.mesh.counters().overLimit()).isEqualTo(20_000 - delivered - timedOut);
    assertThat(a.node.mesh.isUp(b.node.member)).isTrue();
  }

  @Test
  void namesAnAddressThatIsInUse() throws IOException {
    Host a = host("a");
    Endpoint taken = a.network.address();
    assertThatThrownBy(
            () ->
                GrpcMeshNetwork.listen(
                    a.loops,
                    a.loops.loops().all().getFirst(),
                    taken,
                    Optional.empty(),
                    Optional.empty()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(Integer.toString(taken.port()));
    assertThat(taken.ip()).isEqualTo(IpAddress.of("127.0.0.1"));
  }

  private Optional<NodeTls> tls(ClusterCertificates authority, String name) throws IOException {
    ClusterCertificates.Given given = authority.give(name);
    NodeTls tls = NodeTls.open(given.ca(), given.certificate(), given.key(), Duration.ofHours(1));
    open.add(tls);
    return Optional.of(tls);
  }

  private Host host(String name, Optional<NodeTls> tls) throws IOException {
    return new Host("127.0.0.1", name, MeshNode.SECRET, MeshSettings.DEFAULT, tls);
  }

  @Test
  void carriesMessagesEncrypted() throws IOException {
    var authority = new ClusterCertificates(folder, "cluster");
    Host a = host("a", tls(authority, "a"));
    Host b = host("b", tls(authority, "b"));
    meet(a, b);
    a.node.deliver(b.node, MeshNode.message(1, 60_000));
    await("delivered", () -> a.node.told.contains(Delivery.DELIVERED));
  }

  @Test
  void doesNotSpeakWithWhoIsNotOfTheAuthorityThoughItKnowsTheSecret() throws IOException {
    var ours = new ClusterCertificates(folder, "cluster");
    Host a = host("a", tls(ours, "a"));
    Host stranger = host("c", tls(new ClusterCertificates(folder, "other"), "c"));
    for (Host each : List.of(stranger, host("d"))) {
      var ended = new CopyOnWriteArrayList<String>();
      Loop loop = each.loops.loops().all().getFirst();
      loop.execute(
          () ->
              each.network.dial(
                  a.network.address(),
                  new MeshStream.Listener() {
                    @Override
                    public void ready() {}

                    @Override
                    public void heard(MeshMessage message) {
                      ended.add("heard " + message);
                    }

                    @Override
                    public void ended(String reason) {
                      ended.add(reason);
                    }
                  }));
      await("ended", () -> !ended.isEmpty());
      assertThat(ended).singleElement().asString().startsWith("UNAVAILABLE");
    }
  }
}
