package io.sippbx.control.media;

import java.util.List;

/** What a media node said to an instruction. */
public sealed interface MediaAnswer {

  /** The node holds the session (or, after a release, held it) at this revision. */
  record Held(long revision, List<StreamAddresses> addresses, List<StreamCounts> counts)
      implements MediaAnswer {
    /** Copies the lists. */
    public Held {
      addresses = List.copyOf(addresses);
      counts = List.copyOf(counts);
    }
  }

  /** The node will not. {@code heldRevision} is 0 unless the refusal is about revisions. */
  record Refused(Refusal refusal, String detail, long heldRevision) implements MediaAnswer {}

  /** The node did not answer in time, or the way to it is gone: the outcome is unknown. */
  record Unreachable(String detail) implements MediaAnswer {}

  /** Why a node refuses. */
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
    /** More waits at the node than it keeps, or at this process for the node: ask again later. */
    OVERLOADED,
    /** The node has no address of the IP version that an end asks for. */
    FAMILY_UNAVAILABLE
  }
}
