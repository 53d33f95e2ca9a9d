package io.sippbx.simulation;

import java.util.ArrayList;
import java.util.List;

/** Looks for the fewest faults and calls with which a scenario still fails in the same way. */
final class Shrinker {

  private Shrinker() {}

  /** The least that was found; {@code scenario} itself where nothing can be left out. */
  static Scenario shrink(Scenario scenario, Outcome failed) {
    String invariant = invariant(failed);
    Scenario least = scenario;
    boolean fewer = true;
    while (fewer) {
      fewer = false;
      for (int i = least.faults().size() - 1; i >= 0; i--) {
        Scenario without = least.withoutFault(i);
        if (failsAs(without, invariant)) {
          least = without;
          fewer = true;
        }
      }
      for (int size = Math.max(1, least.calls().size() / 2); size >= 1; size /= 2) {
        for (int from = 0; from < least.calls().size(); ) {
          var calls = new ArrayList<>(least.calls());
          calls.subList(from, Math.min(from + size, calls.size())).clear();
          Scenario without = least.with(calls, least.faults());
          if (failsAs(without, invariant)) {
            least = without;
            fewer = true;
          } else {
            from += size;
          }
        }
      }
    }
    return least;
  }

  private static boolean failsAs(Scenario scenario, String invariant) {
    Outcome outcome = Simulation.run(scenario, Plants.NONE, 0);
    return !outcome.isGood() && invariant(outcome).equals(invariant);
  }

  /** Which invariant did not hold; the rest of the line may differ. */
  private static String invariant(Outcome outcome) {
    List<String> violations = outcome.violations();
    if (violations.isEmpty()) {
      throw new IllegalArgumentException("Expected a run that failed");
    }
    String first = violations.getFirst();
    return first.substring(0, first.indexOf(':'));
  }
}
