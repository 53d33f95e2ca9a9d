package io.sippbx.simulation;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Many runs on several cores, one seed after the other, for a time or a number of seeds. */
final class Campaign {

  private static final Duration PROGRESS = Duration.ofMinutes(1);

  private final Scenario.Range range;
  private final long first;
  private final long seeds;
  private final long endNs;
  private final long startNs = System.nanoTime();
  private final AtomicLong next = new AtomicLong();
  private final Object lock = new Object();
  private final Map<Fault.Kind, Integer> faults = new EnumMap<>(Fault.Kind.class);
  private final List<Long> failed = new ArrayList<>();
  private long runs;
  private long calls;
  private long kept;
  private long events;
  private long nodes;
  private long cpuNs;
  private long toldNs = startNs;
  private Duration simulated = Duration.ZERO;

  /** A line of the table. */
  record Figure(String name, String value) {}

  /** What came of it. */
  record Result(Duration took, List<Figure> figures, List<Long> failed) {
    Result {
      figures = List.copyOf(figures);
      failed = List.copyOf(failed);
    }
  }

  Campaign(Scenario.Range range, long first, long seeds, Duration atMost) {
    this.range = range;
    this.first = first;
    this.seeds = seeds;
    this.endNs = startNs + atMost.toNanos();
  }

  /**
   * Runs until the time is over or the seeds are used up.
   *
   * @param bad is told each run that was not as it must be, one at a time
   * @param progress is told in a line how far it has come, once a minute
   */
  Result run(int threads, Consumer<Outcome> bad, Consumer<String> progress) {
    var workers = new ArrayList<Thread>();
    for (int i = 0; i < threads; i++) {
      workers.add(Thread.ofPlatform().name("simulation-" + i).start(() -> work(bad, progress)));
    }
    for (Thread worker : workers) {
      try {
        worker.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    synchronized (lock) {
      return result();
    }
  }

  private String soFar() {
    synchronized (lock) {
      return String.format(
          Locale.ROOT,
          "%d min: %d seeds, %d calls (%.0f a second of CPU), %d faults, %d seeds failed",
          Duration.ofNanos(System.nanoTime() - startNs).toMinutes(),
          runs,
          calls,
          callsACpuSecond(),
          faults.values().stream().mapToLong(Integer::longValue).sum(),
          failed.size());
    }
  }

  private double callsACpuSecond() {
    return calls * 1e9 / Math.max(1, cpuNs);
  }

  private static long cpuNs() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private void work(Consumer<Outcome> bad, Consumer<String> progress) {
    while (System.nanoTime() - endNs < 0) {
      long number = next.getAndIncrement();
      if (number >= seeds) {
        return;
      }
      Scenario scenario = Scenario.of(first + number, range);
      long before = cpuNs();
      Outcome outcome = Simulation.run(scenario, Plants.NONE, Trace.OFF);
      long took = cpuNs() - before;
      synchronized (lock) {
        runs++;
        cpuNs += took;
        calls += outcome.calls();
        kept += outcome.kept();
        events += outcome.events();
        nodes += scenario.controlNodes() + scenario.mediaNodes();
        simulated = simulated.plus(outcome.lasted());
        outcome.faults().forEach((kind, count) -> faults.merge(kind, count, Integer::sum));
        if (!outcome.isGood()) {
          failed.add(scenario.seed());
          bad.accept(outcome);
        }
        if (System.nanoTime() - toldNs >= PROGRESS.toNanos()) {
          toldNs = System.nanoTime();
          progress.accept(soFar());
        }
      }
    }
  }

  private Result result() {
    Duration took = Duration.ofNanos(System.nanoTime() - startNs);
    var figures = new ArrayList<Figure>();
    figures.add(new Figure("seeds", Long.toString(runs)));
    figures.add(new Figure("seeds that failed", Integer.toString(failed.size())));
    figures.add(new Figure("calls", Long.toString(calls)));
    figures.add(new Figure("of them up at both phones", Long.toString(kept)));
    figures.add(new Figure("nodes", Long.toString(nodes)));
    figures.add(new Figure("events", Long.toString(events)));
    figures.add(
        new Figure(
            "events a second", Long.toString(events * 1_000 / Math.max(1, took.toMillis()))));
    figures.add(
        new Figure("calls a second of CPU", String.format(Locale.ROOT, "%.1f", callsACpuSecond())));
    figures.add(new Figure("hours of virtual time", Long.toString(simulated.toHours())));
    faults.forEach(
        (kind, count) ->
            figures.add(
                new Figure(
                    "fault: " + kind.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    count.toString())));
    failed.sort(Long::compareUnsigned);
    return new Result(took, figures, failed);
  }
}
