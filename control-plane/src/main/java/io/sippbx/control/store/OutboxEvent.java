package io.sippbx.control.store;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;

/** What lies in an outbox. */
public sealed interface OutboxEvent {

  /** The same for the same event, whenever it comes. */
  String id();

  /** Who committed it; empty where it does not say. */
  String node();

  /** What happened to a call. */
  record OfCall(CallEvent event) implements OutboxEvent {
    @Override
    public String id() {
      return event.getEventId();
    }

    @Override
    public String node() {
      return event.getNodeId();
    }
  }

  /** What happened to a registration. */
  record OfRegistration(RegistrationEvent event) implements OutboxEvent {
    @Override
    public String id() {
      return event.getEventId();
    }

    @Override
    public String node() {
      return event.getNodeId();
    }
  }
}
