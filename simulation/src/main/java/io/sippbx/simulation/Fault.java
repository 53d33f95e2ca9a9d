package io.sippbx.simulation;

import java.time.Duration;

/**
 * Something that goes wrong, for a time.
 *
 * @param subject which node or phone, from 0, of those there are
 * @param other the other end where it is about two
 */
record Fault(Duration at, Duration lasts, Kind kind, int subject, int other) {

  /** What may go wrong. */
  enum Kind {
    /** SIGKILL; started again when it is over. */
    KILL_CONTROL,
    /** SIGKILL of all control nodes at once. */
    KILL_ALL_CONTROL,
    /** SIGSTOP, and SIGCONT when it is over. */
    PAUSE_CONTROL,
    PAUSE_ALL_CONTROL,
    /** SIGTERM; started again when it is over and the process has ended. */
    END_CONTROL,
    /** One control node and the others do not reach each other; each reaches all else. */
    CUT_MESH,
    /** Refuses every command at once. */
    STORE_AWAY,
    /** Takes commands and carries them out when it is over; nobody waits so long. */
    STORE_STALLED,
    STORE_SLOW,
    /** Commands are carried out and their answers lost. */
    STORE_LOSES_REPLIES,
    /** Goes back to what it held up to a second ago, and is away until it is over: a fail-over. */
    STORE_LOSES_WRITES,
    /** One node does not reach the store; what it had sent may have been carried out. */
    CUT_STORE,
    KILL_MEDIA,
    KILL_ALL_MEDIA,
    PAUSE_MEDIA,
    /** Takes no new sessions, and is to be left by those that it has; until it is over. */
    DRAIN_MEDIA,
    /** One control node and one media node do not reach each other. */
    CUT_MEDIA,
    /** A phone is not reached and reaches nobody. */
    CUT_PHONE,
    /** The whole network loses and repeats much more. */
    STORM,
    /** The log takes no events. */
    LOG_AWAY,
    LOG_SLOW,
    /** Events arrive in the log and their acknowledgements are lost. */
    LOG_LOSES_REPLIES,
    /** One control node does not reach the log. */
    CUT_LOG,
    /** The log is away, and there is room for a few events only until it is back. */
    OUTBOX_FULL,
    /** SIGKILL when the node has an event to send; started again when it is over. */
    KILL_BEFORE_SENDING,
    /** SIGKILL when its event has arrived in the log and is not acknowledged. */
    KILL_BEFORE_ACKNOWLEDGED;

    boolean isOfStore() {
      return switch (this) {
        case STORE_AWAY,
            STORE_STALLED,
            STORE_SLOW,
            STORE_LOSES_REPLIES,
            STORE_LOSES_WRITES,
            CUT_STORE ->
            true;
        default -> false;
      };
    }

    /** Whether control nodes stand still. */
    boolean isPause() {
      return this == PAUSE_CONTROL || this == PAUSE_ALL_CONTROL;
    }

    /** Whether a control node ends without a chance to write anything down. */
    boolean killsControl() {
      return switch (this) {
        case KILL_CONTROL, KILL_ALL_CONTROL, KILL_BEFORE_SENDING, KILL_BEFORE_ACKNOWLEDGED -> true;
        default -> false;
      };
    }

    /** Whether a media node starts again when it is over. */
    boolean killsMedia() {
      return this == KILL_MEDIA || this == KILL_ALL_MEDIA;
    }

    boolean isOfMedia() {
      return switch (this) {
        case KILL_MEDIA, KILL_ALL_MEDIA, PAUSE_MEDIA, DRAIN_MEDIA, CUT_MEDIA -> true;
        default -> false;
      };
    }
  }

  Duration ends() {
    return at.plus(lasts);
  }

  @Override
  public String toString() {
    return kind
        + " "
        + subject
        + "/"
        + other
        + " at "
        + at.toMillis()
        + " ms for "
        + lasts.toMillis()
        + " ms";
  }
}
