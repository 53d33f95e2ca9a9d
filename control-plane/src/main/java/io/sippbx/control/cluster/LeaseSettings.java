package io.sippbx.control.cluster;

import java.time.Duration;

/**
 * How long a node may go on after its last acknowledged heartbeat, and how long others wait.
 *
 * @param beat time between two heartbeats
 * @param lease from the moment at which an acknowledged heartbeat was sent
 * @param margin a node stops this much before its lease ends, and others wait this much longer: it
 *     covers what the clocks of two nodes may differ in speed and what lies in a socket's buffer
 * @param gap a node that has not looked for this long judges nobody for one lease
 */
public record LeaseSettings(Duration beat, Duration lease, Duration margin, Duration gap) {

  /** A heartbeat each half second, a lease of 3 s with a margin of half a second. */
  public static final LeaseSettings DEFAULT =
      new LeaseSettings(
          Duration.ofMillis(500),
          Duration.ofSeconds(3),
          Duration.ofMillis(500),
          Duration.ofMillis(1_500));

  /** Refuses what would leave no time to send, or would see a gap in every turn. */
  public LeaseSettings {
    if (beat.toNanos() < 1 || margin.isNegative() || gap.compareTo(beat) <= 0) {
      throw new IllegalArgumentException(
          "Expected a positive beat, a margin and a gap longer than the beat, but got "
              + beat
              + ", "
              + margin
              + ", "
              + gap);
    }
    if (lease.compareTo(margin.plus(beat.multipliedBy(2))) <= 0) {
      throw new IllegalArgumentException(
          "Expected a lease longer than the margin and two beats, but got " + lease);
    }
  }
}
