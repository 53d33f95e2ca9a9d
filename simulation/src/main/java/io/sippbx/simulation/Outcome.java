package io.sippbx.simulation;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a run has shown.
 *
 * @param violations in the order in which they were seen
 * @param calls that were committed
 * @param kept calls that both phones believed in at some time
 * @param events tasks that were run
 * @param faults that were carried out, by kind
 * @param traceHash the same for runs that were the same
 */
record Outcome(
    Scenario scenario,
    List<String> violations,
    int calls,
    int kept,
    long events,
    Duration lasted,
    Map<Fault.Kind, Integer> faults,
    long traceHash,
    List<String> trace) {

  Outcome {
    violations = List.copyOf(violations);
    faults = faults.isEmpty() ? new EnumMap<>(Fault.Kind.class) : new EnumMap<>(faults);
    trace = List.copyOf(trace);
  }

  boolean isGood() {
    return violations.isEmpty();
  }
}
