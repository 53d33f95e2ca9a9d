package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.MediaNode;
import io.sippbx.media.MediaNodeSettings;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.MediaMetric;
import io.sippbx.shared.telemetry.Metric;
import io.sippbx.shared.telemetry.Metrics;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MediaNodeMetricsBindingTest {

  @Test
  void bindsEveryMetricOfTheCatalogueWithAllItsLabels() {
    var settings =
        MediaNodeSettings.of(
            new NodeId("m1"),
            new MediaNodeSettings.Listen.InProcess("metrics-" + System.identityHashCode(this)),
            new PortRange(20_000, 20_011),
            List.of(LocalAddress.of(IpAddress.of("127.0.0.1"))));
    var anyMachine = new EphemeralRangeCheck(Path.of("none"), Path.of("none"));
    try (MediaNode node =
            MediaNode.start(
                settings,
                anyMachine,
                (relay, heard) -> Relays.start(relay.withWorkers(1), heard, System::nanoTime));
        Metrics metrics = new Metrics()) {
      MediaNodeMetricsBinding.bind(metrics, node);
      String text = metrics.scrapeText();
      for (MediaMetric metric : MediaMetric.values()) {
        assertThat(series(metric)).allSatisfy(series -> assertThat(text).contains("\n" + series));
      }
      assertThat(text).contains("\nrtp_ports{state=\"free\"} 12.0\n");
      assertThat(text).contains("\nrtp_ports_of_sessions 0.0\n");
    }
  }

  private static List<String> series(Metric metric) {
    List<Metric.Label> labels = metric.spec().labels();
    String name = metric.spec().name();
    if (labels.isEmpty()) {
      return List.of(name + " ");
    }
    assertThat(labels).as("the labels of %s", name).hasSize(1);
    Metric.Label label = labels.getFirst();
    return label.values().stream()
        .map(value -> name + "{" + label.name() + "=\"" + value + "\"} ")
        .toList();
  }
}
