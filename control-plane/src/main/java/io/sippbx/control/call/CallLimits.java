package io.sippbx.control.call;

import java.time.Duration;

/**
 * Limits of the runtime.
 *
 * @param mailboxInputs inputs that may wait for one call; at least 1
 * @param commitAttempts how often one commit is sent; at least 1
 * @param commitRetry pause between two attempts
 */
public record CallLimits(int mailboxInputs, int commitAttempts, Duration commitRetry) {

  /** 256 inputs; 5 attempts, 100 ms apart: with the first that is law 2's 500 ms. */
  public static final CallLimits DEFAULT = new CallLimits(256, 5, Duration.ofMillis(100));

  /** Refuses limits below 1. */
  public CallLimits {
    if (mailboxInputs < 1 || commitAttempts < 1) {
      throw new IllegalArgumentException(
          "Expected limits of 1 or more, but got "
              + mailboxInputs
              + " inputs and "
              + commitAttempts
              + " attempts");
    }
  }
}
