package io.sippbx.control.media;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The media nodes, as calls see them.
 *
 * <p>Methods may be called from any loop, return at once and never throw for what a node or the
 * network does. An answer is given exactly once, on a thread of the implementation's choosing: the
 * caller passes it on to its own loop.
 */
public interface MediaPlane extends MediaWatch {

  /**
   * The node with the most free capacity that takes new sessions now, if there is one. Counted are
   * the port pairs of the IP versions that are needed; where both are, the scarcer decides.
   */
  Optional<NodeId> place(MediaNeed need);

  /** As {@link #place(MediaNeed)}, but none of these. */
  Optional<NodeId> place(MediaNeed need, List<NodeId> except);

  /** Makes {@code node} hold exactly {@code spec}. Repeating it changes nothing. */
  void apply(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer);

  /**
   * Ends the session and learns its last counts. Repeating it changes nothing.
   *
   * @param revision at least the last one applied
   */
  void release(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer);

  /** Where events of all nodes go from now on; set once, before the first Apply. */
  void onEvent(Consumer<MediaEvent> listener);
}
