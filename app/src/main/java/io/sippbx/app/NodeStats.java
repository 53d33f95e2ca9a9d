package io.sippbx.app;

import io.sippbx.control.ControlPlane;
import io.sippbx.media.MediaNode;
import io.sippbx.media.port.PortLedger;
import io.sippbx.shared.operations.StatsSource;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a process answers about itself. Any thread. */
final class NodeStats implements StatsSource {

  private static final PortLedger NO_PORTS = new PortLedger(0, 0, 0, 0);

  private final boolean isControl;
  private final Supplier<Optional<ControlPlane>> control;
  private final @Nullable MediaNode media;
  private final @Nullable CallTelemetry calls;
  private final BooleanSupplier hasMedia;
  private final BooleanSupplier hasEvents;
  private final BooleanSupplier storeIsGone;
  private final LongSupplier nanoTime;
  private final long startedNs;

  /**
   * @param isControl whether the process is to be a control node
   * @param control empty until it is one
   * @param hasMedia whether a media node takes sessions now; asked only with a control plane
   * @param hasEvents whether events come to be consumed, where that is what the process is for
   * @param storeIsGone whether the state can neither be read nor written now; asked only with a
   *     control plane
   */
  NodeStats(
      boolean isControl,
      Supplier<Optional<ControlPlane>> control,
      @Nullable MediaNode media,
      @Nullable CallTelemetry calls,
      BooleanSupplier hasMedia,
      BooleanSupplier hasEvents,
      BooleanSupplier storeIsGone,
      LongSupplier nanoTime) {
    this.isControl = isControl;
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
        control.get().map(ControlPlane::activeCalls).orElse(0),
        calls == null ? 0 : calls.total(),
        calls == null ? 0 : calls.failed(),
        calls == null ? Duration.ZERO : calls.averageDuration(),
        2L * pairs.total(),
        2L * pairs.lent(),
        Duration.ofNanos(nanoTime.getAsLong() - startedNs));
  }

  @Override
  public Readiness readiness() {
    if (isControl) {
      Optional<ControlPlane> here = control.get();
      Readiness readiness =
          here.isPresent() ? readiness(here.get()) : new Readiness.NotReady("starting");
      if (readiness instanceof Readiness.NotReady) {
        return readiness;
      }
    }
    if (!hasEvents.getAsBoolean()) {
      return new Readiness.NotReady("Kafka brings no events");
    }
    if (!isControl && media != null) {
      return switch (media.metrics().state()) {
        case RESTORING -> new Readiness.NotReady("restoring: only sessions with known ports");
        case DRAINING -> new Readiness.NotReady("draining");
        case RUNNING -> new Readiness.Ready();
      };
    }
    return new Readiness.Ready();
  }

  private Readiness readiness(ControlPlane here) {
    if (here.isDraining()) {
      return new Readiness.NotReady("draining");
    }
    if (here.node().cluster().isSuperseded()) {
      return new Readiness.NotReady("another process has started with this cluster.node_id");
    }
    if (storeIsGone.getAsBoolean()) {
      return new Readiness.NotReady("Redis does not answer");
    }
    if (!here.node().cluster().isServing()) {
      return new Readiness.NotReady("the store has no heartbeat of this node");
    }
    return hasMedia.getAsBoolean()
        ? new Readiness.Ready()
        : new Readiness.NotReady("no media node takes calls");
  }
}
