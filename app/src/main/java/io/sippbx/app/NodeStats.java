package io.sippbx.app;

import io.sippbx.control.ControlPlane;
import io.sippbx.media.MediaNode;
import io.sippbx.media.port.PortLedger;
import io.sippbx.shared.operations.StatsSource;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What a process answers about itself. Any thread. */
final class NodeStats implements StatsSource {

  private static final PortLedger NO_PORTS = new PortLedger(0, 0, 0, 0);

  private final @Nullable ControlPlane control;
  private final @Nullable MediaNode media;
  private final @Nullable CallTelemetry calls;
  private final BooleanSupplier hasMedia;
  private final BooleanSupplier hasEvents;
  private final BooleanSupplier storeIsGone;
  private final LongSupplier nanoTime;
  private final long startedNs;

  /**
   * @param hasMedia whether a media node takes sessions now; asked only with a control plane
   * @param hasEvents whether events come to be consumed, where that is what the process is for
   * @param storeIsGone whether the state can neither be read nor written now; asked only with a
   *     control plane
   */
  NodeStats(
      @Nullable ControlPlane control,
      @Nullable MediaNode media,
      @Nullable CallTelemetry calls,
      BooleanSupplier hasMedia,
      BooleanSupplier hasEvents,
      BooleanSupplier storeIsGone,
      LongSupplier nanoTime) {
    this.control = control;
    this.media = media;
    this.calls = calls;
    this.hasMedia = hasMedia;
    this.hasEvents = hasEvents;
    this.storeIsGone = storeIsGone;
    this.nanoTime = nanoTime;
    this.startedNs = nanoTime.getAsLong();
  }

  @Override
  public Stats stats() {
    PortLedger pairs = media == null ? NO_PORTS : media.metrics().pairs();
    return new Stats(
        control == null ? 0 : control.activeCalls(),
        calls == null ? 0 : calls.total(),
        calls == null ? 0 : calls.failed(),
        calls == null ? Duration.ZERO : calls.averageDuration(),
        2L * pairs.total(),
        2L * pairs.lent(),
        Duration.ofNanos(nanoTime.getAsLong() - startedNs));
  }

  @Override
  public Readiness readiness() {
    if (control != null && control.isDraining()) {
      return new Readiness.NotReady("draining");
    }
    if (control != null && control.node().cluster().isSuperseded()) {
      return new Readiness.NotReady("another process has started with this cluster.node_id");
    }
    if (control != null && storeIsGone.getAsBoolean()) {
      return new Readiness.NotReady("Redis does not answer");
    }
    if (control != null && !control.node().cluster().isServing()) {
      return new Readiness.NotReady("the store has no heartbeat of this node");
    }
    if (control != null && !hasMedia.getAsBoolean()) {
      return new Readiness.NotReady("no media node takes calls");
    }
    if (!hasEvents.getAsBoolean()) {
      return new Readiness.NotReady("Kafka brings no events");
    }
    if (control == null && media != null) {
      return switch (media.metrics().state()) {
        case RESTORING -> new Readiness.NotReady("restoring: only sessions with known ports");
        case DRAINING -> new Readiness.NotReady("draining");
        case RUNNING -> new Readiness.Ready();
      };
    }
    return new Readiness.Ready();
  }
}
