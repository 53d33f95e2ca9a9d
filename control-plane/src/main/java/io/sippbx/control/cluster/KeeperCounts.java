package io.sippbx.control.cluster;

/**
 * What a node has done as a keeper since its start, for metrics.
 *
 * @param claimedTimers handed out
 * @param handedCalls calls of dead members that were handed out
 * @param takenOver of these, those that were taken over
 * @param notIts of these, those that were not the dead member's
 * @param failed of these, those that failed or were not done in time; they come again
 * @param withheld timers and calls that were found and not handed out, because the lease or the
 *     epoch had ended meanwhile
 * @param epochsLost partitions that had another keeper without this node's knowing
 * @param unavailable questions that the store did not answer
 * @param alarms times that too many nodes seemed dead at once to believe it
 */
public record KeeperCounts(
    long claimedTimers,
    long handedCalls,
    long takenOver,
    long notIts,
    long failed,
    long withheld,
    long epochsLost,
    long unavailable,
    long alarms) {}
