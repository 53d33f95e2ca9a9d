package io.sippbx.simulation;

import java.time.Duration;

/**
 * A call that is to be made.
 *
 * @param number its name in the trace and in the INVITE
 * @param caller which of the calling phones
 * @param callee which of the called phones
 * @param draw what is random about it, from 0
 */
record PlannedCall(
    int number, Duration at, CallKind kind, int caller, int callee, Duration talk, int draw) {

  @Override
  public String toString() {
    return "call "
        + number
        + " "
        + kind
        + " of caller"
        + caller
        + " to callee"
        + callee
        + " at "
        + at.toMillis()
        + " ms, talks "
        + talk.toMillis()
        + " ms";
  }
}
