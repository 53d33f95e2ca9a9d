package io.sippbx.media.session;

/** What became of an Apply or a Release. */
public sealed interface Answer {

  /** The session is held so, or after a Release: it was held so, and is gone. */
  record Done(SessionState session) implements Answer {}

  /**
   * Nothing was changed.
   *
   * @param heldRevision 0 unless the refusal is about revisions
   */
  record Refused(Refusal refusal, String detail, long heldRevision) implements Answer {}

  /** Why the node refuses. */
  enum Refusal {
    STALE_REVISION,
    REVISION_REUSED,
    RELEASED,
    PORTS_EXHAUSTED,
    PORT_TAKEN,
    DRAINING,
    RESTORING,
    INVALID_SPEC,
    TOO_MANY_SESSIONS,
    OVERLOADED,
    FAMILY_UNAVAILABLE
  }
}
