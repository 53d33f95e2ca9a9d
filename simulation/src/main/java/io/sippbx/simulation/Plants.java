package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.LimitStore;
import java.util.function.BiFunction;
import java.util.function.IntUnaryOperator;

/**
 * What stands between a node and its world: nothing, but in the tests that plant a bug there to see
 * that an invariant notices.
 *
 * @param transports given the node's name and its transport
 * @param stores given the node's name and its store
 * @param limits given the node's name and its way to the leases of limits
 * @param media given the node's name and its media plane
 * @param consumers given the node's name and who takes its events
 * @param outboxes given the limit of an outbox
 */
record Plants(
    BiFunction<String, SipTransport, SipTransport> transports,
    BiFunction<String, CallStore<Call>, CallStore<Call>> stores,
    BiFunction<String, LimitStore, LimitStore> limits,
    BiFunction<String, MediaPlane, MediaPlane> media,
    BiFunction<String, EventConsumer, EventConsumer> consumers,
    IntUnaryOperator outboxes) {

  static final Plants NONE =
      new Plants(
          (node, real) -> real,
          (node, real) -> real,
          (node, real) -> real,
          (node, real) -> real,
          (node, real) -> real,
          IntUnaryOperator.identity());

  static Plants inTransport(BiFunction<String, SipTransport, SipTransport> transports) {
    return new Plants(
        transports, NONE.stores, NONE.limits, NONE.media, NONE.consumers, NONE.outboxes);
  }

  static Plants inStore(BiFunction<String, CallStore<Call>, CallStore<Call>> stores) {
    return new Plants(
        NONE.transports, stores, NONE.limits, NONE.media, NONE.consumers, NONE.outboxes);
  }

  static Plants inLimits(BiFunction<String, LimitStore, LimitStore> limits) {
    return new Plants(
        NONE.transports, NONE.stores, limits, NONE.media, NONE.consumers, NONE.outboxes);
  }

  static Plants inMedia(BiFunction<String, MediaPlane, MediaPlane> media) {
    return new Plants(
        NONE.transports, NONE.stores, NONE.limits, media, NONE.consumers, NONE.outboxes);
  }

  static Plants inPublishing(BiFunction<String, EventConsumer, EventConsumer> consumers) {
    return new Plants(
        NONE.transports, NONE.stores, NONE.limits, NONE.media, consumers, NONE.outboxes);
  }

  static Plants inOutboxes(IntUnaryOperator outboxes) {
    return new Plants(
        NONE.transports, NONE.stores, NONE.limits, NONE.media, NONE.consumers, outboxes);
  }
}
