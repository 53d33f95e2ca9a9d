package io.sippbx.control.mesh;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.shared.identity.NodeId;
import java.util.function.Consumer;

/** What other members ask of this one. Called on the mesh's loop; returns at once. */
public interface MeshReceiver {

  /**
   * A message that came to another member and is to be handled here.
   *
   * @param flow that it came by there
   * @param hops how often it was handed on, this time counted: 1 or more
   * @return false if it is not taken: too much waits
   */
  boolean delivered(SipMessage message, Flow flow, int hops);

  /**
   * What an administrator wants of this node, who has asked another.
   *
   * @return false if it is not taken: this node ends
   */
  boolean commanded(MeshCommand command);

  /**
   * A message that is to go out by a flow of this member, and by no other way.
   *
   * @param onFailure at most once, on any thread, never inline
   */
  void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure);

  /** Whether this node hears a media node. */
  boolean hears(NodeId mediaNode);
}
