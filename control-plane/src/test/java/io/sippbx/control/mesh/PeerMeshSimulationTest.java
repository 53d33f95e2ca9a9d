package io.sippbx.control.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.media.MediaWitness.Testimony;
import io.sippbx.control.mesh.Mesh.Delivery;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.control.testkit.VirtualMeshNetworks;
import io.sippbx.proto.mesh.v1.Command;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the mesh on virtual time")
class PeerMeshSimulationTest {

  private static final Duration SECOND = Duration.ofSeconds(1);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualMeshNetworks networks = new VirtualMeshNetworks();
  private final VirtualLoop loopA = time.loop("a");
  private final VirtualLoop loopB = time.loop("b");
  private final MeshNode a = node(loopA, "a", 1);
  private final MeshNode b = node(loopB, "b", 1);
  private int addresses = 100;

  private Endpoint address(String name) {
    return Endpoint.of("192.0.2." + (name.charAt(0) - 'a' + 1), 7000);
  }

  private MeshNode node(VirtualLoop loop, String name, long incarnation) {
    return new MeshNode(loop, name, incarnation, networks.node(loop, address(name)));
  }

  private MeshNode node(VirtualLoop loop, String name, byte[] secret, MeshSettings settings) {
    return new MeshNode(
        loop,
        name,
        1,
        networks.node(loop, Endpoint.of("192.0.2." + addresses++, 7000)),
        secret,
        settings);
  }

  private void both() {
    a.follow(b);
    b.follow(a);
    time.runReady();
    assertThat(a.mesh.isUp(b.member)).isTrue();
    assertThat(b.mesh.isUp(a.member)).isTrue();
  }

  @Test
  void opensOneStreamBetweenTwo() {
    both();
    assertThat(networks.attempts()).isEqualTo(1);
    assertThat(a.changes).containsExactly("+b");
    assertThat(b.changes).containsExactly("+a");
    time.advance(Duration.ofMinutes(1));
    assertThat(networks.attempts()).isEqualTo(1);
    assertThat(a.changes).containsExactly("+b");
  }

  @Test
  void carriesAMessageWithItsFlowAsItCame() {
    both();
    b.deliver(a, MeshNode.message(1, 1_000));
    a.mesh.deliver(
        b.member, MeshNode.message(2, 0), MeshNode.connectionOf(a.member), 1, a.told::add);
    assertThat(a.came).isEmpty();
    time.runReady();
    assertThat(a.came.getFirst().message().toBytes())
        .isEqualTo(MeshNode.message(1, 1_000).toBytes());
    assertThat(a.came.getFirst().flow()).isEqualTo(MeshNode.udp());
    assertThat(a.came.getFirst().hops()).isEqualTo(1);
    assertThat(b.came.getFirst().flow()).isEqualTo(MeshNode.connectionOf(a.member));
    assertThat(b.came.getFirst().hops()).isEqualTo(2);
    assertThat(a.told).containsExactly(Delivery.DELIVERED);
    assertThat(b.told).containsExactly(Delivery.DELIVERED);
  }

  @Test
  void tellsWhatIsRefusedThere() {
    both();
    b.full = true;
    a.deliver(b, MeshNode.message(1, 0));
    assertThat(a.told).isEmpty();
    time.runReady();
    assertThat(a.told).containsExactly(Delivery.FAILED);
    assertThat(a.mesh.counters().refused()).isEqualTo(1);
  }

  @Test
  void tellsAnotherWhatAnAdministratorWantsOfIt() {
    both();
    var hangUp = new MeshCommand.HangUp(new CallKey("a".repeat(26)));
    a.mesh.command(b.member, hangUp, a.told::add);
    b.mesh.command(a.member, new MeshCommand.Drain(true), b.told::add);
    b.mesh.command(a.member, new MeshCommand.Drain(false), b.told::add);
    assertThat(b.commanded).isEmpty();
    time.runReady();
    assertThat(b.commanded).containsExactly(hangUp);
    assertThat(a.commanded)
        .containsExactly(new MeshCommand.Drain(true), new MeshCommand.Drain(false));
    assertThat(a.told).containsExactly(Delivery.DELIVERED);
    assertThat(b.told).containsExactly(Delivery.DELIVERED, Delivery.DELIVERED);
    b.full = true;
    a.mesh.command(b.member, hangUp, a.told::add);
    time.runReady();
    assertThat(a.told).containsExactly(Delivery.DELIVERED, Delivery.FAILED);
  }

