package io.sippbx.shared.telemetry;

import static io.sippbx.shared.telemetry.Metric.Spec.counter;
import static io.sippbx.shared.telemetry.Metric.Spec.gauge;

/** The metrics that every process has. */
public enum ProcessMetric implements Metric {
  LOG_LINES(counter("log_lines_total", "lines", "Log lines written.")),
  LOG_LINES_DROPPED(
      counter(
          "log_lines_dropped_total",
          "lines",
          "Log lines that were dropped because the output was too slow or failed.")),
  LOG_QUEUE(gauge("log_queue_length", "lines", "Log lines that wait for the output.")),
  LOG_QUEUE_HIGH_MARK(
      gauge("log_queue_high_mark", "lines", "The most log lines that have waited.")),
  ADMIN_REQUESTS(
      counter(
          "admin_requests_total",
          "requests",
          "Requests to the admin API by how they ended: done; wrong (asked for something that"
              + " cannot be); denied (no right to it); limited (too many in a second); failed (the"
              + " store or a node did not answer, or a defect).",
          Label.of("outcome", "done", "wrong", "denied", "limited", "failed"))),
  CLUSTER_CERTIFICATE_EXPIRES(
      gauge(
          "cluster_certificate_expires_timestamp_seconds",
          "seconds",
          "When the certificate ends that this node shows other nodes, as a Unix time; only with"
              + " cluster.tls.")),
  TRACE_MESSAGES_DROPPED(
      counter(
          "sip_trace_messages_dropped_total",
          "messages",
          "SIP messages that are missing in the trace file."));

  @SuppressWarnings("ImmutableEnumChecker") // a record that copies its lists
  private final Spec spec;

  ProcessMetric(Spec spec) {
    this.spec = spec;
  }

  @Override
  public Spec spec() {
    return spec;
  }

  /** Binds what the trace file counts. */
  public static void bind(Metrics metrics, SipTraceFile trace) {
    metrics.counter(TRACE_MESSAGES_DROPPED, trace::dropped);
  }

  /** Binds what the log of the process counts. */
  public static void bind(Metrics metrics, Logging logging) {
    metrics.counter(LOG_LINES, logging::written);
    metrics.counter(LOG_LINES_DROPPED, () -> logging.dropped() + logging.failed());
    metrics.gauge(LOG_QUEUE, logging::depth);
    metrics.gauge(LOG_QUEUE_HIGH_MARK, logging::highMark);
  }
}
