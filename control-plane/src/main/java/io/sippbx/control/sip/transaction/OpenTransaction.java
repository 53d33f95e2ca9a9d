package io.sippbx.control.sip.transaction;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transport.SendFailure;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A transaction in the layer's table: a machine's state, the messages that it sends again, and its
 * timers. On the layer's loop only.
 */
abstract sealed class OpenTransaction permits OpenClient, OpenServer {

  final TransactionLayer layer;
  final Counters.Kind kind;

  /** By ordinal of the machine's timer. */
  private final Loop.@Nullable Timer[] timers;

  /** Asked before anything is sent that is no answer. */
  SendPermit permit = SendPermit.ALWAYS;

  private Loop.@Nullable Timer lastResort;
  private boolean ended;

  OpenTransaction(TransactionLayer layer, Counters.Kind kind, int timerNames) {
    this.layer = layer;
    this.kind = kind;
    this.timers = new Loop.@Nullable Timer[timerNames];
  }

  /** A timer of the machine ran out. */
  abstract void timerFired(int timer);

  /** What was sent last was not. */
  abstract void transportFailed(SendFailure failure);

  /** No timer of the machine runs, and nothing has happened for too long. */
  abstract void waitedTooLong();

  /** The transaction user wants to hear nothing more. */
  abstract void forget();

  final void startTimer(int timer, Duration after) {
    stopTimer(timer);
    timers[timer] =
        layer
            .loop()
            .schedule(
                after,
                () -> {
                  if (!ended) {
                    timers[timer] = null;
                    timerFired(timer);
                  }
                });
  }

  final void stopTimer(int timer) {
    Loop.Timer running = timers[timer];
    if (running != null) {
      running.cancel();
      timers[timer] = null;
    }
  }

  /** To be called before the actions of a step into Terminated. */
  final void end() {
    if (ended) {
      return;
    }
    ended = true;
    for (int timer = 0; timer < timers.length; timer++) {
      stopTimer(timer);
    }
    stopLastResort();
    layer.remove(this);
  }

  /** To be called after the actions of any other step: no wait is without an end. */
  final void boundTheWait() {
    if (ended) {
      return;
    }
    if (anyTimerRuns()) {
      stopLastResort();
    } else if (lastResort == null) {
      lastResort =
          layer
              .loop()
              .schedule(
                  layer.limits().longestWait(),
                  () -> {
                    lastResort = null;
                    if (!ended) {
                      layer.count(Counters.Counter.TIMEOUTS);
                      waitedTooLong();
                    }
                  });
    }
  }

  private boolean anyTimerRuns() {
    for (Loop.Timer timer : timers) {
      if (timer != null) {
        return true;
      }
    }
    return false;
  }

  private void stopLastResort() {
    if (lastResort != null) {
      lastResort.cancel();
      lastResort = null;
    }
  }
}
