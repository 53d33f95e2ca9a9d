package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transaction.TimerSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Sends a 2xx to an INVITE again at T1, 2*T1, 4*T1 ... capped at T2, until it is stopped or 64*T1
 * have passed (RFC 3261 13.3.1.4). Its count is memory only: a node that takes the call over starts
 * anew from the record. Lives on the call's loop.
 */
final class SuccessRepeater {

  private final Loop loop;
  private final TimerSettings timers;
  private final Runnable send;
  private final long endNs;
  private Duration interval;
  private Loop.@Nullable Timer timer;

  private SuccessRepeater(Loop loop, TimerSettings timers, Runnable send) {
    this.loop = loop;
    this.timers = timers;
    this.send = send;
    this.interval = timers.t1();
    this.endNs = loop.nowNs() + timers.t1().multipliedBy(64).toNanos();
  }

  /** Sends now, and from now on. */
  static SuccessRepeater start(Loop loop, TimerSettings timers, Runnable send) {
    var repeater = new SuccessRepeater(loop, timers, send);
    send.run();
    repeater.arm();
    return repeater;
  }

  private void arm() {
    timer = loop.schedule(interval, this::fire);
  }

  private void fire() {
    timer = null;
    if (loop.nowNs() - endNs >= 0) {
      return;
    }
    send.run();
    Duration doubled = interval.multipliedBy(2);
    interval = doubled.compareTo(timers.t2()) < 0 ? doubled : timers.t2();
    arm();
  }

  void stop() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }
}
