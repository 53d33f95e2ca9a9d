package io.sippbx.control.mesh;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.Member;
import java.util.function.Consumer;

/**
 * The ways to the other control nodes. All methods may be called from any thread and return at
 * once; what is asked for while the mesh's queue to a member is full fails.
 *
 * <p>{@code told} is called exactly once, never inline, within the mesh's time-out, on the mesh's
 * loop: who lives on another hands it over.
 */
public interface Mesh {

  /** Times that a message is handed on before it is dropped: it goes in a circle. */
  int MAX_HOPS = 3;

  /**
   * Gives a message that this node received to the member that has its call.
   *
   * @param flow that it came by
   * @param hops how often it was handed on before: 0 for what came from the network
   */
  void deliver(Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told);

  /**
   * Sends a message by a flow of another member, exactly as it is and by no other way. What is
   * delivered may yet be lost there, as with each connection.
   *
   * @param holder who holds the flow
   */
  void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told);

  /** Whether there is a way to this member now. */
  boolean isUp(Member member);

  /** What became of a message. */
  enum Delivery {
    /** The member has it: its dispatcher, or its transport. */
    DELIVERED,
    /** It has refused it, there is no way to it, or nothing was heard in time. */
    FAILED
  }
}
