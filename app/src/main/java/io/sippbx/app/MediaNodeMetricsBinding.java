package io.sippbx.app;

import io.sippbx.media.MediaNode;
import io.sippbx.media.session.Answer;
import io.sippbx.media.session.SessionCounters;
import io.sippbx.shared.telemetry.MediaMetric;
import io.sippbx.shared.telemetry.Metrics;

/** What a media node counts, as metrics. */
final class MediaNodeMetricsBinding {

  private MediaNodeMetricsBinding() {}

  static void bind(Metrics metrics, MediaNode node) {
    metrics.counter(MediaMetric.PACKETS_RECEIVED, () -> node.metrics().rtpPacketsReceived());
    metrics.counter(MediaMetric.PACKETS_SENT, () -> node.metrics().rtpPacketsSent());
    metrics.counter(MediaMetric.BYTES_RECEIVED, () -> node.metrics().relay().rtpBytes());
    metrics.counter(MediaMetric.BYTES_SENT, () -> node.metrics().relay().sentBytes());
    metrics.counter(MediaMetric.RTCP_PACKETS_RECEIVED, () -> node.metrics().relay().rtcpPackets());
    metrics.counter(
        MediaMetric.OTHER_PACKETS_RECEIVED, () -> node.metrics().relay().otherPackets());
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedStray(), "stray");
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedInvalid(), "invalid");
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedStun(), "stun");
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedByKernel(), "kernel");
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedDirection(), "direction");
    metrics.counter(
        MediaMetric.PACKETS_DROPPED, () -> node.metrics().relay().droppedUnsent(), "send");
    metrics.gauge(MediaMetric.PORT_POOL_USAGE, () -> 100 * node.metrics().portPoolUsage());
    metrics.gauge(MediaMetric.PORTS, () -> 2.0 * node.metrics().pairs().free(), "free");
    metrics.gauge(MediaMetric.PORTS, () -> 2.0 * node.metrics().pairs().lent(), "lent");
    metrics.gauge(MediaMetric.PORTS, () -> 2.0 * node.metrics().pairs().resting(), "resting");
    metrics.gauge(MediaMetric.PORTS, () -> 2.0 * node.metrics().pairs().setAside(), "set_aside");
    metrics.gauge(MediaMetric.PORTS_OF_SESSIONS, () -> 2.0 * node.metrics().pairsOfSessions());
    metrics.counter(
        MediaMetric.PORTS_EXHAUSTED,
        () ->
            node.metrics()
                .sessionCounters()
                .refusals()
                .getOrDefault(Answer.Refusal.PORTS_EXHAUSTED, 0L));
    metrics.counter(
        MediaMetric.SESSIONS_EXPIRED,
        () -> {
          SessionCounters counters = node.metrics().sessionCounters();
          return counters.expiredUnconfirmed() + counters.expiredOrphaned();
        });
    metrics.counter(MediaMetric.TIMEOUTS, () -> node.metrics().sessionCounters().mediaTimeouts());
    metrics.gauge(MediaMetric.SESSIONS, () -> node.metrics().sessions());
  }
}
