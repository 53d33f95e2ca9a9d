package io.sippbx.media.control;

import java.time.Duration;

/**
 * Times and limits of the service.
 *
 * @param statusEvery between two messages about the node's state
 * @param helloWithin a stream that says no Hello for so long is closed
 * @param stuckAfter a stream that takes nothing for so long is closed
 * @param maxStreams open streams, of all control nodes together
 * @param maxInFlight requests of one stream that are not answered yet; more are not read
 * @param maxQueued messages that wait for a stream to take them; above it the stream is closed
 * @param maxMessageBytes longest message that is read
 * @param maxPageBytes of sessions in one answer to List, about
 */
public record ControlSettings(
    Duration statusEvery,
    Duration helloWithin,
    Duration stuckAfter,
    int maxStreams,
    int maxInFlight,
    int maxQueued,
    int maxMessageBytes,
    int maxPageBytes) {

  /** Sessions of one answer to List. */
  public static final int MAX_PAGE = 1_000;

  /** Call keys of one Claim. */
  public static final int MAX_CLAIMS = 1_000;

  /** Control nodes that may bring sessions back; of more nobody is waited for. */
  public static final int MAX_CONTROL_NODES = 1_000;

  /** Refuses what could not work, naming it. */
  public ControlSettings {
    requirePositive("statusEvery", statusEvery.toNanos());
    requirePositive("helloWithin", helloWithin.toNanos());
    requirePositive("stuckAfter", stuckAfter.toNanos());
    requirePositive("maxStreams", maxStreams);
    requirePositive("maxInFlight", maxInFlight);
    requirePositive("maxQueued", maxQueued);
    requirePositive("maxMessageBytes", maxMessageBytes);
    requirePositive("maxPageBytes", maxPageBytes);
  }

  /** For tens of control nodes that set up some thousand calls a second together. */
  public static ControlSettings defaults() {
    return new ControlSettings(
        Duration.ofMillis(250),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        64,
        256,
        1_024,
        64 * 1_024,
        1_024 * 1_024);
  }

  private static void requirePositive(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException("Expected " + name + " above 0, but got " + value);
    }
  }
}
