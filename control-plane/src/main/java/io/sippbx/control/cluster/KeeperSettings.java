package io.sippbx.control.cluster;

import io.sippbx.control.store.PartitionStore;
import java.time.Duration;

/**
 * How often a keeper looks, and how much it does at once. Rates and numbers are of the whole node.
 *
 * @param turn between two turns
 * @param timersEvery between two questions for due timers of one partition
 * @param timerBatch timers of one answer at most
 * @param timersPerSecond claimed at most
 * @param takeOverBatch calls of one answer at most
 * @param takeOversPerSecond calls handed out at most
 * @param takeOversAtOnce calls handed out and not done with
 * @param takeOverTimeout after which a call that was handed out counts as failed
 * @param again until a dead member's calls of a partition are looked for again
 * @param deadAtOnce dead members whose calls are taken over at once; the others wait
 */
public record KeeperSettings(
    Duration turn,
    Duration timersEvery,
    int timerBatch,
    int timersPerSecond,
    int takeOverBatch,
    int takeOversPerSecond,
    int takeOversAtOnce,
    Duration takeOverTimeout,
    Duration again,
    int deadAtOnce) {

  /** Timers within half a second; a dead node's calls at a thousand a second. */
  public static final KeeperSettings DEFAULT =
      new KeeperSettings(
          Duration.ofMillis(50),
          Duration.ofMillis(500),
          100,
          2_000,
          50,
          1_000,
          500,
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          8);

  /** Refuses what would do nothing, or more than the store answers. */
  public KeeperSettings {
    if (!turn.isPositive()
        || !timersEvery.isPositive()
        || !takeOverTimeout.isPositive()
        || !again.isPositive()) {
      throw new IllegalArgumentException(
          "Expected positive durations, but got turn="
              + turn
              + " timersEvery="
              + timersEvery
              + " takeOverTimeout="
              + takeOverTimeout
              + " again="
              + again);
    }
    refuseOutside("timerBatch", timerBatch, PartitionStore.MAX_BATCH);
    refuseOutside("takeOverBatch", takeOverBatch, PartitionStore.MAX_BATCH);
    refuseOutside("timersPerSecond", timersPerSecond, Allowance.MAX_PER_SECOND);
    refuseOutside("takeOversPerSecond", takeOversPerSecond, Allowance.MAX_PER_SECOND);
    refuseOutside("takeOversAtOnce", takeOversAtOnce, Allowance.MAX_PER_SECOND);
    refuseOutside("deadAtOnce", deadAtOnce, ClusterStore.MAX_MEMBERS);
  }

  private static void refuseOutside(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          "Expected " + name + " of 1 to " + most + ", but got " + value);
    }
  }
}
