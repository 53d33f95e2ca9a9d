package io.sippbx.event;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;

/** Who is to have every event at least once, and knows those that come again. */
public interface EventTaker {

  /**
   * Takes an event; never waits.
   *
   * @param done to be run, once, on any thread and inline too, when the event need not come again
   * @return false if there is no room now: the same event is offered again later
   */
  boolean take(CallEvent event, Runnable done);

  /**
   * As {@link #take(CallEvent, Runnable)}. Who does not say otherwise has nothing to make of it,
   * and is done at once.
   */
  default boolean take(RegistrationEvent event, Runnable done) {
    done.run();
    return true;
  }

  /** Is shown an event with which it was done before it was started. */
  default void recall(CallEvent event) {}
}
