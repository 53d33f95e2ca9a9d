package io.sippbx.control.call;

import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;

/**
 * What decisions depend on besides the call and the input.
 *
 * @param noAnswer how long callees may ring
 * @param maxDuration how long an answered call may last; zero: for ever
 * @param followRedirects whether a 3xx is followed (once); else it is passed to the caller
 * @param maxTargets INVITEs of one call, redirects among them; at least 1
 * @param mediaTimeout silence after which a call is ended; zero: never
 * @param codecPriority encoding names in lower case, the most wanted first
 * @param serverName the Server and User-Agent value
 */
public record CallSettings(
    NodeId node,
    Incarnation incarnation,
    TimerSettings timers,
    Duration noAnswer,
    Duration maxDuration,
    boolean followRedirects,
    int maxTargets,
    Duration mediaTimeout,
    List<String> codecPriority,
    String serverName) {

  /** Copies {@code codecPriority}. */
  public CallSettings {
    codecPriority = List.copyOf(codecPriority);
    if (maxTargets < 1) {
      throw new IllegalArgumentException("Expected maxTargets of 1 or more, but got " + maxTargets);
    }
  }
}
