package io.sippbx.shared.operations;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.common.grpc.GrpcExceptionHandlerFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Route;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServerPort;
import com.linecorp.armeria.server.grpc.GrpcService;
import com.linecorp.armeria.server.grpc.GrpcServiceBuilder;
import io.grpc.Status;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.sippbx.proto.admin.v1.AdminGrpc;
import io.sippbx.shared.config.MonitoringConfig;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.operations.StatsSource.Readiness;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Two HTTP ports: {@code /health}, {@code /ready}, {@code /api} and gRPC administration on one,
 * {@code /metrics} on the other. Health is answered from the start on, whatever else is not ready
 * yet. Starting takes one to two seconds of processor time, nearly all of it to load classes: start
 * it beside other things.
 */
// Closing needs no future: see there.
@SuppressWarnings("FutureReturnValueIgnored")
public final class OperationsServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OperationsServer.class);

  private static final int MAX_REQUEST_BYTES = 65_536;
  private static final int MAX_HEADER_BYTES = 16_384;
  private static final int MAX_STREAMS = 64;
  private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(2);
  private static final Duration GOODBYE_LIMIT = Duration.ofMillis(200);
  private static final Duration STOP_LOOK = Duration.ofMillis(5);

  private final Server admin;
  private final Server metrics;
  private final Endpoint adminAddress;
  private final Endpoint metricsAddress;

  private OperationsServer(Server admin, Server metrics, IpAddress bindIp) {
    this.admin = admin;
    this.metrics = metrics;
    this.adminAddress = new Endpoint(bindIp, port(admin));
    this.metricsAddress = new Endpoint(bindIp, port(metrics));
  }

  /** Not Armeria's activeLocalPort, which knows of loopback and any-address ports only. */
  private static int port(Server server) {
    ServerPort bound =
        Objects.requireNonNull(server.activePort(), "Expected a port of a server that has started");
    return bound.localAddress().getPort();
  }

  /**
   * Binds both ports and answers; blocks until then.
   *
   * @param clock of the time that /health tells
   * @param api what there is to administer, and by whom
   * @throws IOException if a port cannot be bound; the message names the key, the value and why
   */
  public static OperationsServer start(
      MonitoringConfig config,
      StatsSource source,
      Metrics metrics,
      InstantSource clock,
      AdminApi api)
      throws IOException {
    Server admin = adminServer(config, source, clock, new AdminAccess(api, metrics));
    if (api.access().token().isEmpty()) {
      LOG.atInfo()
          .addKeyValue("key", "admin.token")
          .log("admin.open_on_loopback: no token is set, so only this machine is answered");
    }
    Server scraped = metricsServer(config, metrics);
    CompletableFuture<Void> adminStarted = admin.start();
    CompletableFuture<Void> scrapedStarted = scraped.start();
    try {
      await(adminStarted, "monitoring.health_check_port", config, config.healthCheckPort());
      await(scrapedStarted, "monitoring.prometheus_port", config, config.prometheusPort());
      return new OperationsServer(admin, scraped, config.bindIp());
    } catch (IOException e) {
      // One port without the other would look like a process that lives.
      CompletableFuture.allOf(admin.stop(), scraped.stop()).join();
      throw e;
    }
  }

  private static void await(
      CompletableFuture<Void> started, String key, MonitoringConfig config, int port)
      throws IOException {
    try {
      started.join();
    } catch (CompletionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException(
          key
              + " = "
              + port
              + ": expected a port that can be bound on "
              + config.bindIp()
              + ", but "
              + cause.getMessage(),
          cause);
    }
  }

  /** Where /health, /ready and /api are; the port that was really bound. */
  public Endpoint adminAddress() {
    return adminAddress;
  }

  /** Where /metrics is; the port that was really bound. */
  public Endpoint metricsAddress() {
    return metricsAddress;
  }

  /**
   * Finishes what is being answered, for two seconds at most, and closes both ports; returns when
   * they are closed. Idle connections are told, and get a fifth of a second to go; one of HTTP/2
   * that stays may be served until Netty's threads go by themselves, two seconds later: nobody
   * waits.
   */
  @Override
  public void close() {
    admin.stop();
    metrics.stop();
    // Armeria has nothing else that tells: its future comes with the end of its threads.
    if (!await(
        () -> admin.activePorts().isEmpty() && metrics.activePorts().isEmpty(),
        STOP_LIMIT.multipliedBy(2))) {
      LOG.atWarn().log("operations.ports-not-closed");
    }
    await(() -> admin.numConnections() + metrics.numConnections() == 0, GOODBYE_LIMIT);
  }

  private static boolean await(BooleanSupplier condition, Duration atMost) {
    long deadlineNs = System.nanoTime() + atMost.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadlineNs > 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(STOP_LOOK.toNanos());
    }
    return true;
  }

  private static ServerBuilder builder(MonitoringConfig config, int port) throws IOException {
    InetAddress address = InetAddress.getByAddress(config.bindIp().octets());
    return Server.builder()
        .port(new InetSocketAddress(address, port), SessionProtocol.HTTP)
        .maxNumConnections(config.maxConnections())
        .idleTimeout(IDLE_TIMEOUT)
        .requestTimeout(config.requestTimeout())
        .maxRequestLength(MAX_REQUEST_BYTES)
        .http1MaxHeaderSize(MAX_HEADER_BYTES)
        .http2MaxHeaderListSize(MAX_HEADER_BYTES)
        .http2MaxStreamsPerConnection(MAX_STREAMS)
        .gracefulShutdownTimeout(Duration.ZERO, STOP_LIMIT)
        // What is being answered is waited for above; an idle HTTP/2 connection is closed at once.
        .connectionDrainDuration(Duration.ZERO)
        // Of its own, and to nobody: what Armeria counts of itself is not in our catalogue.
        .meterRegistry(new CompositeMeterRegistry())
        .disableServerHeader();
  }

  private static Server adminServer(
      MonitoringConfig config, StatsSource source, InstantSource clock, AdminAccess access)
      throws IOException {
    var limited = RateLimitedLog.of(LOG);
    var services = new ArrayList<String>(access.guarded());
    services.add(AdminGrpc.SERVICE_NAME);
    GrpcServiceBuilder builder = GrpcService.builder();
    access.services().forEach(builder::addService);
    GrpcService grpc =
        builder
            .addService(new AdminService(source))
            .addService(new HealthService(source, services))
            .intercept(access)
            .addService(ProtoReflectionServiceV1.newInstance())
            .enableHttpJsonTranscoding(true)
            .jsonMarshallerFactory(_ -> new PlainNumbersJson())
            .maxRequestMessageLength(MAX_REQUEST_BYTES)
            .exceptionHandler(
                (context, status, cause, metadata) -> {
                  Status known =
                      GrpcExceptionHandlerFunction.of().apply(context, status, cause, metadata);
                  if (known != null && known.getCode() != Status.Code.UNKNOWN) {
                    return known;
                  }
                  // A fault of ours: its text is for our log, not for whoever asked.
                  limited.at(Level.ERROR, "admin.failed").setCause(cause).log("admin.failed");
                  return Status.INTERNAL.withDescription("internal error");
                })
            .build();
    return builder(config, config.healthCheckPort())
        .service(get("/health"), health(source, clock))
        .service(get("/ready"), ready(source))
        .service(grpc)
        .build();
  }

  private static Server metricsServer(MonitoringConfig config, Metrics metrics) throws IOException {
    HttpService scrape =
        (context, request) -> {
          boolean open =
              request
                  .headers()
                  .get(HttpHeaderNames.ACCEPT, "")
                  .contains("application/openmetrics-text");
          return HttpResponse.of(
              () ->
                  HttpResponse.of(
                      ResponseHeaders.of(
                          HttpStatus.OK,
                          HttpHeaderNames.CONTENT_TYPE,
                          open ? Metrics.OPEN_METRICS : Metrics.TEXT),
                      HttpData.ofUtf8(open ? metrics.scrapeOpenMetrics() : metrics.scrapeText())),
              // Asks every gauge of the process: not on an event loop.
              context.blockingTaskExecutor());
        };
    return builder(config, config.prometheusPort()).service(get("/metrics"), scrape).build();
  }

  private static Route get(String path) {
    return Route.builder().exact(path).methods(HttpMethod.GET, HttpMethod.HEAD).build();
  }

  private static HttpService health(StatsSource source, InstantSource clock) {
    return (_, _) -> {
      Optional<String> sickness = source.sickness();
      var body = new LinkedHashMap<String, Object>();
      body.put("status", sickness.isEmpty() ? "healthy" : "unhealthy");
      body.put("timestamp", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
      sickness.ifPresent(reason -> body.put("reason", reason));
      return json(sickness.isEmpty() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE, body);
    };
  }

  private static HttpService ready(StatsSource source) {
    return (_, _) ->
        switch (source.readiness()) {
          case Readiness.Ready() -> {
            var body = new LinkedHashMap<String, Object>();
            body.put("status", "ready");
            body.put("active_calls", source.stats().activeCalls());
            yield json(HttpStatus.OK, body);
          }
          case Readiness.NotReady(String reason) -> {
            var body = new LinkedHashMap<String, Object>();
            body.put("status", "not_ready");
            body.put("reason", reason);
            yield json(HttpStatus.SERVICE_UNAVAILABLE, body);
          }
        };
  }

  private static HttpResponse json(HttpStatus status, Map<String, Object> body) {
    return HttpResponse.of(
        ResponseHeaders.of(
            status,
            HttpHeaderNames.CONTENT_TYPE,
            MediaType.JSON,
            // What a cache remembers of readiness is wrong.
            HttpHeaderNames.CACHE_CONTROL,
            "no-store"),
        HttpData.copyOf(JsonText.of(body).getBytes(StandardCharsets.UTF_8)));
  }
}