  @Test
  void takesNoCommandThatItDoesNotUnderstand() {
    for (Command wrong :
        List.of(
            Command.newBuilder().setHangUpCall("nonsense").build(),
            Command.newBuilder().setHangUpCall("a".repeat(27)).build(),
            Command.getDefaultInstance())) {
      assertThatThrownBy(() -> MeshCodec.command(wrong))
          .isInstanceOf(MeshCodec.UnreadableException.class);
    }
  }

  @Test
  void failsAtOnceWhereThereIsNoWay() {
    a.deliver(b, MeshNode.message(1, 0));
    assertThat(a.told).isEmpty();
    time.runReady();
    assertThat(a.told).containsExactly(Delivery.FAILED);
    assertThat(time.elapsed()).isZero();
  }

  @Test
  void handsNothingOnForEver() {
    both();
    a.mesh.deliver(
        b.member, MeshNode.message(1, 0), MeshNode.udp(), Mesh.MAX_HOPS - 1, a.told::add);
    a.mesh.deliver(b.member, MeshNode.message(2, 0), MeshNode.udp(), Mesh.MAX_HOPS, a.told::add);
    time.runReady();
    assertThat(b.came).hasSize(1);
    assertThat(a.told).containsExactlyInAnyOrder(Delivery.DELIVERED, Delivery.FAILED);
    assertThat(a.mesh.counters().circling()).isEqualTo(1);
  }

  @Test
  void sendsByAConnectionOfAnother() {
    both();
    a.mesh.send(b.member, MeshNode.message(1, 0), MeshNode.connectionOf(b.member), a.told::add);
    time.runReady();
    assertThat(b.sent).hasSize(1);
    assertThat(b.sent.getFirst().flow()).isEqualTo(MeshNode.connectionOf(b.member));
    assertThat(a.told).containsExactly(Delivery.DELIVERED);
  }

  @Test
  void tellsThatTheConnectionIsGone() {
    both();
    b.broken = Optional.of(new SendFailure(SendFailure.Reason.CONNECTION_LOST, "connection lost"));
    a.mesh.send(b.member, MeshNode.message(1, 0), MeshNode.connectionOf(b.member), a.told::add);
    time.runReady();
    assertThat(a.told).containsExactly(Delivery.FAILED);
  }

  @Test
  void sendsNothingByAFlowThatIsNotItsOwn() {
    both();
    a.mesh.send(b.member, MeshNode.message(1, 0), MeshNode.connectionOf(a.member), a.told::add);
    time.runReady();
    assertThat(b.sent).isEmpty();
    assertThat(a.told).containsExactly(Delivery.FAILED);
  }

  private List<Testimony> asks(String mediaNode) {
    var said = new ArrayList<Testimony>();
    a.mesh.ask(new NodeId(mediaNode), said::add);
    time.runReady();
    return said;
  }

  @Test
  void asksWhoIsThereWhetherItHearsAMediaNode() {
    assertThat(asks("media-1")).as("alone").containsExactly(Testimony.NOBODY);
    MeshNode c = node(time.loop("c"), "c", 1);
    a.follow(b, c);
    b.follow(a, c);
    c.follow(a, b);
    time.runReady();
    assertThat(asks("media-1")).containsExactly(Testimony.SILENT);
    c.hears.add(new NodeId("media-1"));
    assertThat(asks("media-1")).as("one is enough").containsExactly(Testimony.HEARD);
    assertThat(asks("media-2")).containsExactly(Testimony.SILENT);
    assertThat(a.mesh.counters().taken() + a.mesh.counters().refused()).isZero();
  }

  @Test
  void doesNotWaitLongForAWitness() {
    both();
    loopB.pause();
    List<Testimony> said = asks("media-1");
    assertThat(said).isEmpty();
    time.advance(Duration.ofMillis(200));
    assertThat(said).containsExactly(Testimony.NOBODY);
    loopB.resume();
    time.advance(SECOND);
    assertThat(said).as("told once").hasSize(1);
  }

  @Test
  void isDownAtOnceWhenThePeerIsKilled() {
    both();
    networks.holdUp(b.address, true);
    a.deliver(b, MeshNode.message(1, 0));
    time.runReady();
    assertThat(a.told).isEmpty();
    loopB.stop();
    networks.kill(b.address);
    time.runReady();
    assertThat(a.mesh.isUp(b.member)).isFalse();
    assertThat(a.changes).containsExactly("+b", "-b");
    assertThat(a.told).containsExactly(Delivery.FAILED);
    assertThat(time.elapsed()).isZero();
  }

