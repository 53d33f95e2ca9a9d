package io.sippbx.control.event;

import io.sippbx.shared.identity.NodeId;
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

  /**
   * A provisional response with a session description was relayed, for the first time.
   *
   * @param status 101 to 199
   */
  record EarlyMedia(int status) implements CallHappening {}

  /** Another media node holds the session now. */
  record Reanchored(NodeId from, NodeId to) implements CallHappening {}

  /**
   * What was counted of the media of the call so far, all nodes together.
   *
   * @param mediaNode that gave the session up and said what it has counted
   */
  record Quality(NodeId mediaNode, MediaTotals media) implements CallHappening {}

  /** One side put the other on hold. */
  record Held(boolean byCaller) implements CallHappening {}

  /** One side took the other off hold. */
  record Resumed(boolean byCaller) implements CallHappening {}

  /**
   * The whole record of a call that is over.
   *
   * @param progressAt when the callee was first heard of
   * @param firstNode the control node that took the INVITE
   * @param knownUp until when it was known to be up, where a node that had it was gone
   */
  record Ended(
      Party caller,
      Party callee,
      Instant startedAt,
      Optional<Instant> answeredAt,
      Instant endedAt,
      Termination termination,
      String codec,
      String mediaNode,
      Optional<MediaTotals> media,
      Optional<Instant> progressAt,
      String firstNode,
      Optional<Instant> knownUp)
      implements CallHappening {}

  /**
   * What each side sent through the relay, all streams together.
   *
   * @param callerLost cumulative loss, RFC 3550 A.3; may be negative with duplicates
   * @param calleeLost cumulative loss, RFC 3550 A.3; may be negative with duplicates
   * @param callerJitterUs interarrival jitter of the first audio stream, RFC 3550 A.8; 0: not known
   * @param calleeJitterUs interarrival jitter of the first audio stream, RFC 3550 A.8; 0: not known
   */
  record MediaTotals(
      long callerPackets,
      long callerBytes,
      long callerLost,
      long calleePackets,
      long calleeBytes,
      long calleeLost,
      long callerJitterUs,
      long calleeJitterUs) {

    /** Whether nothing came from anybody. */
    public boolean isEmpty() {
      return callerPackets == 0 && calleePackets == 0;
    }

    /** What both have counted, for a call that was on two nodes; of jitter the greater. */
    public MediaTotals plus(MediaTotals other) {
      return new MediaTotals(
          callerPackets + other.callerPackets,
          callerBytes + other.callerBytes,
          callerLost + other.callerLost,
          calleePackets + other.calleePackets,
          calleeBytes + other.calleeBytes,
          calleeLost + other.calleeLost,
          Math.max(callerJitterUs, other.callerJitterUs),
          Math.max(calleeJitterUs, other.calleeJitterUs));
    }
  }
}
