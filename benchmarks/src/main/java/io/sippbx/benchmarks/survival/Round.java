package io.sippbx.benchmarks.survival;

import io.sippbx.benchmarks.survival.Outcome.Transports;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** One victim: a fleet of its own, calls in each phase, the death, and what is left. */
final class Round {

  // Longer than the 2 s after which a quiet call is written down.
  private static final Duration SETTLES_IN = Duration.ofSeconds(4);
  // 64*T1 and some: what has not come to its end by then will not.
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(50);
  private static final Duration LEAVES_NOTHING_WITHIN = Duration.ofSeconds(30);
  private static final Predicate<Phase> LASTING = phase -> phase == Phase.UP;
  private static final int JOURNALS_KEPT = 40;

  /**
   * What is wanted.
   *
   * @param calls of each phase and transport
   * @param spread within which calls go on after the death, each at a time of its own
   */
  record Wanted(
      Set<Phase> phases, boolean udp, boolean tcp, int calls, Duration spread, long seed) {}

  private final Victim victim;
  private final Wanted wanted;
  private final Path folder;
  private final PrintStream out;
  private final List<String> notes = new ArrayList<>();

  Round(Victim victim, Wanted wanted, Path folder, PrintStream out) {
    this.victim = victim;
    this.wanted = wanted;
    this.folder = folder;
    this.out = out;
  }

  Outcome run(Fleet fleet) throws IOException {
    try (var load = new Load(fleet, wanted.seed())) {
      switch (victim) {
        case CONTROL, RESTART -> control(fleet, load);
        case MEDIA -> atOnce(load, () -> fleet.killMedia(1));
        case REDIS -> atOnce(load, fleet::killRedisPrimary);
        case ROLLING, ROLLING_KILL -> rolling(fleet, load);
      }
      return collect(fleet, load);
    }
  }

  /** What kills. */
  private interface Death {
    void come() throws IOException;
  }

  private void control(Fleet fleet, Load load) throws IOException {
    begin(load, phase -> true);
    Waiting.pass(SETTLES_IN);
    int number = load.busiest(LASTING.negate());
    die(
        load,
        number,
        () -> {
          fleet.killControl(number);
          if (victim == Victim.RESTART) {
            fleet.startControl(number);
          }
        });
    load.release(phase -> true, wanted.spread());
    load.awaitEnds(phase -> true, wanted.spread().plus(ENDS_WITHIN));
  }

  private void atOnce(Load load, Death death) throws IOException {
    begin(load, phase -> true);
    Waiting.pass(SETTLES_IN);
    die(load, 0, death);
    load.release(phase -> true, wanted.spread());
    load.awaitEnds(phase -> true, wanted.spread().plus(ENDS_WITHIN));
  }

  /** Calls that are up live through all of it; of the other phases there are some for each node. */
  private void rolling(Fleet fleet, Load load) throws IOException {
    begin(load, LASTING);
    Waiting.pass(SETTLES_IN);
    for (int i = 1; i <= fleet.controls(); i++) {
      int number = i;
      begin(load, LASTING.negate());
      die(
          load,
          number,
          () -> {
            if (victim == Victim.ROLLING) {
              Duration took = fleet.stopControl(number);
              notes.add("control-" + number + " ended " + took.toMillis() + " ms after SIGTERM");
            } else {
              fleet.killControl(number);
            }
            load.release(LASTING.negate(), wanted.spread());
            fleet.startControl(number);
          });
      load.awaitEnds(LASTING.negate(), wanted.spread().plus(ENDS_WITHIN));
    }
    load.release(LASTING, wanted.spread());
    load.awaitEnds(LASTING, wanted.spread().plus(ENDS_WITHIN));
  }

  private void begin(Load load, Predicate<Phase> which) throws IOException {
    List<Phase> phases = wanted.phases().stream().filter(which).toList();
    if (phases.isEmpty()) {
      return;
    }
    if (wanted.udp()) {
      load.begin(phases, false, wanted.calls());
    }
    if (wanted.tcp()) {
      load.begin(phases, true, wanted.calls());
    }
  }

  private void die(Load load, int control, Death death) throws IOException {
    out.println(
        victim.option()
            + ": "
            + load.calls().size()
            + " calls held, "
            + load.notSetUp().size()
            + " not set up; "
            + (control > 0 ? "control-" + control : victim.option())
            + " dies");
    load.mark(control);
    death.come();
  }

  private Outcome collect(Fleet fleet, Load load) throws IOException {
    var results = new ArrayList<Row.Result>();
    var callIds = new ArrayList<String>();
    int foreign = 0;
    for (ScriptedCall call : load.calls()) {
      results.add(result(call));
      callIds.add(call.callId());
      foreign += call.foreign();
    }
    boolean clean =
        Waiting.tell(
            LEAVES_NOTHING_WITHIN,
            () -> fleet.records() == 0 && fleet.indexed() == 0 && fleet.portsLent() == 0);
    if (!clean) {
      notes.add("not clean within " + LEAVES_NOTHING_WITHIN.toSeconds() + " s");
    }
    Waiting.tell(
        Duration.ofSeconds(5),
        () -> Outcome.Cdrs.of(callIds, fleet.cdrs()).one() == callIds.size());
    load.failures().forEach(failure -> notes.add("error of the driver: " + failure));
    journals(load);
    var notSetUp = new LinkedHashMap<String, Integer>();
    load.notSetUp()
        .forEach(
            call -> notSetUp.merge(call.phase().title() + ": " + call.loss(), 1, Integer::sum));
    return new Outcome(
        victim,
        Outcome.rows(results),
        notSetUp,
        fleet.records(),
        fleet.indexed(),
        fleet.portsLent(),
        Outcome.Cdrs.of(callIds, fleet.cdrs()),
        foreign,
        notes);
  }

  private static Row.Result result(ScriptedCall call) {
    String transport =
        !call.overTcp()
            ? Transports.UDP
            : call.wasOpenOnDeadConnection() ? Transports.TCP_OPEN : Transports.TCP;
    return new Row.Result(
        call.phase(),
        transport,
        call.isKept(),
        call.loss(),
        call.wasAtVictim(),
        Duration.ofNanos(call.silenceNs()),
        Duration.ofNanos(call.usualSilenceNs()),
        call.firstAnswer(),
        call.callId());
  }

  /** What the phones of lost calls saw, for who looks for the reason. */
  private void journals(Load load) throws IOException {
    int kept = 0;
    var all = new ArrayList<>(load.calls());
    all.addAll(load.notSetUp());
    for (ScriptedCall call : all) {
      if (!call.isKept() && kept < JOURNALS_KEPT) {
        kept++;
        var lines = new ArrayList<String>();
        lines.add(call.phase().title() + ": " + call.loss() + " " + call.callId());
        lines.addAll(call.journal());
        Files.write(folder.resolve("lost-" + kept + ".txt"), lines);
      }
    }
  }

  static Set<Phase> allPhases() {
    return EnumSet.allOf(Phase.class);
  }
}
