package io.sippbx.shared.telemetry;

import java.util.List;

/**
 * A metric of a catalogue. Each plane has one enum of them; docs/metrics.md is made from these.
 *
 * @see Metrics
 */
public interface Metric {

  /** What is known of it before it has a value. */
  Spec spec();

  /** What a metric counts or measures. */
  enum Kind {
    COUNTER,
    /**
     * A counter whose name, promised to existing users, lacks the ending {@code _total} that the
     * client library and OpenMetrics demand of counters. It is exposed under its exact name: as
     * {@code counter} in the text format, as {@code unknown} in OpenMetrics.
     */
    COUNTER_AS_NAMED,
    GAUGE,
    HISTOGRAM
  }

  /**
   * The facts of a metric.
   *
   * @param name as it is scraped
   * @param unit as a word: "seconds", "bytes", "calls", "percent"
   * @param buckets upper bounds of a histogram, ascending, without infinity; else empty
   */
  record Spec(
      String name, Kind kind, String unit, String help, List<Label> labels, List<Double> buckets) {

    /** Copies the lists and checks what the exposition formats demand. */
    public Spec {
      labels = List.copyOf(labels);
      buckets = List.copyOf(buckets);
      if ((kind == Kind.COUNTER) != name.endsWith("_total")) {
        throw new IllegalArgumentException(
            "Expected _total at the end of counters only, but got " + name);
      }
      if ((kind == Kind.HISTOGRAM) == buckets.isEmpty()) {
        throw new IllegalArgumentException("Expected buckets for histograms only: " + name);
      }
    }

    /** A counter; its name ends in {@code _total}. */
    public static Spec counter(String name, String unit, String help, Label... labels) {
      return new Spec(name, Kind.COUNTER, unit, help, List.of(labels), List.of());
    }

    /** A counter with a name of its own. */
    public static Spec counterAsNamed(String name, String unit, String help, Label... labels) {
      return new Spec(name, Kind.COUNTER_AS_NAMED, unit, help, List.of(labels), List.of());
    }

    /** A value that goes up and down. */
    public static Spec gauge(String name, String unit, String help, Label... labels) {
      return new Spec(name, Kind.GAUGE, unit, help, List.of(labels), List.of());
    }

    /** A distribution. */
    public static Spec histogram(String name, String unit, String help, List<Double> buckets) {
      return new Spec(name, Kind.HISTOGRAM, unit, help, List.of(), buckets);
    }
  }

  /**
   * A label with all values that it can have: a closed list, never taken from input.
   *
   * @param values in the order in which they are shown
   */
  record Label(String name, List<String> values) {
    /** Copies {@code values}. */
    public Label {
      values = List.copyOf(values);
    }

    /** A label of a few values. */
    public static Label of(String name, String... values) {
      return new Label(name, List.of(values));
    }
  }
}
