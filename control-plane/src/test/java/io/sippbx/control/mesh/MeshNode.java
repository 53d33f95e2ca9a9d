package io.sippbx.control.mesh;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.mesh.Mesh.Delivery;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** A node of which there is nothing but its mesh, and what it was told. */
public final class MeshNode implements MeshReceiver {

  /** What came from another node. */
  public record Came(SipMessage message, Flow flow, int hops) {}

  /** A secret that all have. */
  public static final byte[] SECRET =
      "a secret of thirty-two characters".getBytes(StandardCharsets.US_ASCII);

  /** Which start of which node it is. */
  public final Member member;

  /** Where its mesh listens. */
  public final Endpoint address;

  /** Its mesh. */
  public final PeerMesh mesh;

  /** What others delivered. */
  public final List<Came> came = Collections.synchronizedList(new ArrayList<>());

  /** What others had sent here. */
  public final List<Came> sent = Collections.synchronizedList(new ArrayList<>());

  /** What administrators who had asked others wanted. */
  public final List<MeshCommand> commanded = Collections.synchronizedList(new ArrayList<>());

  /** Who came up and went down, in order: {@code +b/1}, {@code -b/1}. */
  public final List<String> changes = Collections.synchronizedList(new ArrayList<>());

  /** What became of what it asked for. */
  public final List<Delivery> told = Collections.synchronizedList(new ArrayList<>());

  /** Media nodes that it hears. */
  public final Set<NodeId> hears = Collections.synchronizedSet(new TreeSet<>());

  /** Whether it refuses what it is given. */
  public volatile boolean full;

  /** Why it can send nothing. */
  public volatile Optional<SendFailure> broken = Optional.empty();

  private final Loop loop;

  /** A node on {@code loop}. */
  public MeshNode(Loop loop, String name, long incarnation, MeshNetwork network) {
    this(loop, name, incarnation, network, SECRET, MeshSettings.DEFAULT);
  }

  /** A node with a secret and settings of its own. */
  public MeshNode(
      Loop loop,
      String name,
      long incarnation,
      MeshNetwork network,
      byte[] secret,
      MeshSettings settings) {
    this.loop = loop;
    this.member = new Member(new NodeId(name), new Incarnation(incarnation));
    this.address = network.address();
    this.mesh =
        new PeerMesh(
            loop,
            member,
            settings,
            network,
            secret,
            SipLimits.DEFAULT,
            new Random(name.hashCode() + incarnation)::nextLong);
    mesh.start(this, (other, isUp) -> changes.add((isUp ? "+" : "-") + other.node()));
  }

  /** Who it is and where. */
  public Peer peer() {
    return new Peer(member, address);
  }

  /** Knows these others. */
  public void follow(MeshNode... others) {
    var peers = new ArrayList<Peer>();
    for (MeshNode each : others) {
      peers.add(each.peer());
    }
    mesh.follow(peers);
  }

  /** Gives a message to another node. */
  public void deliver(MeshNode to, SipMessage message) {
    mesh.deliver(to.member, message, udp(), 0, told::add);
  }

  @Override
  public boolean delivered(SipMessage message, Flow flow, int hops) {
    if (full) {
      return false;
    }
    came.add(new Came(message, flow, hops));
    return true;
  }

  @Override
  public boolean commanded(MeshCommand command) {
    return !full && commanded.add(command);
  }

  @Override
  public boolean hears(NodeId mediaNode) {
    return hears.contains(mediaNode);
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    sent.add(new Came(message, flow, 0));
    broken.ifPresent(failure -> loop.execute(() -> onFailure.accept(failure)));
  }

  /** A flow over UDP that no node holds. */
  public static Flow udp() {
    return Flow.udp(Endpoint.of("192.0.2.1", 5060), Endpoint.of("2001:db8::9", 5062));
  }

  /** A connection that a node holds. */
  public static Flow connectionOf(Member holder) {
    return Flow.accepted(
            TransportProtocol.TCP,
            Endpoint.of("192.0.2.1", 5060),
            Endpoint.of("192.0.2.9", 40_000),
            -5)
        .heldBy(Optional.of(holder));
  }

  /** A request with a body of so many octets. */
  public static SipMessage message(int number, int bodyBytes) {
    byte[] octets =
        ("OPTIONS sip:1008@pbx.example SIP/2.0\r\n"
                + "Via: SIP/2.0/UDP 192.0.2.9;rport=5062;received=192.0.2.9;branch=z9hG4bK"
                + number
                + "\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: c"
                + number
                + "\r\nCSeq: "
                + number
                + " OPTIONS\r\nX-Strange: \t kept as it is\r\nMax-Forwards: 70\r\nContent-Length: "
                + bodyBytes
                + "\r\n\r\n"
                + "x".repeat(bodyBytes))
            .getBytes(StandardCharsets.ISO_8859_1);
    if (SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT)
        instanceof ParseResult.Parsed parsed) {
      return parsed.message();
    }
    throw new IllegalStateException("Expected a message");
  }

  /** The number that {@link #message} was given. */
  public static long number(SipMessage message) {
    CSeq cSeq = message.cSeq();
    return cSeq.method().equals(Method.OPTIONS) ? cSeq.number() : -1;
  }
}
