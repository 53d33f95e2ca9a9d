package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.List;

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
   * @param done to be run, on any thread, once every session that can come back was applied
   */
  void restore(NodeId node, List<CallKey> told, Runnable done);
}
