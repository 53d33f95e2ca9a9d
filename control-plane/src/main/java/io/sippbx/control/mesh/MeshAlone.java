package io.sippbx.control.mesh;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.Member;
import java.util.function.Consumer;

/** The mesh of a node that has no others beside it: nothing can be delivered. */
public final class MeshAlone implements Mesh {

  private final Loop loop;

  /** Tells on {@code loop}. */
  public MeshAlone(Loop loop) {
    this.loop = loop;
  }

  @Override
  public void deliver(Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told) {
    loop.execute(() -> told.accept(Delivery.FAILED));
  }

  @Override
  public void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told) {
    loop.execute(() -> told.accept(Delivery.FAILED));
  }

  @Override
  public boolean isUp(Member member) {
    return false;
  }
}
