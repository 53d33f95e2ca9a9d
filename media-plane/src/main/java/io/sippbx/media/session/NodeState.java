package io.sippbx.media.session;

/** What the node takes. */
public enum NodeState {
  /** Just started: only what binds no port of the node's choice, so that calls get theirs back. */
  RESTORING,
  /** Everything. */
  RUNNING,
  /** No new sessions. */
  DRAINING
}
