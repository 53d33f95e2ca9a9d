package io.sippbx.simulation;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** When one phone takes a call for over, or never came to be in it, the other follows in time. */
final class NoLegAlone extends Invariant {

  /**
   * A 2xx that is not acknowledged is repeated for 32 s, the BYE after it as long; and somebody may
   * have to take the call over at the end of either.
   */
  static final Duration BOUND = Duration.ofSeconds(32 + 32 + 16);

  private final Map<Integer, Sides> calls = new LinkedHashMap<>();

  private static final class Sides {
    private boolean callerUp;
    private boolean calleeUp;
    private int changes;

    private boolean alone() {
      return callerUp != calleeUp;
    }
  }

  NoLegAlone(View view) {
    super(view);
  }

  @Override
  String says() {
    return "no leg is up alone";
  }

  @Override
  void up(int call, boolean caller) {
    changed(call, caller, true);
  }

  @Override
  void over(int call, boolean caller) {
    changed(call, caller, false);
  }

  private void changed(int call, boolean caller, boolean isUp) {
    Sides sides = calls.computeIfAbsent(call, key -> new Sides());
    if (caller) {
      sides.callerUp = isUp;
    } else {
      sides.calleeUp = isUp;
    }
    sides.changes++;
    int since = sides.changes;
    if (sides.alone()) {
      view().at(view().now().plus(BOUND), () -> look(call, sides, since));
    }
  }

  @Override
  void atRest() {
    calls.forEach(
        (call, sides) -> {
          if ((sides.callerUp || sides.calleeUp) && !isExcused(call)) {
            violated("call " + call + " is up for a phone though nothing of it is left");
          }
        });
  }

  private void look(int call, Sides sides, int since) {
    if (sides.alone() && sides.changes == since && !isExcused(call)) {
      violated(
          "the "
              + (sides.callerUp ? "caller" : "callee")
              + " of call "
              + call
              + " has been up alone for "
              + BOUND.toSeconds()
              + " s");
    }
  }

  /**
   * Whether nobody can know whom to tell: the call is forgotten, or goes on as it was before its
   * callee was found at another address than the first.
   */
  private boolean isExcused(int call) {
    return view().isForgotten(call)
        || view().wasSetBack(call)
            && view().scenario().calls().stream()
                .anyMatch(plan -> plan.number() == call && plan.kind() == CallKind.FAIL_OVER);
  }
}
