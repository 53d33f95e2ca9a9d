package io.sippbx.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * What a run is made of; drawn from a seed, and the same from the same seed.
 *
 * @param seed of all that is drawn while it runs
 * @param loss of datagrams, 0 to 1; half as many come twice
 * @param longestDelayMs of a datagram
 */
record Scenario(
    long seed,
    int controlNodes,
    int loops,
    int mediaNodes,
    double loss,
    int longestDelayMs,
    List<PlannedCall> calls,
    List<Fault> faults) {

  /** Pairs of phones. */
  static final int PHONES = 4;

  private static final int WINDOW_MS = 40_000;
  private static final int MOST_FAULT_MS = 8_000;

  /** What went wrong still tells for so long: nodes wait for answers, and look who is there. */
  private static final Duration AFTERMATH = Duration.ofSeconds(10);

  Scenario {
    calls = List.copyOf(calls);
    faults = List.copyOf(faults);
  }

  /**
   * What may be drawn.
   *
   * @param controlNodes at most
   * @param mediaNodes at most
   * @param calls of a run at most
   * @param faults of a run at most
   */
  record Range(
      int controlNodes,
      int mediaNodes,
      int calls,
      int faults,
      Set<CallKind> callKinds,
      Set<Fault.Kind> faultKinds) {

    /** Everything that the product is to survive. */
    static Range full() {
      return new Range(3, 2, 60, 8, EnumSet.allOf(CallKind.class), EnumSet.allOf(Fault.Kind.class));
    }

    /** Nothing fails. */
    Range calm() {
      return new Range(
          controlNodes, mediaNodes, calls, 0, callKinds, EnumSet.noneOf(Fault.Kind.class));
    }

    Range withFaults(Set<Fault.Kind> kinds) {
      return new Range(controlNodes, mediaNodes, calls, faults, callKinds, kinds);
    }

    Range withCalls(int most) {
      return new Range(controlNodes, mediaNodes, most, faults, callKinds, faultKinds);
    }

    Range withCallKinds(Set<CallKind> kinds) {
      return new Range(controlNodes, mediaNodes, calls, faults, kinds, faultKinds);
    }

    Range withNodes(int control, int media) {
      return new Range(control, media, calls, faults, callKinds, faultKinds);
    }
  }

  /** Draws one. */
  static Scenario of(long seed, Range range) {
    RandomGenerator random = new Dice(seed).of("scenario");
    int controlNodes = 1 + random.nextInt(range.controlNodes());
    int mediaNodes = 1 + random.nextInt(range.mediaNodes());
    double loss = random.nextInt(3) == 0 ? 0 : random.nextInt(10) / 100.0;
    int delayMs = random.nextInt(3) == 0 ? 5 : 5 + random.nextInt(60);
    var calls = new ArrayList<PlannedCall>();
    List<CallKind> kinds = List.copyOf(EnumSet.copyOf(range.callKinds()));
    int wanted = range.calls() / 2 + random.nextInt(range.calls() / 2 + 1);
    for (int i = 0; i < wanted; i++) {
      calls.add(
          new PlannedCall(
              i,
              Duration.ofMillis(500 + random.nextInt(WINDOW_MS)),
              kinds.get(random.nextInt(kinds.size())),
              random.nextInt(PHONES),
              random.nextInt(PHONES),
              Duration.ofMillis(talkMs(random)),
              random.nextInt(1 << 20)));
    }
    calls.sort(Comparator.comparing(PlannedCall::at).thenComparingInt(PlannedCall::number));
    return new Scenario(
        seed,
        controlNodes,
        1 + random.nextInt(2),
        mediaNodes,
        loss,
        delayMs,
        calls,
        faults(range, random));
  }

  private static int talkMs(RandomGenerator random) {
    return random.nextInt(4) == 0 ? random.nextInt(2_000) : random.nextInt(30_000);
  }

  /** One after the other, so that each has its effect; some begin while another lasts. */
  private static List<Fault> faults(Range range, RandomGenerator random) {
    List<Fault.Kind> kinds =
        range.faultKinds().isEmpty() ? List.of() : List.copyOf(EnumSet.copyOf(range.faultKinds()));
    var faults = new ArrayList<Fault>();
    int wanted = kinds.isEmpty() ? 0 : random.nextInt(range.faults() + 1);
    for (int i = 0; i < wanted; i++) {
      int lastsMs =
          random.nextInt(3) == 0 ? 1 + random.nextInt(200) : 200 + random.nextInt(MOST_FAULT_MS);
      faults.add(
          new Fault(
              Duration.ofMillis(1_000 + random.nextInt(WINDOW_MS + 20_000)),
              Duration.ofMillis(lastsMs),
              kinds.get(random.nextInt(kinds.size())),
              random.nextInt(1_000),
              random.nextInt(1_000)));
    }
    faults.sort(Comparator.comparing(Fault::at).thenComparing(Fault::kind));
    return faults;
  }

  /** The same without one of its faults. */
  Scenario withoutFault(int index) {
    var fewer = new ArrayList<>(faults);
    fewer.remove(index);
    return with(calls, fewer);
  }

  /** The same with other calls and faults. */
  Scenario with(List<PlannedCall> otherCalls, List<Fault> otherFaults) {
    return new Scenario(
        seed, controlNodes, loops, mediaNodes, loss, longestDelayMs, otherCalls, otherFaults);
  }

  /** When the last fault is over. */
  Duration faultsEnd() {
    return faults.stream().map(Fault::ends).max(Duration::compareTo).orElse(Duration.ZERO);
  }

  /**
   * Whether something of these kinds goes wrong, or went wrong until a short time ago.
   *
   * @param now since the first call could begin
   */
  boolean isStruck(Duration now, Predicate<Fault.Kind> kinds) {
    return faults.stream()
        .filter(fault -> kinds.test(fault.kind()))
        .anyMatch(
            fault ->
                fault.at().compareTo(now) <= 0 && now.compareTo(fault.ends().plus(AFTERMATH)) <= 0);
  }
}