  @Test
  void isDownWhenThePeerIsSilent() {
    both();
    time.advance(SECOND);
    loopB.pause();
    time.advance(Duration.ofMillis(600));
    assertThat(a.mesh.isUp(b.member)).isTrue();
    time.advance(Duration.ofMillis(250));
    assertThat(a.mesh.isUp(b.member)).isFalse();
    loopB.resume();
    time.advance(Duration.ofSeconds(3));
    assertThat(a.mesh.isUp(b.member)).isTrue();
    assertThat(b.mesh.isUp(a.member)).isTrue();
  }

  @Test
  void holdsItsOwnPauseAgainstNobody() {
    both();
    time.advance(SECOND);
    loopA.pause();
    loopB.pause();
    time.advance(Duration.ofSeconds(2));
    loopA.resume();
    time.advance(Duration.ofMillis(100));
    loopB.resume();
    time.advance(SECOND);
    assertThat(a.changes).containsExactly("+b");
    assertThat(b.changes).containsExactly("+a");
  }

  @Test
  void dialsAgainEverMoreSeldom() {
    both();
    networks.kill(b.address);
    time.runReady();
    int before = networks.attempts();
    time.advance(Duration.ofSeconds(30));
    assertThat(networks.attempts() - before).isBetween(15, 40);
    new MeshNode(loopB, "b", 1, networks.node(loopB, b.address));
    time.advance(Duration.ofSeconds(3));
    assertThat(a.mesh.isUp(b.member)).isTrue();
  }

  @Test
  void comesUpAgainAfterAReset() {
    both();
    networks.cut(a.address);
    time.runReady();
    assertThat(a.mesh.isUp(b.member)).isFalse();
    time.advance(SECOND);
    assertThat(a.mesh.isUp(b.member)).isTrue();
    assertThat(b.changes).containsExactly("+a", "-a", "+a");
  }

  @Test
  void takesANewStartInPlaceOfTheFormer() {
    both();
    // The former's end was not noticed: its host has vanished.
    networks.holdUp(b.address, true);
    loopB.stop();
    VirtualLoop fresh = time.loop("b2");
    MeshNode second = node(fresh, "b", 2);
    second.follow(a);
    a.follow(second);
    time.advance(Duration.ofMillis(50));
    assertThat(a.mesh.isUp(b.member)).isFalse();
    assertThat(a.mesh.isUp(second.member)).isTrue();
    a.deliver(b, MeshNode.message(1, 0));
    a.deliver(second, MeshNode.message(2, 0));
    time.runReady();
    assertThat(second.came).hasSize(1);
    assertThat(a.told).containsExactlyInAnyOrder(Delivery.FAILED, Delivery.DELIVERED);
  }

  @Test
  void isNotMistakenForAnotherAtTheSameAddress() {
    MeshNode second = node(time.loop("b2"), "b", 2);
    a.follow(b);
    second.follow(a);
    time.advance(SECOND);
    // At b's address there is its second start, and the first is looked for.
    assertThat(a.mesh.isUp(b.member)).isFalse();
    assertThat(a.mesh.isUp(second.member)).isFalse();
    a.follow(second);
    time.advance(SECOND);
    assertThat(a.mesh.isUp(second.member)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "z"})
  void staysAwayFromWhoDoesNotKnowTheSecret(String name) {
    // Whichever of the two dials.
    MeshNode stranger =
        node(
            time.loop("stranger"),
            name,
            "not the secret of this cluster, no".getBytes(StandardCharsets.US_ASCII),
            MeshSettings.DEFAULT);
    stranger.follow(a);
    a.follow(stranger);
    time.advance(Duration.ofSeconds(10));
    assertThat(a.changes).isEmpty();
    assertThat(stranger.changes).isEmpty();
    assertThat(a.mesh.counters().unproved() + stranger.mesh.counters().unproved()).isGreaterThan(3);
  }

  @Test
  void boundsWhatWaitsForAPeerThatReadsSlowly() {
    MeshSettings settings = MeshSettings.DEFAULT.withQueue(20, 20_000, 30);
    MeshNode slow = node(time.loop("z"), "z", MeshNode.SECRET, MeshSettings.DEFAULT);
    MeshNode fast = node(time.loop("f"), "f", MeshNode.SECRET, settings);
    fast.follow(slow);
    slow.follow(fast);
    time.runReady();
    networks.stopReading(slow.address, true);
    for (int i = 1; i <= 100; i++) {
      fast.deliver(slow, MeshNode.message(i, 10));
      time.runReady();
    }
    assertThat(fast.told).hasSize(80).containsOnly(Delivery.FAILED);
    assertThat(fast.mesh.counters().overLimit()).isEqualTo(80);
    networks.stopReading(slow.address, false);
    time.runReady();
    assertThat(slow.came).hasSize(20);
    assertThat(fast.told).hasSize(100);
    // And by octets: each is more than a tenth of the limit.
    networks.stopReading(slow.address, true);
    fast.told.clear();
    for (int i = 1; i <= 15; i++) {
      fast.deliver(slow, MeshNode.message(i, 2_000));
      time.runReady();
    }
    assertThat(fast.told.size()).isBetween(6, 8);
  }

