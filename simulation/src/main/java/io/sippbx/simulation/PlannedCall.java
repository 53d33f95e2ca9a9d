package io.sippbx.simulation;

import io.sippbx.control.sip.message.CallId;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

  private static final Pattern NAMED = Pattern.compile("call(\\d+)@");

  /** The number of the call whose INVITE has this Call-ID; empty: none that was planned. */
  static OptionalInt numberOf(CallId id) {
    Matcher named = NAMED.matcher(id.value());
    return named.lookingAt()
        ? OptionalInt.of(Integer.parseInt(named.group(1)))
        : OptionalInt.empty();
  }

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
