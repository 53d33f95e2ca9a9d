package io.sippbx.media;

import io.sippbx.media.control.ControlCounters;
import io.sippbx.media.port.PortLedger;
import io.sippbx.media.relay.RelayCounts;
import io.sippbx.media.session.NodeState;
import io.sippbx.media.session.SessionCounters;

/**
 * A media node in numbers, at most a second old.
 *
 * @param state what it takes
 * @param sessions held or being opened
 * @param sessionsLimit of {@code sessions}
 * @param v4 port pairs of IPv4
 * @param v6 port pairs of IPv6
 * @param pairsOfSessions what sessions hold; equals {@code lent} when no request is under way
 * @param tombstones call keys that are remembered after their end
 * @param loopFaults errors of ours on the node's loop
 */
public record MediaNodeMetrics(
    NodeState state,
    int sessions,
    int sessionsLimit,
    PortLedger v4,
    PortLedger v6,
    int pairsOfSessions,
    int tombstones,
    SessionCounters sessionCounters,
    ControlCounters control,
    RelayCounts relay,
    long loopFaults) {

  /** Port pairs of both IP versions. */
  public PortLedger pairs() {
    return v4.plus(v6);
  }

  /** {@code rtp_packets_received}. */
  public long rtpPacketsReceived() {
    return relay.rtpPackets();
  }

  /** {@code rtp_packets_sent}; RTCP included. */
  public long rtpPacketsSent() {
    return relay.sentPackets();
  }

  /**
   * {@code rtp_port_pool_usage}: ports in use, from 0 to 1, as {@code port_pool.utilization} of
   * {@code /api/stats}; those that rest are counted by {@code rtp_ports}.
   */
  public double portPoolUsage() {
    PortLedger pairs = pairs();
    return pairs.total() == 0 ? 0 : (double) pairs.lent() / pairs.total();
  }
}
