package io.sippbx.control.media;

import io.sippbx.shared.identity.NodeId;

/**
 * Brings the sessions back that were on a media node which has just started. While that goes on the
 * node takes nothing but Applies with pinned ports, for a few seconds at most.
 */
@FunctionalInterface
public interface MediaRestorer {

  /**
   * For a store that does not outlive the process, and so knows of no call that could come back.
   */
  MediaRestorer NOTHING = (node, done) -> done.run();

  /**
   * Called on the media plane's loop, once for each start of a node that is restoring; returns at
   * once.
   *
   * @param done to be run, on any thread, once every session that can come back was applied
   */
  void restore(NodeId node, Runnable done);
}
