package io.sippbx.control.store.redis;

/**
 * What the link to Redis has done since its start, for metrics.
 *
 * @param commands sent
 * @param pending sent and not answered yet
 * @param timeouts commands without an answer in time
 * @param failures commands that failed at once: cut connections, servers that say they cannot
 * @param refusals commands that were not sent: breaker open, not connected, too many pending
 * @param isConnected whether there is a connection now; of a cluster, to any of its nodes
 * @param lanes breakers: one, or in a Redis Cluster one for each partition and one for all else
 * @param openBreakers lanes on which nothing is sent now
 * @param breakerOpenings how often a lane was closed off
 * @param connects connections made
 * @param connectFailures attempts to connect that failed
 * @param otherServers how often another server answered than before
 * @param notReplicated commits that fewer replicas had in time than were wanted
 */
public record RedisStats(
    long commands,
    int pending,
    long timeouts,
    long failures,
    long refusals,
    boolean isConnected,
    int lanes,
    int openBreakers,
    long breakerOpenings,
    long connects,
    long connectFailures,
    long otherServers,
    long notReplicated) {

  /** Whether most of what is stored can neither be read nor written now. */
  public boolean isGone() {
    return !isConnected || 2 * openBreakers > lanes;
  }
}
