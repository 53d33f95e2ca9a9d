package io.sippbx.simulation;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipResponse;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Callers that were refused while nothing could be written, by a start of a node that is no more:
 * nobody is left who knows of it, and the call goes on from its record.
 */
final class Refusals {

  private final Predicate<String> runs;

  /** Calls whose end no commit tells, each with who has refused its caller. */
  private final Map<Integer, String> unwritten = new TreeMap<>();

  private final Set<Integer> written = new TreeSet<>();

  /**
   * @param runs whether a start of a node lives, be it that it stands still
   */
  Refusals(Predicate<String> runs) {
    this.runs = runs;
  }

  /** The number of the planned call whose INVITE this response refuses. */
  static OptionalInt refused(SipMessage message) {
    return message instanceof SipResponse response
            && response.status() >= 300
            && response.cSeq().method().equals(Method.INVITE)
            && response.cSeq().number() == 1
        ? PlannedCall.numberOf(response.callId())
        : OptionalInt.empty();
  }

  /** A start of a node sends something. */
  void sent(String by, SipMessage message) {
    refused(message)
        .ifPresent(
            call -> {
              if (!written.contains(call)) {
                unwritten.putIfAbsent(call, by);
              }
            });
  }

  /** A commit stands that says that the call has ended. */
  void ended(int call) {
    written.add(call);
    if (!isLost(call)) {
      unwritten.remove(call);
    }
  }

  /** Whether nobody knows that the caller of this call was refused. */
  boolean isLost(int call) {
    String by = unwritten.get(call);
    return by != null && !runs.test(by);
  }
}
