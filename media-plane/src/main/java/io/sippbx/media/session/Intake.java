package io.sippbx.media.session;

/** Whether the node takes new sessions. Confined to the {@link NodeLoop}. */
final class Intake {

  private final SessionListener listener;
  private boolean restoring;
  private boolean draining;

  Intake(boolean restoring, SessionListener listener) {
    this.restoring = restoring;
    this.listener = listener;
  }

  boolean isRestoring() {
    return restoring;
  }

  boolean isDraining() {
    return draining;
  }

  NodeState state() {
    if (draining) {
      return NodeState.DRAINING;
    }
    return restoring ? NodeState.RESTORING : NodeState.RUNNING;
  }

  /** Nobody's session is yet to come back. */
  void restored() {
    NodeState before = state();
    restoring = false;
    tell(before);
  }

  void drain(boolean drain) {
    NodeState before = state();
    draining = drain;
    tell(before);
  }

  private void tell(NodeState before) {
    if (state() != before) {
      listener.stateChanged(state());
    }
  }
}
