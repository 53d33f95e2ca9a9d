package io.sippbx.control.media;

import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;

/**
 * A media node as it seems from here.
 *
 * @param incarnation of the start that was heard last
 * @param sessions that it said it has
 * @param pairsInUse port pairs that it said are lent
 */
public record MediaNodeSeen(
    NodeId id, Standing standing, Incarnation incarnation, int sessions, int pairsInUse) {

  /** What can be expected of a node. */
  public enum Standing {
    /** It has just started, and keeps its ports for what was on it. */
    RESTORING,
    RUNNING,
    /** It takes nothing new and is to be emptied. */
    DRAINING,
    /** Silent for a moment. */
    SUSPECTED,
    /** Silent, and whether that is its fault is not known. */
    SILENT,
    /** Gone: what is on it is to be somewhere else. */
    LOST
  }
}
