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

  /** Who is asked of nodes that are not heard, from now on; until then there is nobody to ask. */
  void witnessedBy(MediaWitness witness);

  /** Whether a node is heard at this moment, as far as this one can tell. */
  default boolean hears(NodeId node) {
    for (MediaNodeSeen each : seen()) {
      if (each.id().equals(node)) {
        return switch (each.standing()) {
          case RESTORING, RUNNING, DRAINING -> true;
          case SUSPECTED, SILENT, LOST -> false;
        };
      }
    }
    return false;
  }
}
