package io.sippbx.shared.operations;

import com.linecorp.armeria.common.CommonPools;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sippbx.shared.operations.StatsSource.Readiness;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The standard health service of gRPC, for the process as a whole and for the admin services: all
 * serve while the process is ready. A watch is told within a quarter of a second.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/health-checking.md">GRPC Health
 *     Checking Protocol</a>
 */
final class HealthService extends HealthGrpc.HealthImplBase {

  /** Watches at once; each costs a timer. */
  static final int MAX_WATCHES = 64;

  private static final long PERIOD_MS = 250;
  private final StatsSource source;
  private final Set<String> services;
  private final AtomicInteger watches = new AtomicInteger();

  /**
   * @param services that serve while the process is ready, by name
   */
  HealthService(StatsSource source, Collection<String> services) {
    this.source = source;
    this.services = new TreeSet<>(services);
    this.services.add("");
  }

  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
    ServingStatus status = status(request.getService());
    if (status == ServingStatus.SERVICE_UNKNOWN) {
      observer.onError(Status.NOT_FOUND.withDescription("no such service").asRuntimeException());
      return;
    }
    observer.onNext(response(status));
    observer.onCompleted();
  }

  @Override
  public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
    if (watches.incrementAndGet() > MAX_WATCHES) {
      watches.decrementAndGet();
      observer.onError(
          Status.RESOURCE_EXHAUSTED
              .withDescription("at most " + MAX_WATCHES + " watches")
              .asRuntimeException());
      return;
    }
    ServiceRequestContext.current().clearRequestTimeout();
    var watch =
        new Watch(request.getService(), (ServerCallStreamObserver<HealthCheckResponse>) observer);
    watch.start();
  }

  private ServingStatus status(String service) {
    if (!services.contains(service)) {
      return ServingStatus.SERVICE_UNKNOWN;
    }
    return source.readiness() instanceof Readiness.Ready
        ? ServingStatus.SERVING
        : ServingStatus.NOT_SERVING;
  }

  private static HealthCheckResponse response(ServingStatus status) {
    return HealthCheckResponse.newBuilder().setStatus(status).build();
  }

  /** Tells changes to one client until it goes away. */
  private final class Watch {
    private final String service;
    private final ServerCallStreamObserver<HealthCheckResponse> observer;
    private @Nullable ServingStatus told;
    private @Nullable ScheduledFuture<?> timer;
    private boolean ended;

    Watch(String service, ServerCallStreamObserver<HealthCheckResponse> observer) {
      this.service = service;
      this.observer = observer;
    }

    synchronized void start() {
      observer.setOnCancelHandler(this::end);
      tell();
      timer =
          CommonPools.workerGroup()
              .next()
              .scheduleAtFixedRate(this::tell, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
      if (ended) {
        timer.cancel(false);
      }
    }

    private synchronized void tell() {
      ServingStatus now = status(service);
      if (!ended && now != told) {
        told = now;
        observer.onNext(response(now));
      }
    }

    private synchronized void end() {
      if (!ended) {
        ended = true;
        watches.decrementAndGet();
        if (timer != null) {
          timer.cancel(false);
        }
      }
    }
  }
}
