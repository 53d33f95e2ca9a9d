package io.sippbx.simulation;

import io.sippbx.control.event.Termination.Reason;
import java.time.Duration;
import java.util.List;

/** The ways in which a call may go, and how it ends where nothing is in its way. */
enum CallKind {
  CALLER_HANGS_UP(Answering.ANSWER, Reason.NORMAL),
  CALLEE_HANGS_UP(Answering.ANSWER_THEN_BYE, Reason.NORMAL),
  BOTH_HANG_UP(Answering.ANSWER_THEN_BYE, Reason.NORMAL),
  DELAYED_OFFER(Answering.ANSWER, Reason.NORMAL),
  EARLY_MEDIA(Answering.ANSWER_AFTER_EARLY_MEDIA, Reason.NORMAL),
  REINVITED(Answering.ANSWER, Reason.NORMAL),
  REINVITED_BY_BOTH(Answering.ANSWER, Reason.NORMAL),
  CANCELLED_AT_ONCE(Answering.ANSWER, Reason.CANCELLED),
  CANCELLED_SOMETIME(Answering.ANSWER, Reason.CANCELLED, Reason.NORMAL),
  BUSY(Answering.BUSY, Reason.BUSY),
  DECLINED(Answering.DECLINE, Reason.DECLINED),
  RINGS_LONG(Answering.ANSWER, Reason.NORMAL),
  FAIL_OVER(Answering.ANSWER, Reason.NORMAL),
  NO_ANSWER(Answering.RING_ON, Reason.NO_ANSWER),
  DEAD_CALLEE(Answering.SILENT, Reason.NO_ANSWER),
  NO_ACK(Answering.ANSWER, Reason.NO_ACK),
  MEDIA_TIMEOUT(Answering.ANSWER, Reason.MEDIA_TIMEOUT),
  NO_MEDIA(Answering.ANSWER, Reason.NO_MEDIA),
  NOT_REGISTERED(Answering.ANSWER, Reason.NOT_FOUND),
  NO_SESSION(Answering.ANSWER, Reason.NOT_ACCEPTABLE),
  REDIRECTED(Answering.REDIRECT, Reason.NORMAL),
  OVERLOADED(Answering.OVERLOADED, Reason.UNREACHABLE, Reason.REFUSED),
  FAILS(Answering.FAIL, Reason.REFUSED),
  FORKED(Answering.ANSWER_TWICE, Reason.NORMAL),
  DIALOG_LOST(Answering.ANSWER_AND_FORGET, Reason.DIALOG_LOST),
  BYE_WHILE_RINGING(Answering.RING_ON, Reason.CANCELLED, Reason.NORMAL),
  NOBODY_HANGS_UP(Answering.ANSWER, Reason.MAX_DURATION);

  /** What a called phone does. */
  enum Answering {
    ANSWER,
    ANSWER_AFTER_EARLY_MEDIA,
    BUSY,
    DECLINE,
    RING_ON,
    SILENT,
    ANSWER_THEN_BYE,
    /** Sends on to a phone that answers. */
    REDIRECT,
    OVERLOADED,
    FAIL,
    /** Rings and answers as two, as a proxy that forks lets it be heard. */
    ANSWER_TWICE,
    /** Answers, and knows nothing of it when it is asked again. */
    ANSWER_AND_FORGET
  }

  /** How long a callee rings before nobody is taken to be there. */
  static final Duration NO_ANSWER_AFTER = Duration.ofSeconds(60);

  /** How long a call may last. */
  static final Duration MAX_DURATION = Duration.ofSeconds(100);

  private final Answering answering;

  @SuppressWarnings("ImmutableEnumChecker") // made by List.of
  private final List<Reason> ends;

  CallKind(Answering answering, Reason... ends) {
    this.answering = answering;
    this.ends = List.of(ends);
  }

  Answering answering() {
    return answering;
  }

  /** How it may end where nothing fails. */
  List<Reason> ends() {
    return ends;
  }

  /** Whether both phones do what RFC 3261 asks of them, and each wants the call to stand. */
  boolean isUpheld() {
    return switch (this) {
      case NO_ACK, MEDIA_TIMEOUT, NO_MEDIA, DIALOG_LOST, NOBODY_HANGS_UP, FORKED -> false;
      default -> ends.contains(Reason.NORMAL);
    };
  }

  /** The user that is dialled. */
  String dials(int callee) {
    return switch (this) {
      case FAIL_OVER -> "far" + callee;
      case NOT_REGISTERED -> "nobody";
      default -> "callee" + callee;
    };
  }

  /** How long the callee lets it ring, of those who answer. */
  Duration rings(int drawMs) {
    return this == RINGS_LONG
        ? NO_ANSWER_AFTER.minusSeconds(10)
        : Duration.ofMillis(30 + drawMs % 2_000);
  }
}
