package io.sippbx.control.event;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;

/**
 * Who is to have every committed event at least once, and knows those that come again by their ids.
 */
public interface EventConsumer {

  /**
   * Takes an event, in the order of the partition that it is from. Called on a loop: returns at
   * once.
   *
   * @param done to be run, once, on any thread and inline too, when the event need not be kept any
   *     longer; never run: it is given again after the next start
   * @return false if it has no room now: the event and those after it come again later
   */
  boolean take(CallEvent event, Runnable done);

  /** As {@link #take(CallEvent, Runnable)}. */
  boolean take(RegistrationEvent event, Runnable done);
}
