package io.sippbx.media.session;

import java.time.Duration;

/**
 * Times and limits of the sessions of a node.
 *
 * @param unconfirmedExpiry life of a session that is not confirmed
 * @param tombstone how long a session that ended is remembered
 * @param maxTombstones above it the oldest is forgotten early
 * @param orphanTimeout silence after which a session that no connected control node claims is ended
 * @param restoring how long after the start only pinned ports are lent, or from the first request
 *     on where a control node connects within this time, six times as long in all at most; zero:
 *     not at all
 * @param maxSessions sessions at once
 * @param maxStreams streams of a session
 * @param maxWaiting requests that wait for one session's earlier ones
 * @param maxBindTries pairs that are tried for one Apply after others were found taken
 */
public record SessionSettings(
    Duration unconfirmedExpiry,
    Duration tombstone,
    int maxTombstones,
    Duration orphanTimeout,
    Duration restoring,
    int maxSessions,
    int maxStreams,
    int maxWaiting,
    int maxBindTries) {

  /** Refuses what could not work, naming it. */
  public SessionSettings {
    requirePositive("unconfirmedExpiry", unconfirmedExpiry);
    requirePositive("tombstone", tombstone);
    requirePositive("orphanTimeout", orphanTimeout);
    if (restoring.isNegative()) {
      throw new IllegalArgumentException("Expected restoring from 0, but got " + restoring);
    }
    requirePositive("maxTombstones", maxTombstones);
    requirePositive("maxSessions", maxSessions);
    requirePositive("maxStreams", maxStreams);
    requirePositive("maxWaiting", maxWaiting);
    requirePositive("maxBindTries", maxBindTries);
  }

  /** The times of DESIGN.md, and limits that a node of 10,000 calls does not meet. */
  public static SessionSettings defaults() {
    return new SessionSettings(
        Duration.ofSeconds(90),
        Duration.ofSeconds(60),
        32_768,
        Duration.ofHours(1),
        Duration.ofSeconds(5),
        10_000,
        16,
        16,
        8);
  }

  /** The same with another restoring time. */
  public SessionSettings withRestoring(Duration other) {
    return new SessionSettings(
        unconfirmedExpiry,
        tombstone,
        maxTombstones,
        orphanTimeout,
        other,
        maxSessions,
        maxStreams,
        maxWaiting,
        maxBindTries);
  }

  /** The same with another time-out of orphans. */
  public SessionSettings withOrphanTimeout(Duration other) {
    return new SessionSettings(
        unconfirmedExpiry,
        tombstone,
        maxTombstones,
        other,
        restoring,
        maxSessions,
        maxStreams,
        maxWaiting,
        maxBindTries);
  }

  /** The same with another limit of sessions. */
  public SessionSettings withMaxSessions(int other) {
    return new SessionSettings(
        unconfirmedExpiry,
        tombstone,
        maxTombstones,
        orphanTimeout,
        restoring,
        other,
        maxStreams,
        maxWaiting,
        maxBindTries);
  }

  private static void requirePositive(String name, Duration value) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException("Expected " + name + " above 0, but got " + value);
    }
  }

  private static void requirePositive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("Expected " + name + " above 0, but got " + value);
    }
  }
}
