package io.sippbx.control.cluster;

import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.shared.identity.NodeId;

/**
 * What a media node holds, held against the records of the partitions that this control node keeps.
 * In order are {@code orphans} and {@code missing} of 0, and pairs in use that are those of the
 * sessions (of all partitions, so only a node that keeps them all can say so).
 *
 * @param sessions that the node lists, of these partitions
 * @param recorded calls whose records name the node
 * @param orphans sessions of which no record says so, in this and the last comparison
 * @param missing recorded calls without a session, in this and the last comparison
 * @param pairsOfSessions port pairs of the sessions
 * @param pairsInUse port pairs that the node says are lent, whoever keeps their calls
 */
public record MediaLedger(
    NodeId node,
    Standing standing,
    int sessions,
    int recorded,
    int orphans,
    int missing,
    int pairsOfSessions,
    int pairsInUse) {}
