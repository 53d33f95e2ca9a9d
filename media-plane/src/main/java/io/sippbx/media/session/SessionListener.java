package io.sippbx.media.session;

import java.util.Optional;

/** Hears what sessions do by themselves, on the node's loop. */
public interface SessionListener {

  /**
   * Something happened to a session.
   *
   * @param claimant who claimed it last, if that control node is connected now
   */
  void event(SessionEvent event, Optional<ControlNode> claimant);

  /** The node takes more or less than before. */
  void stateChanged(NodeState state);
}
