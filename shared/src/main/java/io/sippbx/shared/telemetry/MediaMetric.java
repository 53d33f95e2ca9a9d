package io.sippbx.shared.telemetry;

import static io.sippbx.shared.telemetry.Metric.Spec.counter;
import static io.sippbx.shared.telemetry.Metric.Spec.counterAsNamed;
import static io.sippbx.shared.telemetry.Metric.Spec.gauge;

/** The metrics of a media plane node. */
public enum MediaMetric implements Metric {
  PACKETS_RECEIVED(
      counterAsNamed(
          "rtp_packets_received", "packets", "RTP packets that were received and were valid.")),
  PACKETS_SENT(
      counterAsNamed(
          "rtp_packets_sent",
          "packets",
          "Packets that were relayed: RTP, RTCP, and what else streams carry.")),
  BYTES_RECEIVED(
      counter("rtp_bytes_received_total", "bytes", "UDP payload of the RTP packets received.")),
  BYTES_SENT(counter("rtp_bytes_sent_total", "bytes", "UDP payload of the packets relayed.")),
  RTCP_PACKETS_RECEIVED(
      counter("rtcp_packets_received_total", "packets", "RTCP packets that were received.")),
  OTHER_PACKETS_RECEIVED(
      counter(
          "media_other_packets_received_total",
          "packets",
          "Datagrams that are neither RTP nor RTCP and were received to be relayed: DTLS, udptl and"
              + " the like.")),
  PACKETS_DROPPED(
      counter(
          "rtp_packets_dropped_total",
          "packets",
          "Packets that were received and not relayed: from a stranger, nothing that the"
              + " stream carries, STUN, not wanted in this direction, not taken by the socket that sends, or dropped by the kernel"
              + " because a receive buffer was full.",
          Label.of("reason", "stray", "invalid", "stun", "direction", "send", "kernel"))),
  PORT_POOL_USAGE(
      gauge(
          "rtp_port_pool_usage",
          "percent",
          "Share of the ports of the pool that are lent, from 0 to 100.")),
  PORTS(
      gauge(
          "rtp_ports",
          "ports",
          "Ports of the pool by what they do.",
          Label.of("state", "free", "lent", "resting", "set_aside"))),
  PORTS_OF_SESSIONS(
      gauge(
          "rtp_ports_of_sessions",
          "ports",
          "Ports that the sessions hold: as many as are lent, but while a session is being changed."
              + " A difference that stays is a leak.")),
  PORTS_EXHAUSTED(
      counter(
          "rtp_ports_exhausted_total",
          "sessions",
          "Sessions that were refused because no port was free.")),
  SESSIONS(gauge("media_sessions", "sessions", "Sessions held.")),
  SESSIONS_EXPIRED(
      counter(
          "media_sessions_expired_total",
          "sessions",
          "Sessions that the node ended by itself: never confirmed, or claimed by nobody.")),
  TIMEOUTS(
      counter(
          "media_timeouts_total",
          "sessions",
          "Times that a session has been silent for too long."));

  @SuppressWarnings("ImmutableEnumChecker") // a record that copies its lists
  private final Spec spec;

  MediaMetric(Spec spec) {
    this.spec = spec;
  }

  @Override
  public Spec spec() {
    return spec;
  }
}
