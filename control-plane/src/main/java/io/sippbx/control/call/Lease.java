package io.sippbx.control.call;

import java.time.Duration;

/**
 * Whether a call holds a lease of the cluster's limit. It is taken before the call begins; the
 * record says until when it is to be given back, so that whoever has the call gives it back.
 *
 * <p>It ends by itself: early while the call is young, as a node may die between taking it and the
 * call's first commit, and late once it has been renewed, so that a long call is seldom disturbed.
 */
public enum Lease {
  /** None: there is no limit, or it was given back. */
  NONE,
  /** Until the call's end; renewed by a timer. */
  HELD,
  /** The call has ended and has asked for it to be given back. */
  ASKED;

  /** How long it lasts as it is taken. */
  public static final Duration FIRST = Duration.ofMinutes(5);

  /** How long it lasts once it is renewed. */
  public static final Duration RENEWED = Duration.ofHours(4);
}
