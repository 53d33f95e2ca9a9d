package io.sippbx.control.mesh;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Sends by flows of all members: what goes by a flow of another goes through the mesh.
 *
 * <p>Where that member is gone, or its connection is, a destination that has another way takes it
 * from here, and so does a response (RFC 3261 18.2.2: a connection to the port of sent-by). Over
 * UDP the way from here is the same but for the source address: a peer behind a NAT may not hear
 * it. All else fails as over a connection of this node's that is gone.
 */
public final class MeshTransport implements SipTransport {

  private final SipTransport own;
  private final Member self;
  private final Mesh mesh;
  private final Loops loops;

  /**
   * @param own of this node
   * @param loops of those who send
   */
  public MeshTransport(SipTransport own, Member self, Mesh mesh, Loops loops) {
    this.own = own;
    this.self = self;
    this.mesh = mesh;
    this.loops = loops;
  }

  @Override
  public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
    Optional<Flow> others = to.flow().filter(this::isOfAnother);
    if (others.isEmpty()) {
      own.send(message, to, onFailure);
      return;
    }
    Flow flow = others.get();
    byHolder(
        message,
        flow,
        () -> {
          if (!flow.protocol().isReliable()) {
            own.send(message, to, onFailure);
          } else if (to.onlyFlow()) {
            fail(flow, onFailure);
          } else {
            own.send(message, Destination.to(to.protocol(), to.remote()), onFailure);
          }
        });
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    if (isOfAnother(flow)) {
      // What it does with a connection that is gone is what it does with one of another node.
      byHolder(message, flow, () -> own.send(message, flow, onFailure));
    } else {
      own.send(message, flow, onFailure);
    }
  }

  private boolean isOfAnother(Flow flow) {
    return flow.holder().isPresent() && !flow.holder().get().equals(self);
  }

  private void byHolder(SipMessage message, Flow flow, Runnable otherwise) {
    Member holder = flow.holder().orElseThrow();
    if (!mesh.isUp(holder)) {
      otherwise.run();
      return;
    }
    Loop home = home();
    mesh.send(
        holder,
        message,
        flow,
        delivery -> {
          if (delivery == Mesh.Delivery.FAILED) {
            home.execute(otherwise);
          }
        });
  }

  private void fail(Flow flow, Consumer<SendFailure> onFailure) {
    String way = flow.protocol().uriParameter() + " " + flow.remote();
    var failure =
        new SendFailure(
            SendFailure.Reason.CONNECTION_LOST,
            way + ": the connection of " + flow.holder().orElseThrow() + " is lost");
    home().execute(() -> onFailure.accept(failure));
  }

  private Loop home() {
    for (Loop each : loops.all()) {
      if (each.inLoop()) {
        return each;
      }
    }
    return loops.all().getFirst();
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
    return own.advertised(protocol, v6);
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, IpAddress peer) {
    return own.advertised(protocol, peer);
  }

  /**
   * Sends for another member by a flow of this node, and by no other way: the other end of {@link
   * Mesh#send}.
   */
  public static void sendFor(
      SipTransport own, SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    if (flow.protocol().isReliable()) {
      var onlyHere = new Destination(flow.protocol(), flow.remote(), Optional.of(flow), true);
      own.send(message, onlyHere, onFailure);
    } else {
      own.send(message, flow, onFailure);
    }
  }
}
