package io.sippbx.control.call;

import java.time.Duration;

/**
 * Limits of the runtime.
 *
 * @param mailboxInputs inputs that may wait for one call; at least 1
 * @param commitAttempts how often one commit is sent before its input is put off; at least 1
 * @param commitRetry pause between two attempts
 * @param patience how long a request waits for a store or a lease that is away before it is refused
 * @param heldMessages messages of one loop that wait until their call's owner can be given them
 * @param heldFor how long each of them may wait: longer than it takes until an owner may be claimed
 * @param quietCalls calls of one loop that nobody owns and that stay in memory for a while
 * @param endedCalls tombstones of one loop that stay in memory: repeats for others cost a read
 * @param unhurried of what is in no hurry (BYEs, commits that nobody waits for) so much of one loop
 *     is done at once, and does not wait for the next beat; 1: none of it waits
 */
public record CallLimits(
    int mailboxInputs,
    int commitAttempts,
    Duration commitRetry,
    Duration patience,
    int heldMessages,
    Duration heldFor,
    int quietCalls,
    int endedCalls,
    int unhurried) {

  /**
   * 256 inputs; 5 attempts, 100 ms apart: with the first that is law 2's 500 ms; 1,000 messages for
   * 10 s; 1,000 quiet calls; 20,000 ended ones, 42 s of 470 calls/s at some 6 kB each; 8 of what is
   * in no hurry.
   */
  public static final CallLimits DEFAULT = of(256, 5, Duration.ofMillis(100));

  /** Refuses limits below 1. */
  public CallLimits {
    if (mailboxInputs < 1
        || commitAttempts < 1
        || heldMessages < 1
        || quietCalls < 1
        || endedCalls < 1
        || unhurried < 1) {
      throw new IllegalArgumentException(
          "Expected limits of 1 or more, but got "
              + mailboxInputs
              + " inputs, "
              + commitAttempts
              + " attempts, "
              + heldMessages
              + " messages, "
              + quietCalls
              + " quiet calls, "
              + endedCalls
              + " ended calls and "
              + unhurried
              + " of what is in no hurry");
    }
    if (!patience.isPositive() || !heldFor.isPositive()) {
      throw new IllegalArgumentException(
          "Expected positive times to wait, but got " + patience + " and " + heldFor);
    }
  }

  /** The same with other figures for a mailbox. */
  public static CallLimits of(int mailboxInputs, int commitAttempts, Duration commitRetry) {
    return new CallLimits(
        mailboxInputs,
        commitAttempts,
        commitRetry,
        Duration.ofSeconds(2),
        1_000,
        Duration.ofSeconds(10),
        1_000,
        20_000,
        8);
  }
}
