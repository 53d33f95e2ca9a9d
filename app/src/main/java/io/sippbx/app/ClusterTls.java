package io.sippbx.app;

import io.sippbx.shared.config.ClusterConfig;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.ProcessMetric;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** The certificates that a node shows other nodes, as configured. */
final class ClusterTls {

  private static final Duration LOOKED_AT_EVERY = Duration.ofMinutes(1);

  private ClusterTls() {}

  /**
   * Reads them, and tells by a metric when they end.
   *
   * @return empty where none are configured
   * @throws NodeStartException naming the files if they are not usable
   */
  static Optional<NodeTls> open(ClusterConfig cluster, Metrics metrics) throws NodeStartException {
    if (cluster.tls().isEmpty()) {
      return Optional.empty();
    }
    ClusterConfig.Tls files = cluster.tls().get();
    try {
      NodeTls tls =
          NodeTls.open(files.caFile(), files.certFile(), files.keyFile(), LOOKED_AT_EVERY);
      metrics.gauge(
          ProcessMetric.CLUSTER_CERTIFICATE_EXPIRES, () -> tls.expires().getEpochSecond());
      return Optional.of(tls);
    } catch (IOException e) {
      throw new NodeStartException(
          "cluster.tls (ca_file = %s, cert_file = %s, key_file = %s): %s"
              .formatted(files.caFile(), files.certFile(), files.keyFile(), e.getMessage()),
          e);
    }
  }
}
