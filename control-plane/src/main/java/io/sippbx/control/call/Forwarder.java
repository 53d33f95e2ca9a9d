package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.time.Duration;

/**
 * Gives messages to the members that have their calls. What cannot be given now, or belongs to a
 * call whose record cannot be read, is held, bounded in number and time, and looked at again: by
 * then the owner has it, or may be claimed. Its repeats end in its transaction meanwhile. Lives on
 * its loop.
 */
final class Forwarder {

  /** Between two tries. */
  private static final Duration AGAIN = Duration.ofMillis(250);

  private final CallRuntime runtime;
  private final Loop loop;
  private int held;

  Forwarder(CallRuntime runtime) {
    this.runtime = runtime;
    this.loop = runtime.loop();
  }

  /** For a call that is another's. What is of this node's own making is dropped with it. */
  void give(CallKey call, Member owner, Waiting waiting) {
    Received received = waiting.received().orElse(null);
    if (received == null) {
      return;
    }
    if (received.hops() >= Mesh.MAX_HOPS) {
      runtime.counters().inCircles.increment();
      giveUp(waiting);
      return;
    }
    runtime
        .mesh()
        .deliver(
            owner,
            received.message(),
            received.flow(),
            received.hops(),
            delivery -> loop.execute(() -> told(call, waiting, delivery)));
  }

  private void told(CallKey call, Waiting waiting, Mesh.Delivery delivery) {
    switch (delivery) {
      case DELIVERED -> {
        runtime.counters().handedOver.increment();
        runtime.forget(waiting.input());
      }
      case FAILED -> hold(call, waiting);
    }
  }

  /**
   * Who may ask again is told to. BYE and CANCEL get no answer, for who is refused one takes it for
   * done, nor does a copy of the INVITE of a call that there is: they are repeated for 32 s, and
   * the next of them is a new one here.
   */
  private void giveUp(Waiting waiting) {
    if (waiting.onlyEnds() || waiting.isCopy()) {
      runtime.forget(waiting.input());
    } else {
      runtime.refuse(waiting.input(), 503);
    }
  }

  /** What was answered already is not repeated: it is held for as long as it would have been. */
  private Duration heldFor(Waiting waiting) {
    return waiting.isOwed() ? runtime.timers().t1().multipliedBy(64) : runtime.limits().heldFor();
  }

  /** Until it is known whose the call is, or its owner, or the store, can be reached. */
  void hold(CallKey call, Waiting waiting) {
    if (waiting.received().isEmpty()) {
      return;
    }
    long waitedNs = loop.nowNs() - waiting.sinceNs();
    if (held >= runtime.limits().heldMessages() || waitedNs >= heldFor(waiting).toNanos()) {
      runtime.counters().heldInVain.increment();
      giveUp(waiting);
      return;
    }
    held++;
    runtime.counters().held.increment();
    runtime.counters().waiting.increment();
    loop.schedule(
        AGAIN,
        () -> {
          held--;
          runtime.counters().waiting.decrement();
          runtime.offerOrRead(call, waiting);
        });
  }
}
