package io.sippbx.control.mesh;

import java.time.Duration;

/**
 * Times and limits of the mesh.
 *
 * @param keepAlive between two signs of life
 * @param silence after which a peer is taken for gone
 * @param proofTime from the opening of a stream until both have proved who they are
 * @param answerTime of what a peer is asked
 * @param firstBackoff before a peer is dialled again; doubles with each failure
 * @param mostBackoff between two attempts
 * @param queued messages that wait for one peer to take them
 * @param queuedBytes of these
 * @param unanswered requests to one peer that wait for their answer
 * @param peers that may be connected at once
 * @param unproved streams that have not proved yet who they are
 */
public record MeshSettings(
    Duration keepAlive,
    Duration silence,
    Duration proofTime,
    Duration answerTime,
    Duration firstBackoff,
    Duration mostBackoff,
    int queued,
    long queuedBytes,
    int unanswered,
    int peers,
    int unproved) {

  /** The times of the design; limits for ten thousand messages a second and peer. */
  public static final MeshSettings DEFAULT =
      new MeshSettings(
          Duration.ofMillis(250),
          Duration.ofMillis(750),
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          Duration.ofMillis(100),
          Duration.ofSeconds(2),
          10_000,
          16L << 20,
          20_000,
          256,
          64);

  /** Refuses what could not work. */
  public MeshSettings {
    positive(keepAlive, "keepAlive");
    positive(proofTime, "proofTime");
    positive(answerTime, "answerTime");
    positive(firstBackoff, "firstBackoff");
    if (silence.compareTo(keepAlive.multipliedBy(2)) <= 0) {
      throw new IllegalArgumentException(
          "Expected a silence longer than two signs of life, but got " + silence);
    }
    if (mostBackoff.compareTo(firstBackoff) < 0) {
      throw new IllegalArgumentException(
          "Expected mostBackoff of firstBackoff or more, but got " + mostBackoff);
    }
    if (Math.min(Math.min(queued, unanswered), Math.min(peers, unproved)) < 1 || queuedBytes < 1) {
      throw new IllegalArgumentException("Expected limits of 1 or more, but got less");
    }
  }

  /** The same with other limits of what waits for one peer. */
  public MeshSettings withQueue(int messages, long bytes, int requests) {
    return new MeshSettings(
        keepAlive,
        silence,
        proofTime,
        answerTime,
        firstBackoff,
        mostBackoff,
        messages,
        bytes,
        requests,
        peers,
        unproved);
  }

  private static void positive(Duration value, String name) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException("Expected a positive " + name + ", but got " + value);
    }
  }
}
