package io.sippbx.control.sip.transaction;

import java.time.Duration;

/**
 * The base timers, from which all others follow.
 *
 * @param t1 estimate of the round-trip time; at least 1 ms
 * @param t2 longest interval between repeats of a non-INVITE request or of a response to INVITE; at
 *     least T1
 * @param t4 longest time that a message stays in the network
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#page-265">RFC 3261 Table 4</a>
 */
public record TimerSettings(Duration t1, Duration t2, Duration t4) {

  /** 500 ms, 4 s and 5 s. */
  public static final TimerSettings RFC_3261 =
      new TimerSettings(Duration.ofMillis(500), Duration.ofSeconds(4), Duration.ofSeconds(5));

  /** Refuses values that could not work. */
  public TimerSettings {
    if (t1.toMillis() < 1) {
      throw new IllegalArgumentException("Expected T1 of at least 1 ms, but got " + t1);
    }
    if (t2.compareTo(t1) < 0) {
      throw new IllegalArgumentException("Expected T2 not below T1 " + t1 + ", but got " + t2);
    }
    if (t4.isNegative()) {
      throw new IllegalArgumentException("Expected T4 not below zero, but got " + t4);
    }
  }

  /** 64*T1: after this long nobody waits for an answer any more. */
  public Duration patience() {
    return t1.multipliedBy(64);
  }

  /** 2*{@code interval}, but no more than T2. */
  Duration doubledUpToT2(Duration interval) {
    var doubled = interval.multipliedBy(2);
    return doubled.compareTo(t2) < 0 ? doubled : t2;
  }
}
