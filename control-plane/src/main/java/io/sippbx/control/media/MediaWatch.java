package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The media nodes, as those see them who look after all calls on a node. Methods may be called from
 * any thread and return at once; an answer is given exactly once, on a thread of the
 * implementation's choosing.
 */
public interface MediaWatch {

  /** The nodes that are known, in the order of their names, as they were some milliseconds ago. */
  List<MediaNodeSeen> seen();

  /**
   * Sessions that the node holds.
   *
   * @param after the last of the page before
   */
  void list(NodeId node, Optional<CallKey> after, Consumer<MediaListing> answer);

  /** Who is asked to bring sessions back from now on; until then nodes that ask wait. */
  void onRestore(MediaRestorer restorer);
}
