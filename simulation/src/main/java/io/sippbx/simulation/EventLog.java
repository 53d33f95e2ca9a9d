package io.sippbx.simulation;

import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Where events are to arrive, as Kafka does it for its producers: what has arrived is kept and
 * acknowledged. It may be away or slow, and acknowledgements may be lost: then the same comes
 * again.
 */
final class EventLog {

  /** Sees each event as it arrives. */
  interface Observer {
    void arrived(String by, OutboxEvent event);
  }

  /** When a node is killed that is about to publish something. */
  enum Moment {
    /** It has an event in its hands that it has not sent. */
    BEFORE_SENDING,
    /** What it has sent has arrived, and it does not know that. */
    BEFORE_ACKNOWLEDGING
  }

  /** Events that a node has in its hands at most; the others wait in the outboxes. */
  static final int MAX_IN_HAND = 20;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LAST_PAUSE = Duration.ofSeconds(5);

  /** What has no answer by then is sent again. */
  private static final Duration TIME_OUT = Duration.ofSeconds(1);

  private final VirtualLoop loop;
  private final RandomGenerator random;
  private final Trace trace;
  private final Observer observer;
  private boolean away;
  private boolean losesAcknowledgements;
  private int slowMs;

  EventLog(VirtualLoop loop, RandomGenerator random, Trace trace, Observer observer) {
    this.loop = loop;
    this.random = random;
    this.trace = trace;
    this.observer = observer;
  }

  /** Takes nothing, or does again. */
  void away(boolean isAway) {
    away = isAway;
  }

  /** Takes up to this long for an event; 0: as ever. */
  void slow(int longestMs) {
    slowMs = longestMs;
  }

  /** Loses half of the acknowledgements, or none any more. */
  void losesAcknowledgements(boolean loses) {
    losesAcknowledgements = loses;
  }

  private Duration delay() {
    return Duration.ofNanos(200_000L + random.nextInt(Math.max(2, slowMs) * 1_000) * 1_000L);
  }

  /**
   * The way of one start of a node to the log: bounded, with growing pauses while nothing arrives,
   * as the product's publisher has it. Lives on the loop that stands for the publisher's thread.
   */
  final class Client implements EventConsumer {
    private final String name;
    private final VirtualLoop thread;
    private boolean cut;
    private int inHand;
    private int failedInRow;
    private boolean gone;
    private Moment fatal = Moment.BEFORE_SENDING;
    private Runnable kill = () -> {};
    private boolean doomed;

    /**
     * @param name of who publishes, for the trace
     * @param thread of its own in the node
     */
    Client(String name, VirtualLoop thread) {
      this.name = name;
      this.thread = thread;
    }

    /** Does not reach the log, or does again. */
    void cut(boolean off) {
      cut = off;
    }

    /** Is killed the next time that it is there. */
    void killAt(Moment when, Runnable how) {
      fatal = when;
      kill = how;
      doomed = true;
    }

    /** Is not to be killed after all. */
    void spare() {
      doomed = false;
    }

    @Override
    public boolean take(CallEvent event, Runnable done) {
      return take(new OutboxEvent.OfCall(event), done);
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      return take(new OutboxEvent.OfRegistration(event), done);
    }

    private boolean take(OutboxEvent event, Runnable done) {
      if (inHand >= MAX_IN_HAND) {
        return false;
      }
      inHand++;
      thread.execute(() -> send(event, done));
      return true;
    }

    private void send(OutboxEvent event, Runnable done) {
      die(Moment.BEFORE_SENDING);
      if (gone) {
        return;
      }
      var acknowledged = new boolean[1];
      if (!away && !cut) {
        loop.schedule(delay(), () -> arrive(event, done, acknowledged));
      }
      thread.schedule(
          TIME_OUT,
          () -> {
            if (!acknowledged[0]) {
              acknowledged[0] = true;
              failedInRow++;
              trace.note(name, () -> "has no acknowledgement of " + event.id());
              thread.schedule(pause(), () -> send(event, done));
            }
          });
    }

    private void arrive(OutboxEvent event, Runnable done, boolean[] acknowledged) {
      if (away || cut) {
        return;
      }
      trace.note(name, () -> "published " + event.id());
      observer.arrived(name, event);
      die(Moment.BEFORE_ACKNOWLEDGING);
      if (losesAcknowledgements && random.nextBoolean()) {
        return;
      }
      thread.schedule(
          delay(),
          () -> {
            if (!acknowledged[0]) {
              acknowledged[0] = true;
              failedInRow = 0;
              inHand--;
              done.run();
            }
          });
    }

    private void die(Moment when) {
      if (doomed && fatal == when) {
        doomed = false;
        gone = true;
        trace.note(name, "is to be killed " + when);
        kill.run();
      }
    }

    private Duration pause() {
      Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.clamp(failedInRow - 1, 0, 10));
      return pause.compareTo(LAST_PAUSE) < 0 ? pause : LAST_PAUSE;
    }
  }
}
