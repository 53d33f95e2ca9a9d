package io.sippbx.app.demo;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * From the phones' loops to the script: what happened to whom, in order. Any thread.
 *
 * <p>When either phone is in trouble, whoever waits learns of it at once: the caller that is
 * refused is the reason why the callee does not ring.
 */
final class Conversation {

  // A call has about ten in all. Should a peer make more, the script is told so.
  private static final int MAX_WAITING = 64;

  private record Told(String phone, PhoneEvent event) {}

  private final Duration patience;
  private final Queue<Told> waiting = new ArrayDeque<>();

  /** With how long the script waits for an event. */
  Conversation(Duration patience) {
    this.patience = patience;
  }

  /** Tells of an event; never blocks. */
  synchronized void tell(String phone, PhoneEvent event) {
    if (waiting.size() >= MAX_WAITING) {
      waiting.clear();
      waiting.add(new Told(phone, new PhoneEvent.Trouble("was told of too much at once")));
    } else {
      waiting.add(new Told(phone, event));
    }
    notifyAll();
  }

  /**
   * Waits for an event of this kind at this phone. Ringing that was not waited for is passed over;
   * anything else that comes first was not expected.
   *
   * @param missing what is said if it does not come: "no 200 OK from bob came"
   */
  synchronized <E extends PhoneEvent> E await(String phone, Class<E> kind, String missing)
      throws DemoFailure, InterruptedException {
    long endNs = System.nanoTime() + patience.toNanos();
    while (true) {
      for (Iterator<Told> each = waiting.iterator(); each.hasNext(); ) {
        Told told = each.next();
        if (told.event() instanceof PhoneEvent.Trouble(String what)) {
          throw new DemoFailure(told.phone() + " " + what);
        }
        if (!told.phone().equals(phone)) {
          continue;
        }
        each.remove();
        if (kind.isInstance(told.event())) {
          return kind.cast(told.event());
        }
        if (!(told.event() instanceof PhoneEvent.Ringing)) {
          throw new DemoFailure(phone + ": " + missing + ", but " + told.event().text());
        }
      }
      long leftNs = endNs - System.nanoTime();
      if (leftNs <= 0) {
        throw new DemoFailure(
            phone + ": " + missing + " within " + patience.toMillis() / 1_000.0 + " s");
      }
      TimeUnit.NANOSECONDS.timedWait(this, leftNs);
    }
  }
}
