package io.sippbx.control.store.redis;

/**
 * Keeps commands from a server that does not answer: after so many failures in a row it opens;
 * while it is open probes are sent in place of commands, and the first that succeeds closes it. For
 * any thread.
 *
 * <pre>
 * Closed   -- failure, the last allowed --> Open     probe after the pause
 * Closed   -- failure -->                   Closed
 * Closed   -- success -->                   Closed   none has failed
 * Open     -- probe fails -->               Open     probe after the pause
 * Open     -- probe succeeds -->            Closed
 * </pre>
 *
 * An answer to a command that was sent before it opened changes nothing while it is open.
 */
final class Breaker {

  private final int maxFailures;
  private int failures;
  private boolean open;
  private long openings;

  Breaker(int maxFailures) {
    this.maxFailures = maxFailures;
  }

  /** Whether a command may be sent. */
  synchronized boolean allows() {
    return !open;
  }

  /** A command was answered. */
  synchronized void succeeded() {
    if (!open) {
      failures = 0;
    }
  }

  /**
   * A command failed.
   *
   * @return whether that opened it: a probe is to be sent after the pause
   */
  synchronized boolean failed() {
    if (open || ++failures < maxFailures) {
      return false;
    }
    open = true;
    openings++;
    return true;
  }

  /** A probe was answered: commands may be sent again. */
  synchronized void probed() {
    open = false;
    failures = 0;
  }

  /** How often it has opened. */
  synchronized long openings() {
    return openings;
  }
}
