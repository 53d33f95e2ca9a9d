package io.sippbx.shared.telemetry;

import static io.sippbx.shared.telemetry.Metric.Spec.counter;
import static io.sippbx.shared.telemetry.Metric.Spec.gauge;

import io.sippbx.shared.config.EventsConfig;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The metrics of an event plane node. */
public enum EventMetric implements Metric {
  CDR_RECORDS(counter("cdr_records_total", "records", "CDRs that are on disk.")),
  CDR_DUPLICATES(
      counter(
          "cdr_duplicates_total",
          "records",
          "Ends of calls that came again and of which a CDR is there.")),
  CDR_WRITE_FAILURES(
      counter(
          "cdr_write_failures_total",
          "attempts",
          "Attempts to write CDRs that failed; they are tried again.")),
  CDR_REFUSED(
      counter(
          "cdr_refused_total",
          "records",
          "CDRs that found too many waiting; they come again from the outbox.")),
  CDR_QUEUE(gauge("cdr_queue_length", "records", "CDRs that wait to be written.")),
  CDR_QUEUE_HIGH_MARK(
      gauge("cdr_queue_high_mark", "records", "The most CDRs that have waited to be written.")),
  CDR_ALARM(
      gauge("cdr_write_alarm", "flag", "1 while CDRs cannot be written, else 0: alert on it.")),
  POSTGRES_ROWS(
      counter("cdr_postgres_rows_total", "records", "CDRs that were inserted into PostgreSQL.")),
  POSTGRES_DUPLICATES(
      counter(
          "cdr_postgres_duplicates_total",
          "records",
          "Ends of calls that came again and of which PostgreSQL has a row.")),
  POSTGRES_FAILURES(
      counter(
          "cdr_postgres_failures_total",
          "attempts",
          "Attempts to write to PostgreSQL that failed; they are tried again.")),
  POSTGRES_REJECTED(
      counter(
          "cdr_postgres_rejected_total",
          "records",
          "CDRs that PostgreSQL did not take for what is in them, which were left out: see the"
              + " log.")),
  POSTGRES_QUEUE(gauge("cdr_postgres_queue_length", "records", "CDRs that wait for PostgreSQL.")),
  POSTGRES_ALARM(
      gauge(
          "cdr_postgres_alarm",
          "flag",
          "1 while PostgreSQL cannot be written, else 0: alert on it.")),
  KAFKA_CONSUMED(
      counter(
          "sip_kafka_consumed_total",
          "events",
          "Events that came from Kafka, repeats among them.",
          Labels.CONSUMER)),
  KAFKA_LAG(
      gauge(
          "sip_kafka_lag",
          "events",
          "Events in Kafka that have not come yet: alert on what grows.",
          Labels.CONSUMER)),
  KAFKA_UNREADABLE(
      counter(
          "sip_kafka_unreadable_total",
          "events",
          "Events from Kafka that nobody can read, which were passed over: see the log.",
          Labels.CONSUMER)),
  KAFKA_DELETED_UNREAD(
      counter(
          "sip_kafka_deleted_unread_total",
          "events",
          "Events that Kafka had deleted before they came: keep them longer there"
              + " (kafka.retention_hours).",
          Labels.CONSUMER)),
  KAFKA_CONSUME_FAILURES(
      counter(
          "sip_kafka_consume_failures_total",
          "attempts",
          "Times that consuming from Kafka was begun anew because of a failure.",
          Labels.CONSUMER)),
  WEBHOOK_REQUESTS(
      counter("webhook_requests_total", "requests", "Webhook requests, repeats among them.")),
  WEBHOOK_FAILURES(
      counter("webhook_failures_total", "requests", "Webhook requests that were not taken.")),
  WEBHOOK_DELIVERED(
      counter(
          "webhook_delivered_total",
          "events",
          "Events that a receiver has taken. Receivers are numbered as they stand in the"
              + " configuration, those of events.webhook_urls first.",
          Labels.RECEIVER)),
  WEBHOOK_RECEIVER_FAILURES(
      counter(
          "webhook_receiver_failures_total",
          "requests",
          "Webhook requests that this receiver did not take.",
          Labels.RECEIVER)),
  WEBHOOK_DEAD_LETTERS(
      counter(
          "webhook_dead_letters_total",
          "events",
          "Events that were given up, and can be delivered again (event-plane redeliver).",
          Labels.RECEIVER)),
  WEBHOOK_REPEATS(
      counter(
          "webhook_repeats_total",
          "events",
          "Events that came again and are known: posted once.",
          Labels.RECEIVER)),
  WEBHOOK_GAPS(
      counter(
          "webhook_gaps_total",
          "gaps",
          "Times that a call's events went on without one that did not come in time.",
          Labels.RECEIVER)),
  WEBHOOK_LATE(
      counter(
          "webhook_late_total",
          "events",
          "Events that came after those that follow them had gone.",
          Labels.RECEIVER)),
  WEBHOOK_SPILLED(
      counter(
          "webhook_spilled_total",
          "events",
          "Events that were dead letters at once because too many were waiting; without Kafka"
              + " only.",
          Labels.RECEIVER)),
  WEBHOOK_QUEUE(
      gauge("webhook_queue_length", "events", "Events in hand for a receiver.", Labels.RECEIVER)),
  WEBHOOK_POSTING(
      gauge("webhook_posting", "requests", "Requests to a receiver that go on.", Labels.RECEIVER)),
  WEBHOOK_ALARM(
      gauge(
          "webhook_alarm",
          "flag",
          "1 while a receiver does not take what is posted, else 0: alert on it.",
          Labels.RECEIVER)),
  WEBHOOK_LOG_DROPPED(
      counter(
          "webhook_log_dropped_total",
          "lines",
          "Lines that the log of deliveries has no room for or could not be given."));

  /** Labels, which constants cannot refer to as fields of their own enum. */
  private static final class Labels {
    private static final List<String> PLACES =
        IntStream.rangeClosed(1, EventsConfig.MAX_RECEIVERS).mapToObj(String::valueOf).toList();
    static final Label CONSUMER =
        new Label(
            "consumer",
            Stream.concat(
                    Stream.of("cdr", "postgres"),
                    Stream.concat(
                        PLACES.stream().map(place -> "webhook-" + place),
                        PLACES.stream().map(place -> "webhook-registrations-" + place)))
                .toList());
    static final Label RECEIVER = new Label("receiver", PLACES);
  }

  @SuppressWarnings("ImmutableEnumChecker") // a record that copies its lists
  private final Spec spec;

  EventMetric(Spec spec) {
    this.spec = spec;
  }

  @Override
  public Spec spec() {
    return spec;
  }
}
