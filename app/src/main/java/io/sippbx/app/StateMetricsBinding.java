package io.sippbx.app;

import io.sippbx.control.event.OutboxRelay;
import io.sippbx.control.store.RestoringCallStore;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.Metrics;

/** What a control node's stores do, as metrics. */
final class StateMetricsBinding {

  private StateMetricsBinding() {}

  static void bind(Metrics metrics, StateStore.Opened state, OutboxRelay events) {
    metrics.gauge(ControlMetric.OUTBOX_DEPTH, events::depth);
    metrics.counter(ControlMetric.OUTBOX_HANDED, events::handed);
    metrics.counter(ControlMetric.OUTBOX_SET_ASIDE, events::setAside);
    metrics.gauge(ControlMetric.OUTBOX_FULLEST, events::fullest);
    state.redis().ifPresent(redis -> bind(metrics, redis));
    state.stores().restoring().ifPresent(restoring -> bind(metrics, restoring));
  }

  private static void bind(Metrics metrics, RestoringCallStore<?> restoring) {
    metrics.counter(ControlMetric.STORE_WRITTEN_BACK, restoring::restored);
    metrics.gauge(ControlMetric.STORE_RECENT_CALLS, restoring::remembered);
    metrics.counter(ControlMetric.STORE_RECENT_FORGOTTEN, restoring::forgottenEarly);
  }

  private static void bind(Metrics metrics, RedisStore redis) {
    metrics.gauge(ControlMetric.REDIS_UP, () -> redis.stats().isGone() ? 0 : 1);
    metrics.counter(ControlMetric.REDIS_COMMANDS, () -> redis.stats().commands());
    metrics.gauge(ControlMetric.REDIS_PENDING, () -> redis.stats().pending());
    metrics.counter(ControlMetric.REDIS_FAILURES, () -> redis.stats().timeouts(), "no_answer");
    metrics.counter(ControlMetric.REDIS_FAILURES, () -> redis.stats().failures(), "error");
    metrics.counter(ControlMetric.REDIS_FAILURES, () -> redis.stats().refusals(), "not_sent");
    metrics.gauge(ControlMetric.REDIS_BREAKERS_OPEN, () -> redis.stats().openBreakers());
    metrics.counter(ControlMetric.REDIS_BREAKER_OPENINGS, () -> redis.stats().breakerOpenings());
    metrics.counter(ControlMetric.REDIS_CONNECTS, () -> redis.stats().connects());
    metrics.counter(ControlMetric.REDIS_CONNECT_FAILURES, () -> redis.stats().connectFailures());
    metrics.counter(ControlMetric.REDIS_NOT_REPLICATED, () -> redis.stats().notReplicated());
    metrics.counter(ControlMetric.REDIS_OTHER_SERVERS, () -> redis.stats().otherServers());
  }
}
