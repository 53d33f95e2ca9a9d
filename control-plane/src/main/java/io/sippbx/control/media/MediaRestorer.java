package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.function.Consumer;

/**
 * Brings the sessions back that were on a media node which has just started. While that goes on the
 * node takes nothing but Applies with pinned ports, for a few seconds at most.
 */
@FunctionalInterface
public interface MediaRestorer {

  /**
   * Called on the media plane's loop, once for each start of a node that is restoring; returns at
   * once.
   *
   * @param told calls that were told already that their sessions are lost
   * @param done to be told, on any thread, once every session that this node can bring back was
   *     applied: which control nodes have to say so too
   */
  void restore(NodeId node, List<CallKey> told, Consumer<List<NodeId>> done);
}
