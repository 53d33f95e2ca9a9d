package io.sippbx.control.call;

import java.util.Comparator;

/**
 * The name of a timer of a call. Timers are part of the call's state; one that the call does not
 * hold any more is ignored when it fires.
 *
 * @param ordinal tells timers of one kind apart: a leg, an exchange; else 0
 */
public record TimerId(Kind kind, int ordinal) implements Comparable<TimerId> {

  private static final Comparator<TimerId> ORDER =
      Comparator.comparing(TimerId::kind).thenComparingInt(TimerId::ordinal);

  /** What a timer is for. */
  public enum Kind {
    /** Nobody answered. */
    NO_ANSWER,
    /** The caller has heard nothing for a minute (RFC 3261 13.3.1.1). */
    PROGRESS,
    /** A cancelled callee sent no final response in 64*T1. */
    CANCEL,
    /** The answer to the caller's INVITE was not acknowledged in 64*T1. */
    ACK,
    /** A re-INVITE that was passed on has no final response. */
    REINVITE,
    /** The answer to a re-INVITE was not acknowledged in 64*T1. */
    REINVITE_ACK,
    /** The media node did not answer: it is told again. */
    MEDIA,
    /** No media node has room for a session that must move: looked for again, so many times. */
    MOVE,
    /** A leg is told again where the media is, or has not answered when it was. */
    RENEWAL,
    /** sip.max_call_duration. */
    MAX_DURATION,
    /** The lease of the cluster's limit is to be renewed. */
    LEASE,
    /** What peers acknowledged since the last commit is written down. */
    SETTLE,
    /** The record of an ended call may go. */
    TOMBSTONE
  }

  /** A timer of which a call has one. */
  public static TimerId of(Kind kind) {
    return new TimerId(kind, 0);
  }

  /** As it stands in the store: {@code NO_ANSWER.0}. */
  public String name() {
    return kind + "." + ordinal;
  }

  /**
   * The timer of this name.
   *
   * @throws IllegalArgumentException if it is none's
   */
  public static TimerId named(String name) {
    int dot = name.lastIndexOf('.');
    return new TimerId(
        Kind.valueOf(name.substring(0, Math.max(dot, 0))),
        Integer.parseInt(name.substring(dot + 1)));
  }

  @Override
  public int compareTo(TimerId other) {
    return ORDER.compare(this, other);
  }
}
