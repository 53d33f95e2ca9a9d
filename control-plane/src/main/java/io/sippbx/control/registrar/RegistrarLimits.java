package io.sippbx.control.registrar;

import java.time.Duration;

/**
 * Limits of the registrar at run time.
 *
 * @param maxPending requests of one loop that wait for the store; what comes on top gets 503
 * @param maxAttempts decisions about one request: each but the first because another writer was
 *     faster
 * @param maxSends of one commit whose outcome is unknown
 * @param retryAfter in a 503
 * @param flowWait how long a request within a dialog waits for a phone whose connection is gone
 */
public record RegistrarLimits(
    int maxPending, int maxAttempts, int maxSends, Duration retryAfter, Duration flowWait) {

  /** 10,000 pending, 8 attempts, each sent 3 times at most, 5 s. */
  public static final RegistrarLimits DEFAULT =
      new RegistrarLimits(10_000, 8, 3, Duration.ofSeconds(5), Duration.ofSeconds(10));

  /** Refuses what cannot work. */
  public RegistrarLimits {
    if (maxPending < 1 || maxAttempts < 1 || maxSends < 1) {
      throw new IllegalArgumentException(
          "Expected limits of 1 or more, but got "
              + maxPending
              + " pending, "
              + maxAttempts
              + " attempts, "
              + maxSends
              + " sends");
    }
    if (flowWait.isNegative()) {
      throw new IllegalArgumentException("Expected a wait of 0 or more, but got " + flowWait);
    }
    if (retryAfter.toSeconds() < 1) {
      throw new IllegalArgumentException(
          "Expected Retry-After of 1 s or more, but got " + retryAfter);
    }
  }

  /** The same with another time for phones to return. */
  public RegistrarLimits withFlowWait(Duration other) {
    return new RegistrarLimits(maxPending, maxAttempts, maxSends, retryAfter, other);
  }
}
