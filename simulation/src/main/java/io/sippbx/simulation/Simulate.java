package io.sippbx.simulation;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The command line of the simulation: see docs/simulation.md. */
public final class Simulate {

  private static final int BAD_USAGE = 2;

  private static final String USAGE =
      """
      Runs whole clusters on virtual time, each from a seed, and looks for what may never be.
        --seconds N     runs seeds for so long, on all cores (default 60)
        --seed S        the first seed; without --seconds only this one (default 1)
        --seeds N       runs so many seeds, instead of --seconds
        --threads N     (default: the number of cores)
        --trace         prints every event of the one seed
        --shrink        looks for the fewest faults and calls with which the one seed still fails
        --control N     control nodes at most (default 3)
        --media N       media nodes at most (default 2)
        --calls N       calls of a run at most (default 60)
        --faults LIST   none, all, or names: %s
        --hash          prints the hash of the one seed's trace, and nothing else
      """
          .formatted(names(Arrays.stream(Fault.Kind.values())));

  private long seconds;
  private long seed = 1;
  private long seeds;
  private int threads = Runtime.getRuntime().availableProcessors();
  private boolean single;
  private boolean trace;
  private boolean shrink;
  private boolean hash;
  private Scenario.Range range = Scenario.Range.full();

  private Simulate() {}

  /** Exits with 0 if every run was as it must be, 1 if one was not, 2 if it was asked wrongly. */
  @SuppressWarnings("SystemExitOutsideMain")
  public static void main(String[] args) {
    // What nodes log is in the trace, as far as it is of use.
    System.setProperty("slf4j.provider", "org.slf4j.nop.NOPServiceProvider");
    System.setProperty("slf4j.internal.verbosity", "WARN");
    System.exit(run(args, System.out, System.err));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    var simulate = new Simulate();
    try {
      if (!simulate.parse(args)) {
        out.print(USAGE);
        return 0;
      }
    } catch (IllegalArgumentException e) {
      err.println("simulate: " + e.getMessage());
      err.print(USAGE);
      return BAD_USAGE;
    }
    return simulate.single ? simulate.one(out) : simulate.many(out, err);
  }

  private boolean parse(String[] args) {
    for (int i = 0; i < args.length; i++) {
      String key = args[i];
      switch (key) {
        case "--help" -> {
          return false;
        }
        case "--trace" -> trace = true;
        case "--shrink" -> shrink = true;
        case "--hash" -> hash = true;
        default -> {
          i++;
          if (i == args.length) {
            throw new IllegalArgumentException("Expected a value after " + key);
          }
          set(key, args[i]);
        }
      }
    }
    single = seconds == 0 && seeds == 0 && (trace || shrink || hash || single);
    if (!single && seconds == 0 && seeds == 0) {
      seconds = 60;
    }
    if ((trace || shrink || hash) && !single) {
      throw new IllegalArgumentException("Expected --trace, --shrink and --hash with one seed");
    }
    return true;
  }

  private void set(String key, String value) {
    switch (key) {
      case "--seconds" -> seconds = number(key, value, 1, 1_000_000);
      case "--seeds" -> seeds = number(key, value, 1, Integer.MAX_VALUE);
      case "--seed" -> {
        seed = number(key, value, Long.MIN_VALUE, Long.MAX_VALUE);
        single = true;
      }
      case "--threads" -> threads = (int) number(key, value, 1, 1_000);
      case "--control" ->
          range = range.withNodes((int) number(key, value, 1, 9), range.mediaNodes());
      case "--media" ->
          range = range.withNodes(range.controlNodes(), (int) number(key, value, 1, 9));
      case "--calls" -> range = range.withCalls((int) number(key, value, 2, 100_000));
      case "--faults" -> range = range.withFaults(faults(value));
      default -> throw new IllegalArgumentException("Expected an option, but got " + key);
    }
  }

  private static long number(String key, String value, long least, long most) {
    try {
      long number = Long.parseLong(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "Expected " + key + " of " + least + " to " + most + ", but got " + value);
  }

  private static Set<Fault.Kind> faults(String value) {
    return switch (value) {
      case "none" -> EnumSet.noneOf(Fault.Kind.class);
      case "all" -> EnumSet.allOf(Fault.Kind.class);
      default -> {
        var kinds = EnumSet.noneOf(Fault.Kind.class);
        for (String name : value.split(",", -1)) {
          try {
            kinds.add(Fault.Kind.valueOf(name.toUpperCase(Locale.ROOT)));
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("Expected the name of a fault, but got " + name, e);
          }
        }
        yield kinds;
      }
    };
  }

  private int one(PrintStream out) {
    Scenario scenario = Scenario.of(seed, range);
    if (hash) {
      out.println(Long.toHexString(Simulation.run(scenario, Plants.NONE, 0).traceHash()));
      return 0;
    }
    Outcome outcome = Simulation.run(scenario, Plants.NONE, trace ? Integer.MAX_VALUE : 0);
    if (shrink && !outcome.isGood()) {
      Scenario least = Shrinker.shrink(scenario, outcome);
      outcome = Simulation.run(least, Plants.NONE, trace ? Integer.MAX_VALUE : 0);
    }
    outcome.trace().forEach(out::println);
    tell(out, outcome);
    if (shrink) {
      outcome.scenario().calls().forEach(call -> out.println("  " + call));
    }
    return outcome.isGood() ? 0 : 1;
  }

  /** What makes the same runs of the same seeds. */
  private String options() {
    Set<Fault.Kind> kinds = range.faultKinds();
    String faults =
        kinds.size() == Fault.Kind.values().length
            ? "all"
            : kinds.isEmpty() ? "none" : names(kinds.stream());
    return " --control "
        + range.controlNodes()
        + " --media "
        + range.mediaNodes()
        + " --calls "
        + range.calls()
        + " --faults "
        + faults;
  }

  private static String names(Stream<Fault.Kind> kinds) {
    return kinds.map(kind -> kind.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(","));
  }

  private static void tell(PrintStream out, Outcome outcome) {
    Scenario scenario = outcome.scenario();
    out.printf(
        "seed %d: %d control and %d media nodes, %d calls, %d events, %d s: %s%n",
        scenario.seed(),
        scenario.controlNodes(),
        scenario.mediaNodes(),
        outcome.calls(),
        outcome.events(),
        outcome.lasted().toSeconds(),
        outcome.isGood() ? "as it must be" : "VIOLATED");
    outcome.violations().forEach(violation -> out.println("  " + violation));
    scenario.faults().forEach(fault -> out.println("  " + fault));
  }

  private int many(PrintStream out, PrintStream err) {
    var campaign =
        new Campaign(
            range,
            seed,
            seeds > 0 ? seeds : Long.MAX_VALUE,
            seconds > 0 ? Duration.ofSeconds(seconds) : Duration.ofDays(365));
    Campaign.Result result = campaign.run(threads, outcome -> tell(out, outcome), err::println);
    out.printf("%n| %s | %s |%n| --- | ---: |%n", "what", "in " + result.took().toSeconds() + " s");
    for (Campaign.Figure figure : result.figures()) {
      out.printf("| %s | %s |%n", figure.name(), figure.value());
    }
    List<Long> failed = result.failed();
    if (!failed.isEmpty()) {
      out.println();
      out.println("seeds that failed: " + failed);
      for (long each : failed) {
        out.println("again: ./bench simulate" + options() + " --seed " + each + " --trace");
      }
    }
    return failed.isEmpty() ? 0 : 1;
  }
}
