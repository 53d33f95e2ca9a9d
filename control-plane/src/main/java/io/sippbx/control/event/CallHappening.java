package io.sippbx.control.event;

import java.time.Instant;
import java.util.Optional;

/** What a decision says to the world about a call, before it is numbered and encoded. */
public sealed interface CallHappening {

  /** An INVITE was taken. */
  record Started(Party caller, Party callee) implements CallHappening {}

  /**
   * A provisional response was relayed.
   *
   * @param status 180 to 199
   */
  record Ringing(int status) implements CallHappening {}

  /**
   * A 2xx was relayed.
   *
   * @param codec encoding name of the first audio format in lower case; empty without audio
   */
  record Answered(String codec) implements CallHappening {}

  /** One side put the other on hold. */
  record Held(boolean byCaller) implements CallHappening {}

  /** One side took the other off hold. */
  record Resumed(boolean byCaller) implements CallHappening {}

  /** The whole record of a call that is over. */
  record Ended(
      Party caller,
      Party callee,
      Instant startedAt,
      Optional<Instant> answeredAt,
      Instant endedAt,
      Termination termination,
      String codec,
      String mediaNode,
      Optional<MediaTotals> media)
      implements CallHappening {}

  /**
   * What each side sent through the relay, all streams together.
   *
   * @param callerLost cumulative loss, RFC 3550 A.3; may be negative with duplicates
   * @param calleeLost cumulative loss, RFC 3550 A.3; may be negative with duplicates
   */
  record MediaTotals(
      long callerPackets,
      long callerBytes,
      long callerLost,
      long calleePackets,
      long calleeBytes,
      long calleeLost) {

    /** What both have counted, for a call that was on two nodes. */
    public MediaTotals plus(MediaTotals other) {
      return new MediaTotals(
          callerPackets + other.callerPackets,
          callerBytes + other.callerBytes,
          callerLost + other.callerLost,
          calleePackets + other.calleePackets,
          calleeBytes + other.calleeBytes,
          calleeLost + other.calleeLost);
    }
  }
}
