package io.sippbx.control.media;

import java.time.Duration;
import java.util.List;

/**
 * Which media nodes there are, and the times and limits of dealing with them.
 *
 * @param targets where they are to be found
 * @param requestTimeout how long an answer is waited for
 * @param suspectedAfter silence of a node after which it is given no new calls
 * @param lostAfter silence after which nothing is asked of it any more
 * @param streamDeadAfter silence after which the stream is given up and opened anew
 * @param witnessTime how long another control node's word is waited for once a node seems lost
 * @param blindAfterGap for how long nobody is said to be gone after this process could not listen
 * @param forgetAfter silence after which a node on which nothing is left is not known any more
 * @param resolveEvery between two look-ups of host names
 * @param firstBackoff before the first attempt to connect again; doubles with each failure
 * @param mostBackoff before any attempt
 * @param releaseLife how long a release that is not acknowledged is kept
 * @param maxNodes nodes at once
 * @param maxInFlight requests to one node that wait for an answer
 * @param maxReleases releases that are kept for one node after their time-out
 * @param maxKnown sessions of one node that are remembered, to tell when they are lost
 */
public record GrpcMediaPlaneSettings(
    List<MediaTarget> targets,
    Duration requestTimeout,
    Duration suspectedAfter,
    Duration lostAfter,
    Duration streamDeadAfter,
    Duration witnessTime,
    Duration blindAfterGap,
    Duration forgetAfter,
    Duration resolveEvery,
    Duration firstBackoff,
    Duration mostBackoff,
    Duration releaseLife,
    int maxNodes,
    int maxInFlight,
    int maxReleases,
    int maxKnown) {

  /** Copies {@code targets}; refuses what could not work, naming it. */
  public GrpcMediaPlaneSettings {
    targets = List.copyOf(targets);
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("Expected at least one media node, but got none");
    }
    requireAbove("requestTimeout", requestTimeout, Duration.ZERO);
    requireAbove("suspectedAfter", suspectedAfter, Duration.ZERO);
    requireAbove("lostAfter", lostAfter, suspectedAfter);
    requireAbove("streamDeadAfter", streamDeadAfter, lostAfter);
    requireAbove("witnessTime", witnessTime, Duration.ZERO);
    requireAbove("blindAfterGap", blindAfterGap, Duration.ZERO);
    requireAbove("forgetAfter", forgetAfter, lostAfter);
    requireAbove("resolveEvery", resolveEvery, Duration.ZERO);
    requireAbove("firstBackoff", firstBackoff, Duration.ZERO);
    requireAbove("mostBackoff", mostBackoff, Duration.ZERO);
    requireAbove("releaseLife", releaseLife, Duration.ZERO);
    requireAbove("maxNodes", maxNodes);
    requireAbove("maxInFlight", maxInFlight);
    requireAbove("maxReleases", maxReleases);
    requireAbove("maxKnown", maxKnown);
  }

  /** The times of DESIGN.md. */
  public static GrpcMediaPlaneSettings of(List<MediaTarget> targets) {
    return new GrpcMediaPlaneSettings(
        targets,
        Duration.ofSeconds(2),
        Duration.ofMillis(750),
        Duration.ofSeconds(1),
        Duration.ofSeconds(3),
        Duration.ofMillis(200),
        Duration.ofSeconds(3),
        Duration.ofSeconds(30),
        Duration.ofSeconds(10),
        Duration.ofMillis(100),
        Duration.ofSeconds(2),
        Duration.ofMinutes(10),
        256,
        1_024,
        10_000,
        50_000);
  }

  /** The same with other limits of requests that wait and releases that are kept. */
  public GrpcMediaPlaneSettings withLimits(int inFlight, int releases, int known) {
    return new GrpcMediaPlaneSettings(
        targets,
        requestTimeout,
        suspectedAfter,
        lostAfter,
        streamDeadAfter,
        witnessTime,
        blindAfterGap,
        forgetAfter,
        resolveEvery,
        firstBackoff,
        mostBackoff,
        releaseLife,
        maxNodes,
        inFlight,
        releases,
        known);
  }

  private static void requireAbove(String name, Duration value, Duration low) {
    if (value.compareTo(low) <= 0) {
      throw new IllegalArgumentException(
          "Expected " + name + " above " + low + ", but got " + value);
    }
  }

  private static void requireAbove(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("Expected " + name + " above 0, but got " + value);
    }
  }
}
