package io.sippbx.control.store.redis;

/**
 * What the link to Redis has done since its start, for metrics.
 *
 * @param commands sent
 * @param pending sent and not answered yet
 * @param timeouts commands without an answer in time
 * @param failures commands that failed at once: cut connections, servers that say they cannot
 * @param refusals commands that were not sent: breaker open, not connected, too many pending
 * @param openBreakers lanes on which nothing is sent now
 * @param breakerOpenings how often a lane was closed off
 * @param connects connections made
 */
public record RedisStats(
    long commands,
    int pending,
    long timeouts,
    long failures,
    long refusals,
    int openBreakers,
    long breakerOpenings,
    long connects) {}
