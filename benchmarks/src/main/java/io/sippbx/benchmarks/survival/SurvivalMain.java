package io.sippbx.benchmarks.survival;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ./bench survival}: kills things, and prints what became of calls. */
@Command(
    name = "survival",
    description = {
      "Starts control nodes that share one address, media nodes and Redis from the built"
          + " executable, holds calls with real media in each phase, kills one part after another,"
          + " and prints what became of the calls.",
      "Each victim gets a fleet of its own. Victims: control, media, redis, rolling, rolling-kill,"
          + " restart (killed, and started again at once)."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class SurvivalMain implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--victims",
      split = ",",
      paramLabel = "V",
      defaultValue = "control,media,redis,rolling",
      description = "What is killed, in this order (default: ${DEFAULT-VALUE}).")
  private List<String> victims = List.of();

  @Option(
      names = "--phases",
      split = ",",
      paramLabel = "P",
      description = "Only these phases, as invite-sent, ringing, up (default: all).")
  private List<String> phases = List.of();

  @Option(
      names = "--transports",
      split = ",",
      paramLabel = "T",
      defaultValue = "udp,tcp",
      description = "Of the phones (default: ${DEFAULT-VALUE}).")
  private List<String> transports = List.of();

  @Option(
      names = "--calls",
      paramLabel = "N",
      defaultValue = "10",
      description = "Calls of each phase and transport, 1 to 100 (default: ${DEFAULT-VALUE}).")
  private int calls;

  @Option(
      names = "--control",
      paramLabel = "N",
      defaultValue = "3",
      description = "Control nodes, 1 to 9 (default: ${DEFAULT-VALUE}).")
  private int controls;

  @Option(
      names = "--media",
      paramLabel = "N",
      defaultValue = "2",
      description = "Media nodes, 1 to 4 (default: ${DEFAULT-VALUE}).")
  private int medias;

  @Option(
      names = "--spread",
      paramLabel = "SECONDS",
      defaultValue = "6",
      description =
          "Calls go on at a time of their own within so long after the death, 0 to 20"
              + " (default: ${DEFAULT-VALUE}).")
  private int spread;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of the phones' times and tokens (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--out", paramLabel = "FILE", description = "Where the table goes, as Markdown.")
  private Path out = Path.of("target", "survival", "survival.md");

  @Option(names = "--json", paramLabel = "FILE", description = "Where it goes as JSON.")
  private Path json = Path.of("target", "survival", "survival.json");

  @Option(
      names = "--namespaces",
      description =
          "As root: each control node on a host of its own (a network namespace), the shared"
              + " address behind per-flow ECMP.")
  private boolean namespaces;

  @Option(names = "--app", hidden = true)
  private Path app = Path.of("app", "target");

  @Option(names = "--namespace-prefix", hidden = true)
  private String prefix = "";

  @Option(names = "--work", hidden = true)
  private Path work = Path.of("target", "survival");

  /** Runs it. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new SurvivalMain()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    List<Victim> chosen = victims.stream().map(this::victim).toList();
    Round.Wanted wanted = wanted();
    if (namespaces && prefix.isEmpty()) {
      throw wrong("--namespaces: run it as ./bench survival --namespaces");
    }
    PrintStream console = System.out;
    String stamp =
        DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")
            .withZone(ZoneOffset.UTC)
            .format(Instant.now());
    Report report = null;
    boolean allKept = true;
    for (Victim victim : chosen) {
      Path folder =
          Files.createDirectories(work.resolve(stamp + "-" + victim.option())).toAbsolutePath();
      var plan =
          new Fleet.Plan(
              app.toAbsolutePath(),
              folder,
              victim == Victim.RESTART && controls == 3 ? 1 : controls,
              medias,
              victim == Victim.REDIS,
              namespaces ? prefix : "");
      console.println(victim.option() + ": starting, logs in " + folder);
      try (Fleet fleet = Fleet.start(plan)) {
        if (report == null) {
          report = new Report(head(fleet));
        }
        Outcome outcome = new Round(victim, wanted, folder, console).run(fleet);
        report.add(outcome);
        allKept &= outcome.kept() == outcome.calls() && outcome.notSetUp().isEmpty();
        console.println(
            victim.option() + ": kept " + outcome.kept() + " of " + outcome.calls() + " calls");
      }
    }
    if (report != null) {
      console.println();
      console.print(report.markdown());
      for (Path each : List.of(out, json)) {
        Path parent = each.toAbsolutePath().getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
      }
      report.write(out, json);
    }
    // A table is no test: what falls short is printed as it is, and told by the exit code.
    return allKept ? 0 : 3;
  }

  private Victim victim(String name) {
    for (Victim each : Victim.values()) {
      if (each.option().equals(name)) {
        return each;
      }
    }
    throw wrong(
        "--victims: expected control, media, redis, rolling, rolling-kill or restart, but got "
            + name);
  }

  private Round.Wanted wanted() {
    if (calls < 1 || calls > 100) {
      throw wrong("--calls: expected 1 to 100, but got " + calls);
    }
    if (spread < 0 || spread > 20) {
      throw wrong("--spread: expected 0 to 20 seconds, but got " + spread);
    }
    for (String each : transports) {
      if (!each.equals("udp") && !each.equals("tcp")) {
        throw wrong("--transports: expected udp or tcp, but got " + each);
      }
    }
    Set<Phase> of = new TreeSet<>();
    for (String name : phases) {
      boolean known = false;
      for (Phase each : Phase.values()) {
        if (each.option().equals(name)) {
          of.add(each);
          known = true;
        }
      }
      if (!known) {
        throw wrong(
            "--phases: expected some of "
                + List.of(Phase.values()).stream().map(Phase::option).toList()
                + ", but got "
                + name);
      }
    }
    return new Round.Wanted(
        of.isEmpty() ? Round.allPhases() : of,
        transports.contains("udp"),
        transports.contains("tcp"),
        calls,
        Duration.ofSeconds(spread),
        seed);
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  private Report.Head head(Fleet fleet) throws IOException {
    var command = new ArrayList<>(List.of("./bench", "survival"));
    List<String> given = spec.commandLine().getParseResult().originalArgs();
    for (int i = 0; i < given.size(); i++) {
      if (List.of("--app", "--work", "--namespace-prefix").contains(given.get(i))) {
        i++;
      } else {
        command.add(given.get(i));
      }
    }
    return new Report.Head(
        Instant.now().toString().substring(0, 16) + "Z",
        String.join(" ", command),
        machine(),
        fleet.describe(),
        firstLine(List.of("git", "rev-parse", "--short", "HEAD")));
  }

  private static String machine() throws IOException {
    long kb = 0;
    try (var lines = Files.lines(Path.of("/proc/meminfo"))) {
      kb =
          lines
              .filter(line -> line.startsWith("MemTotal:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .sum();
    }
    return Runtime.getRuntime().availableProcessors()
        + " cores, "
        + Math.round(kb / 1024.0 / 1024.0)
        + " GiB, "
        + System.getProperty("os.name")
        + " "
        + System.getProperty("os.version").replaceAll("[^0-9.].*", "")
        + ", load "
        + Files.readString(Path.of("/proc/loadavg")).split(" ")[0]
        + " at the start";
  }

  private static String firstLine(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line = in.readLine();
      return line == null || line.startsWith("fatal") ? "unknown" : line;
    }
  }
}