  @Test
  void givesUpWhatIsNotAnsweredInTimeAndSendsItNoMore() {
    MeshNode impatient = node(time.loop("i"), "i", MeshNode.SECRET, impatient());
    impatient.follow(b);
    b.follow(impatient);
    time.runReady();
    networks.stopReading(b.address, true);
    impatient.deliver(b, MeshNode.message(1, 0));
    time.advance(Duration.ofMillis(250));
    assertThat(impatient.told).isEmpty();
    time.advance(Duration.ofMillis(100));
    assertThat(impatient.told).containsExactly(Delivery.FAILED);
    assertThat(impatient.mesh.counters().timedOut()).isEqualTo(1);
    networks.stopReading(b.address, false);
    time.runReady();
    assertThat(b.came).isEmpty();
    assertThat(impatient.mesh.isUp(b.member)).isTrue();
  }

  private static MeshSettings impatient() {
    MeshSettings usual = MeshSettings.DEFAULT;
    return new MeshSettings(
        usual.keepAlive(),
        usual.silence(),
        usual.proofTime(),
        Duration.ofMillis(300),
        usual.firstBackoff(),
        usual.mostBackoff(),
        usual.queued(),
        usual.queuedBytes(),
        usual.unanswered(),
        usual.peers(),
        usual.unproved());
  }

  @Test
  void boundsWhatIsAskedForWithinOneTurn() {
    MeshNode many =
        node(time.loop("m"), "m", MeshNode.SECRET, MeshSettings.DEFAULT.withQueue(5, 9_999, 9));
    for (int i = 0; i < 50; i++) {
      many.deliver(a, MeshNode.message(i, 0));
    }
    time.runReady();
    assertThat(many.told).hasSize(50);
    assertThat(many.mesh.counters().overLimit()).isEqualTo(45);
  }

  @Test
  void tellsPeersThatItLeaves() {
    both();
    b.deliver(a, MeshNode.message(1, 0));
    b.mesh.close();
    time.runReady();
    assertThat(a.mesh.isUp(b.member)).isFalse();
    assertThat(b.told).hasSize(1);
    time.advance(Duration.ofSeconds(10));
    assertThat(a.mesh.isUp(b.member)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  @DisplayName("whatever breaks: each request is answered once, and in the end all are up")
  void isAnsweredOnceWhateverBreaks(int seed) {
    VirtualLoops shuffled = VirtualLoops.shuffled(seed);
    var random = new Random(seed);
    var all = new ArrayList<MeshNode>();
    for (String name : List.of("a", "b", "c")) {
      VirtualLoop loop = shuffled.loop(name);
      all.add(
          new MeshNode(
              loop,
              name,
              1,
              networks.node(loop, Endpoint.of("198.51.100." + (name.charAt(0) - 96), 1))));
    }
    for (MeshNode each : all) {
      each.follow(all.toArray(MeshNode[]::new));
    }
    int asked = 0;
    for (int i = 1; i <= 500; i++) {
      MeshNode from = all.get(random.nextInt(3));
      MeshNode to = all.get(random.nextInt(3));
      from.deliver(to, MeshNode.message(i, 0));
      asked++;
      switch (random.nextInt(20)) {
        case 0 -> networks.cut(to.address);
        case 1 -> networks.holdUp(to.address, true);
        case 2 -> networks.holdUp(to.address, false);
        case 3 -> networks.stopReading(to.address, random.nextBoolean());
        default -> shuffled.advance(Duration.ofMillis(random.nextInt(100)));
      }
    }
    for (MeshNode each : all) {
      networks.holdUp(each.address, false);
      networks.stopReading(each.address, false);
    }
    shuffled.advance(Duration.ofSeconds(10));
    int told = 0;
    var delivered = new ArrayList<Delivery>();
    for (MeshNode each : all) {
      told += each.told.size();
      delivered.addAll(each.told);
      for (MeshNode other : all) {
        assertThat(each.mesh.isUp(other.member)).isEqualTo(each != other);
      }
    }
    assertThat(told).isEqualTo(asked);
    assertThat(Collections.frequency(delivered, Delivery.DELIVERED)).isGreaterThan(100);
  }
}
