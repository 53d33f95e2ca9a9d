package io.sippbx.shared.operations;

import java.time.Duration;
import java.util.Optional;

/**
 * What the process answers about itself. Asked on any thread, at any time from the server's start
 * to its stop; answers at once, from numbers at hand.
 */
public interface StatsSource {

  /** Counts since the start of the process. */
  Stats stats();

  /** Whether the process takes new work. */
  Readiness readiness();

  /** Why the process should be started again, if it should: nothing that passes by itself. */
  default Optional<String> sickness() {
    return Optional.empty();
  }

  /**
   * Counts since the start of the process.
   *
   * @param totalCalls taken, active ones among them
   * @param failedCalls ended with an error
   * @param averageCallDuration of answered calls that have ended; zero when there is none
   * @param ports of the media port pools that this process sees
   */
  record Stats(
      long activeCalls,
      long totalCalls,
      long failedCalls,
      Duration averageCallDuration,
      long ports,
      long portsInUse,
      Duration uptime) {}

  /** Whether new work is taken. */
  sealed interface Readiness {
    /** It is. */
    record Ready() implements Readiness {}

    /**
     * It is not: still starting, draining, or something needed is away.
     *
     * @param reason for people, in a few words
     */
    record NotReady(String reason) implements Readiness {}
  }
}
