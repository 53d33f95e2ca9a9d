package io.sippbx.control.cluster;

import java.time.Duration;

/**
 * How often a keeper looks after media nodes, and how much it does at once.
 *
 * @param turn between two looks at the nodes
 * @param batch calls of one answer at most
 * @param movesPerSecond calls that all control nodes together tell to leave a media node: each
 *     takes the share of the partitions that it keeps
 * @param restoresPerSecond calls that this node tells to come back to a media node: phones hear
 *     nothing of it
 * @param again until the calls of a node that is lost or drained are looked for once more
 * @param restoreWithin for how long the last ones told are waited for until a node takes new calls
 * @param compareEvery between two comparisons of what a node holds and what the records say
 */
public record MediaRoundsSettings(
    Duration turn,
    int batch,
    int movesPerSecond,
    int restoresPerSecond,
    Duration again,
    Duration restoreWithin,
    Duration compareEvery) {

  /** Five hundred calls a second. */
  public static final MediaRoundsSettings DEFAULT =
      new MediaRoundsSettings(
          Duration.ofMillis(50),
          50,
          500,
          2_000,
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          Duration.ofSeconds(10));

  /** Refuses what would do nothing. */
  public MediaRoundsSettings {
    if (!turn.isPositive()
        || !again.isPositive()
        || !restoreWithin.isPositive()
        || !compareEvery.isPositive()
        || batch < 1
        || batch > 1_000
        || movesPerSecond < 1
        || movesPerSecond > Allowance.MAX_PER_SECOND
        || restoresPerSecond < 1
        || restoresPerSecond > Allowance.MAX_PER_SECOND) {
      throw new IllegalArgumentException(
          "Expected positive times, a batch of 1 to 1000 and rates of 1 to "
              + Allowance.MAX_PER_SECOND
              + ", but got turn="
              + turn
              + " batch="
              + batch
              + " movesPerSecond="
              + movesPerSecond
              + " restoresPerSecond="
              + restoresPerSecond
              + " again="
              + again
              + " restoreWithin="
              + restoreWithin
              + " compareEvery="
              + compareEvery);
    }
  }

  /** The same with another rate of moves. */
  public MediaRoundsSettings withMovesPerSecond(int other) {
    return new MediaRoundsSettings(
        turn, batch, other, restoresPerSecond, again, restoreWithin, compareEvery);
  }
}
