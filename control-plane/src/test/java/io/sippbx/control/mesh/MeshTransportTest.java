package io.sippbx.control.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.control.testkit.VirtualMeshNetworks;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("sending by flows of other members")
class MeshTransportTest {

  private static final Endpoint PHONE = Endpoint.of("192.0.2.9", 5070);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualMeshNetworks networks = new VirtualMeshNetworks();
  private final VirtualLoop loopA = time.loop("a");
  private final VirtualLoop loopB = time.loop("b");
  private final MeshNode a = node(loopA, "a", 1);
  private final MeshNode b = node(loopB, "b", 2);
  private final Wire own = new Wire();
  private final List<SendFailure> failures = new ArrayList<>();
  private final MeshTransport transport =
      new MeshTransport(own, a.member, a.mesh, new Loops(List.of(loopA)));

  private MeshNode node(VirtualLoop loop, String name, int number) {
    Endpoint address = Endpoint.of("192.0.2." + number, 7000);
    return new MeshNode(loop, name, 1, networks.node(loop, address));
  }

  /** What leaves by this node's own sockets. */
  private static final class Wire implements SipTransport {
    private final List<Destination> destinations = new ArrayList<>();
    private final List<Flow> flows = new ArrayList<>();

    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      destinations.add(to);
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      flows.add(flow);
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return Optional.of(Endpoint.of(v6 ? "2001:db8::1" : "192.0.2.1", 5060));
    }
  }

  @BeforeEach
  void connects() {
    a.follow(b);
    time.runReady();
  }

  private static SipRequest request() {
    return (SipRequest) MeshNode.message(1, 0);
  }

  private static SipResponse response() {
    return SipResponse.to(request(), 200).toTag(new Tag("x")).build();
  }

  private static Flow udpOf(MeshNode holder) {
    return MeshNode.udp().heldBy(Optional.of(holder.member));
  }

  private static Destination preferring(Flow flow) {
    return Destination.to(TransportProtocol.TCP, PHONE).preferring(flow);
  }

  @Test
  void sendsByItsOwnFlowsItself() {
    Flow ours = MeshNode.connectionOf(a.member);
    transport.send(request(), Destination.over(ours), failures::add);
    transport.send(request(), Destination.to(TransportProtocol.UDP, PHONE), failures::add);
    transport.send(response(), ours, failures::add);
    transport.send(response(), MeshNode.udp(), failures::add);
    assertThat(own.destinations)
        .containsExactly(Destination.over(ours), Destination.to(TransportProtocol.UDP, PHONE));
    assertThat(own.flows).containsExactly(ours, MeshNode.udp());
  }

  @Test
  void sendsByTheFlowsOfAnotherThroughIt() {
    transport.send(request(), Destination.over(MeshNode.connectionOf(b.member)), failures::add);
    transport.send(request(), preferring(MeshNode.connectionOf(b.member)), failures::add);
    transport.send(response(), MeshNode.connectionOf(b.member), failures::add);
    transport.send(response(), udpOf(b), failures::add);
    time.runReady();
    assertThat(b.sent).hasSize(4);
    assertThat(own.destinations).isEmpty();
    assertThat(own.flows).isEmpty();
    assertThat(failures).isEmpty();
  }

  @Test
  void takesAnotherWayWhereItsConnectionIsGone() {
    b.broken = Optional.of(new SendFailure(SendFailure.Reason.CONNECTION_LOST, "connection lost"));
    transport.send(request(), preferring(MeshNode.connectionOf(b.member)), failures::add);
    transport.send(response(), MeshNode.connectionOf(b.member), failures::add);
    time.runReady();
    assertThat(own.destinations).containsExactly(Destination.to(TransportProtocol.TCP, PHONE));
    assertThat(own.flows).containsExactly(MeshNode.connectionOf(b.member));
    assertThat(failures).isEmpty();
  }

  @Test
  void takesAnotherWayWhereTheMemberIsGone() {
    networks.kill(b.address);
    time.runReady();
    transport.send(request(), preferring(MeshNode.connectionOf(b.member)), failures::add);
    transport.send(response(), MeshNode.connectionOf(b.member), failures::add);
    transport.send(request(), Destination.over(udpOf(b)), failures::add);
    time.runReady();
    assertThat(own.destinations)
        .containsExactly(Destination.to(TransportProtocol.TCP, PHONE), Destination.over(udpOf(b)));
    assertThat(own.flows).containsExactly(MeshNode.connectionOf(b.member));
  }

  @Test
  @DisplayName("RFC 5626 5.3: and fails where there is none, on the sender's loop, never inline")
  void failsWhereThereIsNoOtherWay() {
    var here = new ArrayList<Boolean>();
    Consumer<SendFailure> noted =
        failure -> {
          failures.add(failure);
          here.add(loopA.inLoop());
        };
    b.broken = Optional.of(new SendFailure(SendFailure.Reason.CONNECTION_LOST, "connection lost"));
    loopA.execute(
        () -> transport.send(request(), Destination.over(MeshNode.connectionOf(b.member)), noted));
    time.runReady();
    networks.kill(b.address);
    time.runReady();
    transport.send(request(), Destination.over(MeshNode.connectionOf(b.member)), noted);
    assertThat(failures).hasSize(1);
    time.runReady();
    assertThat(failures)
        .extracting(SendFailure::reason)
        .containsExactly(SendFailure.Reason.CONNECTION_LOST, SendFailure.Reason.CONNECTION_LOST);
    assertThat(here).containsExactly(true, true);
    assertThat(own.destinations).isEmpty();
  }

  @Test
  void sendsForAnotherByNoOtherWay() {
    Flow ours = MeshNode.connectionOf(a.member);
    MeshTransport.sendFor(own, response(), ours, failures::add);
    MeshTransport.sendFor(own, response(), udpOf(a), failures::add);
    assertThat(own.destinations)
        .containsExactly(
            new Destination(TransportProtocol.TCP, ours.remote(), Optional.of(ours), true));
    assertThat(own.flows).containsExactly(udpOf(a));
  }

  @Test
  void tellsTheAddressesOfThisNode() {
    assertThat(transport.advertised(TransportProtocol.UDP, true))
        .contains(Endpoint.of("2001:db8::1", 5060));
  }
}
