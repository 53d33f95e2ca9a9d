package io.sippbx.media.session;

import java.time.Duration;

/**
 * Whether the node takes new sessions. Confined to the {@link NodeLoop}.
 *
 * <p>After its start only what was there before comes back, for a time that begins with the first
 * request: a control node that has its stream open may still be starting itself, as in a
 * standalone, and knows nothing of its calls yet.
 */
final class Intake {

  /** The whole time of restoring, in times of what it lasts after the first request. */
  private static final int LONGEST = 6;

  private final SessionListener listener;
  private final long lastsNs;
  private final long startedNs;
  private boolean restoring;
  private boolean connected;
  private boolean asked;
  private long runningFromNs;
  private boolean draining;

  Intake(Duration restoring, long nowNs, SessionListener listener) {
    this.listener = listener;
    this.restoring = restoring.isPositive();
    lastsNs = restoring.toNanos();
    startedNs = nowNs;
    runningFromNs = nowNs + lastsNs;
  }

  /** A control node has opened its stream. */
  void connected() {
    if (restoring && !connected) {
      connected = true;
      runningFromNs = asked ? runningFromNs : startedNs + LONGEST * lastsNs;
    }
  }

  /** A control node has asked for something. */
  void asked(long nowNs) {
    if (restoring && !asked) {
      asked = true;
      long due = nowNs + lastsNs;
      runningFromNs = due - runningFromNs < 0 ? due : runningFromNs;
    }
  }

  /** Ends the restoring when it has had its time. */
  void tick(long nowNs) {
    if (restoring && nowNs - runningFromNs >= 0) {
      restored();
    }
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
