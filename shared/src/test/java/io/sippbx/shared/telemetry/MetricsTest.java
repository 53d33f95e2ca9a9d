package io.sippbx.shared.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetricsTest {

  private final Metrics metrics = new Metrics();

  @AfterEach
  void close() {
    metrics.close();
  }

  @Test
  void asksForValuesWhenTheyAreScraped() {
    var calls = new AtomicLong(1);
    metrics.gauge(ControlMetric.ACTIVE_CALLS, calls::get);
    assertThat(metrics.scrapeText()).contains("\nsip_active_calls 1.0\n");
    calls.set(2);
    assertThat(metrics.scrapeText()).contains("\nsip_active_calls 2.0\n");
  }

  @Test
  void holdsWhatIsBoundEvenIfNobodyElseDoes() {
    for (String transport : List.of("udp", "tcp")) {
      metrics.counter(ControlMetric.MESSAGES_SENT, new AtomicLong(7)::get, transport);
    }
    System.gc();
    assertThat(metrics.scrapeText())
        .contains("sip_messages_sent_total{transport=\"tcp\"} 7.0\n")
        .contains("sip_messages_sent_total{transport=\"udp\"} 7.0\n");
  }

  @Test
  void exposesNamesExactlyAsTheyAreInTheCatalogue() {
    metrics.counter(MediaMetric.PACKETS_RECEIVED, () -> 3);
    metrics.counter(EventMetric.WEBHOOK_REQUESTS).add(4);
    assertThat(metrics.scrapeText())
        .contains("# TYPE rtp_packets_received counter\nrtp_packets_received 3.0\n")
        .contains("# TYPE webhook_requests_total counter\nwebhook_requests_total 4.0\n")
        .doesNotContain("rtp_packets_received_total");
    assertThat(metrics.scrapeOpenMetrics())
        .contains("# TYPE rtp_packets_received unknown\n", "\nrtp_packets_received 3.0\n")
        .contains("# TYPE webhook_requests counter\n", "\nwebhook_requests_total 4.0\n")
        .endsWith("# EOF\n");
  }

  @Test
  void countsWhatItWasAskedToCount() {
    Metrics.Counter counter = metrics.counter(ControlMetric.INTERNAL_ERRORS);
    counter.increment();
    counter.add(2);
    assertThat(metrics.scrapeText()).contains("sip_internal_errors_total 3.0\n");
    assertThatIllegalArgumentException().isThrownBy(() -> counter.add(-1));
  }

  @Test
  void putsDurationsIntoBuckets() {
    Metrics.Histogram histogram = metrics.histogram(ControlMetric.CALL_SETUP_DURATION);
    metrics.histogram(ControlMetric.CALL_SETUP_DURATION).record(0.2);
    histogram.record(0.45);
    histogram.record(100);
    assertThat(metrics.scrapeText())
        .contains(
            "sip_call_setup_duration_seconds_bucket{le=\"0.1\"} 0\n",
            "sip_call_setup_duration_seconds_bucket{le=\"0.2\"} 1\n",
            "sip_call_setup_duration_seconds_bucket{le=\"0.45\"} 2\n",
            "sip_call_setup_duration_seconds_bucket{le=\"30.0\"} 2\n",
            "sip_call_setup_duration_seconds_bucket{le=\"+Inf\"} 3\n",
            "sip_call_setup_duration_seconds_count 3\n",
            "sip_call_setup_duration_seconds_sum 100.65\n");
  }

  @Test
  void doesNotLetOneBrokenCounterSpoilTheScrape() {
    metrics.counter(ControlMetric.CONNECTIONS_REFUSED, () -> -1);
    metrics.counter(ControlMetric.TRANSACTIONS_REFUSED, () -> Double.NaN);
    assertThat(metrics.scrapeText())
        .contains("sip_connections_refused_total 0.0\n", "sip_transactions_refused_total 0.0\n");
  }

  @Test
  void refusesLabelsThatAreNotInTheCatalogue() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.counter(ControlMetric.CALLS_ENDED, () -> 1, "sip:attacker@host"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.counter(ControlMetric.CALLS_ENDED, () -> 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.gauge(ControlMetric.ACTIVE_CALLS, () -> 1, "x"));
  }

  @Test
  void refusesASeriesTwiceAndTheWrongKind() {
    metrics.gauge(ControlMetric.ACTIVE_CALLS, () -> 1);
    assertThatIllegalStateException()
        .isThrownBy(() -> metrics.gauge(ControlMetric.ACTIVE_CALLS, () -> 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.counter(ControlMetric.ACTIVE_CALLS, () -> 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.gauge(ControlMetric.TOTAL_CALLS, () -> 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> metrics.histogram(ControlMetric.ACTIVE_CALLS));
  }

  @Test
  void refusesSpecsThatTheFormatsCannotShow() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Metric.Spec.counter("calls", "calls", "no ending"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Metric.Spec.gauge("calls_total", "calls", "wrong ending"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Metric.Spec.histogram("calls", "calls", "no buckets", List.of()));
  }

  @Test
  void knowsTheJvmAndTheProcess() {
    metrics.bindJvm();
    assertThat(metrics.scrapeText())
        .contains("jvm_memory_used_bytes{", "jvm_threads_live_threads ", "process_uptime_seconds ");
  }
}
