package io.sippbx.shared.telemetry;

import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot.UnknownDataPointSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;

/**
 * The metrics of a process: values of the catalogue, and those of the JVM and the process. Values
 * are asked for when somebody scrapes, so that counting costs a plane an addition and nothing else.
 * Safe for any thread.
 */
public final class Metrics implements AutoCloseable {

  /** The classic text format. */
  public static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

  /** OpenMetrics. */
  public static final String OPEN_METRICS =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<String, Family> families = new LinkedHashMap<>();
  private final Map<String, Histogram> histograms = new ConcurrentHashMap<>();
  private final JvmGcMetrics gc = new JvmGcMetrics();

  /** A counter that belongs to the catalogue's user. */
  public interface Counter {
    /** Adds one. */
    default void increment() {
      add(1);
    }

    /** Adds {@code amount}, not negative. */
    void add(long amount);
  }

  /** A distribution that belongs to the catalogue's user. */
  public interface Histogram {
    /** Counts a value, in the unit of the metric. */
    void record(double value);
  }

  /**
   * Binds a counter of the catalogue to a number that is counted elsewhere.
   *
   * @param value never falling; asked at each scrape, on any thread
   * @param labelValues one for each label of the metric
   */
  public void counter(Metric metric, DoubleSupplier value, String... labelValues) {
    Metric.Kind kind = metric.spec().kind();
    expect(
        metric, kind == Metric.Kind.COUNTER || kind == Metric.Kind.COUNTER_AS_NAMED, "a counter");
    bind(metric, value, labelValues);
  }

  /** A counter of the catalogue that is counted here, 0 at first. */
  public Counter counter(Metric metric, String... labelValues) {
    var adder = new LongAdder();
    counter(metric, adder::sum, labelValues);
    return amount -> {
      if (amount < 0) {
        throw new IllegalArgumentException("Expected an amount from 0 on, but got " + amount);
      }
      adder.add(amount);
    };
  }

  /**
   * Binds a gauge of the catalogue.
   *
   * @param value asked at each scrape, on any thread
   */
  public void gauge(Metric metric, DoubleSupplier value, String... labelValues) {
    expect(metric, metric.spec().kind() == Metric.Kind.GAUGE, "a gauge");
    bind(metric, value, labelValues);
  }

  /** The histogram of the catalogue; the same one each time. */
  public Histogram histogram(Metric metric) {
    Metric.Spec spec = metric.spec();
    expect(metric, spec.kind() == Metric.Kind.HISTOGRAM, "a histogram");
    return histograms.computeIfAbsent(
        spec.name(),
        name -> {
          var histogram =
              io.prometheus.metrics.core.metrics.Histogram.builder()
                  .name(name)
                  .help(spec.help())
                  .classicOnly()
                  .withoutExemplars()
                  .classicUpperBounds(
                      spec.buckets().stream().mapToDouble(Double::doubleValue).toArray())
                  .register(registry.getPrometheusRegistry());
          return histogram::observe;
        });
  }

  /** Adds what is known of the JVM and the process: memory, collections, threads, processor. */
  public void bindJvm() {
    gc.bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /** All values in the classic text format. */
  public String scrapeText() {
    String text = registry.scrape(TEXT);
    // The client can expose a counter without _total as "untyped" only; the format itself allows
    // it, and so the type is set right here.
    for (String name : namesAsPromised()) {
      text = text.replace("# TYPE " + name + " untyped\n", "# TYPE " + name + " counter\n");
    }
    return text;
  }

  /** All values as OpenMetrics. */
  public String scrapeOpenMetrics() {
    return registry.scrape(OPEN_METRICS);
  }

  @Override
  public void close() {
    gc.close();
    registry.close();
  }

  private List<String> namesAsPromised() {
    synchronized (families) {
      return families.values().stream()
          .filter(family -> family.spec.kind() == Metric.Kind.COUNTER_AS_NAMED)
          .map(family -> family.spec.name())
          .toList();
    }
  }

  private static void expect(Metric metric, boolean condition, String what) {
    if (!condition) {
      throw new IllegalArgumentException("Expected " + what + ", but got " + metric.spec().name());
    }
  }

  private void bind(Metric metric, DoubleSupplier value, String... labelValues) {
    Metric.Spec spec = metric.spec();
    var labels = labels(spec, labelValues);
    Family family;
    synchronized (families) {
      family = families.get(spec.name());
      if (family == null) {
        family = new Family(spec);
        families.put(spec.name(), family);
        registry.getPrometheusRegistry().register(family);
      }
    }
    family.add(labels, value);
  }

  private static Labels labels(Metric.Spec spec, String... values) {
    if (values.length != spec.labels().size()) {
      throw new IllegalArgumentException(
          "Expected a value for each label of " + spec.name() + ", but got " + values.length);
    }
    var names = new String[values.length];
    for (int i = 0; i < values.length; i++) {
      Metric.Label label = spec.labels().get(i);
      names[i] = label.name();
      if (!label.values().contains(values[i])) {
        throw new IllegalArgumentException(
            "Expected one of "
                + label.values()
                + " for "
                + label.name()
                + " of "
                + spec.name()
                + ", but got "
                + values[i]);
      }
    }
    return values.length == 0
        ? Labels.EMPTY
        : Labels.of(names, Arrays.copyOf(values, values.length));
  }

  /** All series of one name. */
  private static final class Family implements Collector {
    private final Metric.Spec spec;
    private final MetricMetadata metadata;
    private volatile List<Series> series = List.of();

    private record Series(Labels labels, DoubleSupplier value) {}

    Family(Metric.Spec spec) {
      this.spec = spec;
      String name = spec.name();
      // The client adds the ending itself.
      String base =
          spec.kind() == Metric.Kind.COUNTER
              ? name.substring(0, name.length() - "_total".length())
              : name;
      this.metadata = new MetricMetadata(base, spec.help());
    }

    synchronized void add(Labels labels, DoubleSupplier value) {
      if (series.stream().anyMatch(known -> known.labels.equals(labels))) {
        throw new IllegalStateException(
            "Expected each series once, but got again " + spec.name() + labels);
      }
      var sorted = new ArrayList<>(series);
      sorted.add(new Series(labels, value));
      sorted.sort(Comparator.comparing(Series::labels));
      series = List.copyOf(sorted);
    }

    @Override
    public MetricSnapshot collect() {
      return switch (spec.kind()) {
        case COUNTER ->
            new CounterSnapshot(
                metadata,
                series.stream()
                    .map(s -> new CounterDataPointSnapshot(value(s), s.labels, null, 0))
                    .toList());
        case COUNTER_AS_NAMED ->
            new UnknownSnapshot(
                metadata,
                series.stream()
                    .map(s -> new UnknownDataPointSnapshot(value(s), s.labels, null))
                    .toList());
        case GAUGE ->
            new GaugeSnapshot(
                metadata,
                series.stream()
                    .map(s -> new GaugeDataPointSnapshot(s.value.getAsDouble(), s.labels, null))
                    .toList());
        case HISTOGRAM -> throw new IllegalStateException("the client collects histograms itself");
      };
    }

    /** A counter that reads as negative or not a number would spoil the whole scrape. */
    private static double value(Series series) {
      double value = series.value.getAsDouble();
      return value >= 0 ? value : 0;
    }
  }
}
