package io.sippbx.app;

import io.sippbx.control.mesh.MeshCounters;
import io.sippbx.control.mesh.PeerMesh;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.Metrics;

/** The metrics of the mesh. */
final class MeshMetricsBinding {

  private MeshMetricsBinding() {}

  static void bind(Metrics metrics, PeerMesh mesh) {
    MeshCounters counts = mesh.counters();
    metrics.gauge(ControlMetric.MESH_PEERS, counts::up);
    metrics.gauge(ControlMetric.MESH_WAITING, mesh::depth);
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::taken, "taken");
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::refused, "refused");
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::unreachable, "unreachable");
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::timedOut, "no_answer");
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::overLimit, "over_limit");
    metrics.counter(ControlMetric.MESH_MESSAGES, counts::circling, "in_circles");
    metrics.counter(ControlMetric.MESH_RECEIVED, counts::received);
    metrics.counter(ControlMetric.MESH_STREAMS, counts::opened, "opened");
    metrics.counter(ControlMetric.MESH_STREAMS, counts::lost, "lost");
    metrics.counter(ControlMetric.MESH_STREAMS, counts::unproved, "unproved");
    metrics.counter(ControlMetric.MESH_UNREADABLE, counts::unreadable);
  }
}
