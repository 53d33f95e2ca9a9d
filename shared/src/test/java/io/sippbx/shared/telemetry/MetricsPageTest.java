package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The catalogue and docs/metrics.md agree. */
class MetricsPageTest {

  private static final Path PAGE = Path.of("..", "docs", "metrics.md");

  private static Map<String, List<Metric>> catalogue() {
    var catalogue = new LinkedHashMap<String, List<Metric>>();
    catalogue.put("Control plane", List.of(ControlMetric.values()));
    catalogue.put("Media plane", List.of(MediaMetric.values()));
    catalogue.put("Event plane", List.of(EventMetric.values()));
    catalogue.put("Every process", List.of(ProcessMetric.values()));
    return catalogue;
  }

  private static String markdown() {
    var page = new StringBuilder();
    page.append(
        """
        # Metrics
        <!-- Made from the enums of io.sippbx.shared.telemetry by MetricsPageTest. Change those, then:
             mvn -pl shared -am test -Dtest=MetricsPageTest -Dsippbx.docs.write=true \
        -Dsurefire.failIfNoSpecifiedTests=false -->

        `GET :9090/metrics` (`monitoring.prometheus_port`) gives the Prometheus text format, and OpenMetrics to those
        who ask for it by `Accept`. A process shows the metrics of the planes that are in it. Labels have the values
        listed here and no others: nothing that a peer sends becomes a label.

        `sip_total_calls`, `rtp_packets_received` and `rtp_packets_sent` are counters whose names users of the
        reference system have in their dashboards. OpenMetrics wants counters to end in `_total`, so these three have
        the type `unknown` there and `counter` in the text format; `rate()` works on both.

        """);
    catalogue()
        .forEach(
            (title, metrics) -> {
              page.append("## ").append(title).append('\n');
              page.append("| metric | type | unit | labels | what |\n|---|---|---|---|---|\n");
              metrics.forEach(metric -> page.append(row(metric.spec())));
              page.append('\n');
            });
    page.append(
        """
        Beside these there is what Micrometer knows of the JVM and the process: `jvm_memory_*`, `jvm_gc_*`,
        `jvm_threads_*`, `jvm_classes_*`, `system_cpu_*`, `process_cpu_*`, `process_files_*`, `process_uptime_seconds`,
        `process_start_time_seconds`.
        """);
    return page.toString();
  }

  private static String row(Metric.Spec spec) {
    String labels =
        spec.labels().stream()
            .map(label -> "`" + label.name() + "`: " + String.join(", ", label.values()))
            .collect(Collectors.joining("; "));
    String type =
        switch (spec.kind()) {
          case COUNTER, COUNTER_AS_NAMED -> "counter";
          case GAUGE -> "gauge";
          case HISTOGRAM -> "histogram";
        };
    return "| `%s` | %s | %s | %s | %s |%n"
        .formatted(spec.name(), type, spec.unit(), labels, spec.help());
  }

  @Test
  void pageIsMadeFromTheCatalogue() throws IOException {
    if (Boolean.getBoolean("sippbx.docs.write")) {
      Files.writeString(PAGE, markdown());
    }
    assertThat(Files.readString(PAGE))
        .as("docs/metrics.md; its first lines say how to make it anew")
        .isEqualTo(markdown());
  }

  @Test
  void noTwoMetricsShareAName() {
    var names = new ArrayList<String>();
    // The exposition takes the ending off, and refuses every scrape where two are then the same.
    catalogue()
        .values()
        .forEach(
            metrics -> metrics.forEach(m -> names.add(m.spec().name().replaceAll("_total$", ""))));
    assertThat(names).doesNotHaveDuplicates();
  }

  @Test
  void namesOfTheReferenceSystemAreThere() {
    var names = new ArrayList<String>();
    catalogue().values().forEach(metrics -> metrics.forEach(m -> names.add(m.spec().name())));
    assertThat(names)
        .contains(
            "sip_active_calls",
            "sip_total_calls",
            "sip_call_duration_seconds",
            "sip_call_setup_duration_seconds",
            "rtp_packets_received",
            "rtp_packets_sent",
            "rtp_port_pool_usage",
            "webhook_requests_total",
            "webhook_failures_total");
  }
}
