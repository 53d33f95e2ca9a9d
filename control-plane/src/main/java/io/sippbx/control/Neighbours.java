package io.sippbx.control;

import io.sippbx.control.cluster.AddressClaim;
import io.sippbx.control.cluster.Announced;
import io.sippbx.control.cluster.Beat;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.media.MediaWatch;
import io.sippbx.control.mesh.MeshCommand;
import io.sippbx.control.mesh.MeshNetwork;
import io.sippbx.control.mesh.MeshReceiver;
import io.sippbx.control.mesh.MeshTransport;
import io.sippbx.control.mesh.Peer;
import io.sippbx.control.mesh.PeerMesh;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A node's dealings with the others beside it: it tells them where it is, keeps the mesh to those
 * that the store shows, and hands on what comes by it.
 */
public final class Neighbours implements MeshReceiver {

  private static final Logger log = LoggerFactory.getLogger(Neighbours.class);

  /** Nodes whose addresses are remembered: what they sent may be answered after their end. */
  private static final int MAX_REMEMBERED = 1_000;

  private final RateLimitedLog conflicts = RateLimitedLog.of(log);
  private final ControlNode node;
  private final SipTransport own;
  private final MediaWatch media;
  private final PeerMesh mesh;
  private final NodeId self;
  private final AddressClaim claim;
  private final Consumer<List<Endpoint>> addresses;
  private final TreeMap<NodeId, List<Endpoint>> known = new TreeMap<>();

  /**
   * @param own the transport of the node itself, without the mesh
   * @param media whose nodes others ask about
   * @param claim how SIP reaches the node
   * @param addresses is told those of other nodes, on the mesh's loop
   */
  public Neighbours(
      ControlNode node,
      NodeId self,
      SipTransport own,
      MediaWatch media,
      PeerMesh mesh,
      AddressClaim claim,
      Consumer<List<Endpoint>> addresses) {
    this.node = node;
    this.self = self;
    this.own = own;
    this.media = media;
    this.mesh = mesh;
    this.claim = claim;
    this.addresses = addresses;
  }

  /** Begins; before the node's start. */
  public void start(MeshNetwork network) {
    node.cluster().announce(new Announced(Optional.of(network.address()), claim.text()));
    node.cluster().onLook(this::looked);
    media.witnessedBy(mesh);
    mesh.start(this, (member, isUp) -> node.cluster().mesh(member.node(), isUp));
  }

  private void looked(List<Beat> beats) {
    var peers = new ArrayList<Peer>();
    for (Beat beat : beats) {
      if (beat.node().equals(self)) {
        continue;
      }
      Announced told = beat.announced();
      told.mesh().ifPresent(address -> peers.add(new Peer(beat.member(), address)));
      AddressClaim.parse(told.sip()).ifPresent(theirs -> met(beat.node(), theirs));
    }
    mesh.follow(peers);
  }

  private void met(NodeId other, AddressClaim theirs) {
    claim
        .conflict(other, theirs)
        .ifPresent(
            conflict ->
                conflicts
                    .at(Level.ERROR, "cluster.addresses")
                    .addKeyValue("node", other)
                    .addKeyValue("conflict", conflict)
                    .log("cluster.addresses"));
    if (theirs.shared() || theirs.endpoints().equals(known.get(other))) {
      return;
    }
    known.put(other, theirs.endpoints());
    while (known.size() > MAX_REMEMBERED) {
      known.pollFirstEntry();
    }
    addresses.accept(known.values().stream().flatMap(List::stream).toList());
  }

  @Override
  public boolean delivered(SipMessage message, Flow flow, int hops) {
    return node.handedOn(message, flow, hops);
  }

  @Override
  public boolean commanded(MeshCommand command) {
    return switch (command) {
      case MeshCommand.HangUp(CallKey call) -> {
        node.hangUp(call, Reason.ADMINISTRATOR);
        yield true;
      }
      case MeshCommand.Drain(boolean drain) -> {
        node.drain(drain);
        yield node.isDraining() == drain;
      }
    };
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    MeshTransport.sendFor(own, message, flow, onFailure);
  }

  @Override
  public boolean hears(NodeId mediaNode) {
    return media.hears(mediaNode);
  }
}
