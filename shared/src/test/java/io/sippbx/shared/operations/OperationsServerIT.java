package io.sippbx.shared.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import io.sippbx.proto.admin.v1.AdminGrpc;
import io.sippbx.proto.admin.v1.GetStatsRequest;
import io.sippbx.shared.config.MonitoringConfig;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.MediaMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
@DisplayName("the HTTP side of a process, asked by other people's clients")
class OperationsServerIT {

  private static final IpAddress LOOPBACK = IpAddress.of("127.0.0.1");
  private static final Answers ANSWERS = new Answers();
  private static final Metrics METRICS = new Metrics();
  private static OperationsServer server;
  private static HttpClient http;
  private static ManagedChannel channel;

  /** A source whose answers a test sets. */
  private static final class Answers implements StatsSource {
    volatile Stats stats = NOTHING;
    volatile Readiness readiness = new Readiness.Ready();
    volatile Optional<String> sickness = Optional.empty();
    volatile boolean broken;

    static final Stats NOTHING = new Stats(0, 0, 0, Duration.ZERO, 0, 0, Duration.ZERO);

    @Override
    public Stats stats() {
      if (broken) {
        throw new IllegalStateException("a secret of the inside");
      }
      return stats;
    }

    @Override
    public Readiness readiness() {
      return readiness;
    }

    @Override
    public Optional<String> sickness() {
      return sickness;
    }
  }

  @BeforeAll
  static void start() throws IOException {
    METRICS.gauge(ControlMetric.ACTIVE_CALLS, () -> 5);
    METRICS.counter(ControlMetric.TOTAL_CALLS, () -> 1543);
    METRICS.histogram(ControlMetric.CALL_DURATION).record(195);
    METRICS.histogram(ControlMetric.CALL_SETUP_DURATION).record(0.2);
    METRICS.counter(MediaMetric.PACKETS_RECEIVED, () -> 1e10);
    METRICS.counter(MediaMetric.PACKETS_SENT, () -> 7);
    METRICS.gauge(MediaMetric.PORT_POOL_USAGE, () -> 0.96);
    METRICS.counter(EventMetric.WEBHOOK_REQUESTS);
    METRICS.counter(EventMetric.WEBHOOK_FAILURES);
    METRICS.bindJvm();
    server =
        OperationsServer.start(
            config(0, 0),
            ANSWERS,
            METRICS,
            InstantSource.fixed(Instant.parse("2025-01-05T10:00:00.999Z")),
            AdminApi.NONE);
    http = HttpClient.newHttpClient();
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.adminAddress().port())
            .usePlaintext()
            .build();
  }

  @AfterAll
  static void stop() throws InterruptedException {
    channel.shutdownNow();
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    http.close();
    server.close();
    METRICS.close();
  }

  @BeforeEach
  void healthyAndIdle() {
    ANSWERS.stats = Answers.NOTHING;
    ANSWERS.readiness = new StatsSource.Readiness.Ready();
    ANSWERS.sickness = Optional.empty();
    ANSWERS.broken = false;
  }

  private static MonitoringConfig config(int prometheusPort, int healthCheckPort) {
    return new MonitoringConfig(
        LOOPBACK, prometheusPort, healthCheckPort, 64, Duration.ofSeconds(10));
  }

  private static HttpResponse<String> get(Endpoint at, String path, String... headers)
      throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create("http://" + at + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static HttpResponse<String> admin(String path) throws IOException, InterruptedException {
    return get(server.adminAddress(), path);
  }

  @Test
  void tellsThatItIsHealthy() throws Exception {
    HttpResponse<String> response = admin("/health");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body())
        .isEqualTo("{\"status\":\"healthy\",\"timestamp\":\"2025-01-05T10:00:00Z\"}");
    assertThat(response.headers().firstValue("content-type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("application/json"));
  }

  @Test
  void tellsWhyItShouldBeStartedAgain() throws Exception {
    ANSWERS.sickness = Optional.of("no event loop answers");
    HttpResponse<String> response = admin("/health");
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(response.body())
        .isEqualTo(
            "{\"status\":\"unhealthy\",\"timestamp\":\"2025-01-05T10:00:00Z\","
                + "\"reason\":\"no event loop answers\"}");
  }

  @Test
  void tellsThatItIsReadyAndHowManyCallsThereAre() throws Exception {
    ANSWERS.stats = new StatsSource.Stats(5, 9, 0, Duration.ZERO, 0, 0, Duration.ZERO);
    HttpResponse<String> response = admin("/ready");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"status\":\"ready\",\"active_calls\":5}");
  }

  @Test
  void tellsWhyItIsNotReady() throws Exception {
    ANSWERS.readiness = new StatsSource.Readiness.NotReady("draining \"now\"");
    HttpResponse<String> response = admin("/ready");
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(response.body())
        .isEqualTo("{\"status\":\"not_ready\",\"reason\":\"draining \\\"now\\\"\"}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/status", "/api/stats"})
  void givesTheStatisticsOfTheReference(String path) throws Exception {
    ANSWERS.stats =
        new StatsSource.Stats(
            12, 1543, 23, Duration.ofMillis(185_312), 10_000, 96, Duration.ofDays(1));
    HttpResponse<String> response = admin(path);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body())
        .isEqualTo(
            "{\"active_calls\":12,\"total_calls\":1543,\"failed_calls\":23,\"success_rate\":98.5,"
                + "\"average_call_duration\":185.3,\"port_pool\":{\"total\":10000,\"in_use\":96,"
                + "\"utilization\":0.96},\"uptime_seconds\":86400}");
    assertThat(response.headers().firstValue("content-type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("application/json"));
  }

  @Test
  void givesStatisticsBeforeTheFirstCall() throws Exception {
    assertThat(admin("/api/stats").body())
        .isEqualTo(
            "{\"active_calls\":0,\"total_calls\":0,\"failed_calls\":0,\"success_rate\":100.0,"
                + "\"average_call_duration\":0.0,\"port_pool\":{\"total\":0,\"in_use\":0,"
                + "\"utilization\":0.0},\"uptime_seconds\":0}");
  }

  @Test
  void keepsFaultsOfItsOwnToItself() throws Exception {
    ANSWERS.broken = true;
    HttpResponse<String> response = admin("/api/stats");
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(response.body()).contains("internal error").doesNotContain("secret");
  }

  @Test
  void answersHeadForLoadBalancers() throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://" + server.adminAddress() + "/ready"))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEmpty();
  }

  @Test
  void refusesWhatIsNotThereAndWhatIsTooLong() throws Exception {
    assertThat(admin("/nothing").statusCode()).isEqualTo(404);
    assertThat(admin("/metrics").statusCode()).isEqualTo(404);
    assertThat(get(server.metricsAddress(), "/health").statusCode()).isEqualTo(404);
    var tooLong =
        HttpRequest.newBuilder(URI.create("http://" + server.adminAddress() + "/api/stats"))
            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[100_000]))
            .build();
    assertThat(http.send(tooLong, HttpResponse.BodyHandlers.discarding()).statusCode())
        .isBetween(400, 499);
  }

  @Test
  void speaksGrpc() {
    ANSWERS.stats =
        new StatsSource.Stats(12, 1543, 23, Duration.ofMillis(185_312), 10_000, 96, Duration.ZERO);
    var stats =
        AdminGrpc.newBlockingStub(channel)
            .withDeadlineAfter(10, TimeUnit.SECONDS)
            .getStats(GetStatsRequest.getDefaultInstance());
    assertThat(stats.getTotalCalls()).isEqualTo(1543);
    assertThat(stats.getSuccessRate()).isEqualTo(98.5);
    assertThat(stats.getPortPool().getInUse()).isEqualTo(96);
  }

  @Test
  @DisplayName("gRPC health follows readiness (grpc.health.v1)")
  void grpcHealthFollowsReadiness() {
    ANSWERS.readiness = new StatsSource.Readiness.NotReady("starting");
    var watch =
        HealthGrpc.newBlockingStub(channel)
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .watch(HealthCheckRequest.getDefaultInstance());
    ServingStatus status = watch.next().getStatus();
    while (status != ServingStatus.NOT_SERVING) {
      status = watch.next().getStatus();
    }
    ANSWERS.readiness = new StatsSource.Readiness.Ready();
    while (status != ServingStatus.SERVING) {
      status = watch.next().getStatus();
    }
    assertThat(status).isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void describesItselfByReflection() throws Exception {
    var services = new CompletableFuture<List<String>>();
    var requests =
        ServerReflectionGrpc.newStub(channel)
            .withDeadlineAfter(10, TimeUnit.SECONDS)
            .serverReflectionInfo(
                new StreamObserver<ServerReflectionResponse>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    services.complete(
                        response.getListServicesResponse().getServiceList().stream()
                            .map(service -> service.getName())
                            .toList());
                  }

                  @Override
                  public void onError(Throwable error) {
                    services.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(services.get(10, TimeUnit.SECONDS))
        .contains("sippbx.admin.v1.Admin", "grpc.health.v1.Health");
    requests.onCompleted();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sip_active_calls 5.0",
        "# TYPE sip_active_calls gauge",
        "sip_total_calls 1543.0",
        "# TYPE sip_total_calls counter",
        "# TYPE sip_call_duration_seconds histogram",
        "sip_call_duration_seconds_bucket{le=\"300.0\"} 1",
        "sip_call_duration_seconds_sum 195.0",
        "# TYPE sip_call_setup_duration_seconds histogram",
        "sip_call_setup_duration_seconds_count 1",
        "rtp_packets_received 1.0E10",
        "# TYPE rtp_packets_received counter",
        "rtp_packets_sent 7.0",
        "rtp_port_pool_usage 0.96",
        "# TYPE rtp_port_pool_usage gauge",
        "webhook_requests_total 0.0",
        "# TYPE webhook_requests_total counter",
        "webhook_failures_total 0.0",
      })
  void exposesTheMetricsOfTheReferenceByTheirNames(String line) throws Exception {
    HttpResponse<String> response = get(server.metricsAddress(), "/metrics");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
    assertThat(response.body().lines().map(String::strip)).contains(line);
  }

  @Test
  void exposesOpenMetricsToThoseWhoAskForIt() throws Exception {
    HttpResponse<String> response =
        get(
            server.metricsAddress(),
            "/metrics",
            "Accept",
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
    assertThat(response.headers().firstValue("content-type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("application/openmetrics-text"));
    assertThat(response.body()).endsWith("# EOF\n").contains("sip_total_calls 1543.0\n");
  }

  @Test
  void exposesTheJvmAndTheProcess() throws Exception {
    String body = get(server.metricsAddress(), "/metrics").body();
    assertThat(body).contains("jvm_memory_used_bytes{", "process_uptime_seconds ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"monitoring.health_check_port", "monitoring.prometheus_port"})
  void namesThePortThatCannotBeBoundAndLeavesTheOtherFree(String key) throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var metrics = new Metrics()) {
      int port = taken.getLocalPort();
      MonitoringConfig config =
          key.endsWith("health_check_port") ? config(0, port) : config(port, 0);
      assertThatThrownBy(
              () ->
                  OperationsServer.start(
                      config, ANSWERS, metrics, InstantSource.system(), AdminApi.NONE))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(
              key + " = " + port + ": expected a port that can be bound on 127.0.0.1, but ")
          .hasMessageContaining("in use");
    }
  }

  @Test
  void refusesConnectionsOverTheLimitAndTakesThemAgainLater() throws Exception {
    var two = new MonitoringConfig(LOOPBACK, 0, 0, 2, Duration.ofSeconds(10));
    try (var metrics = new Metrics();
        var small =
            OperationsServer.start(two, ANSWERS, metrics, InstantSource.system(), AdminApi.NONE)) {
      int port = small.adminAddress().port();
      try (var first = new Socket(InetAddress.getLoopbackAddress(), port);
          var second = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assertThat(firstByte(first)).isEqualTo('H');
        assertThat(firstByte(second)).isEqualTo('H');
        try (var third = new Socket(InetAddress.getLoopbackAddress(), port)) {
          assertThat(firstByte(third)).isEqualTo(-1);
        }
      }
      int answer = -1;
      while (answer != 'H') {
        try (var later = new Socket(InetAddress.getLoopbackAddress(), port)) {
          answer = firstByte(later);
        }
      }
    }
  }

  /** Of the answer to a request; -1 when the server closes the connection. */
  private static int firstByte(Socket socket) throws IOException {
    socket.setSoTimeout(10_000);
    try {
      socket
          .getOutputStream()
          .write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      return socket.getInputStream().read();
    } catch (SocketException e) {
      return -1;
    }
  }

  @Test
  void listensOnIpv6() throws Exception {
    try (var metrics = new Metrics();
        var onIpv6 =
            OperationsServer.start(
                new MonitoringConfig(IpAddress.of("::1"), 0, 0, 8, Duration.ofSeconds(10)),
                ANSWERS,
                metrics,
                InstantSource.system(),
                AdminApi.NONE)) {
      assertThat(onIpv6.adminAddress().toString()).startsWith("[::1]:");
      assertThat(get(onIpv6.adminAddress(), "/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void closesItsPortsAtOnceThoughSomebodyIsConnected() throws Exception {
    Endpoint address;
    long closingNs;
    try (var metrics = new Metrics();
        var shortLived =
            OperationsServer.start(
                config(0, 0), ANSWERS, metrics, InstantSource.system(), AdminApi.NONE)) {
      address = shortLived.adminAddress();
      assertThat(get(address, "/health").version()).isEqualTo(HttpClient.Version.HTTP_2);
      closingNs = System.nanoTime();
    }
    // Armeria's own future comes after two seconds, an idle HTTP/2 connection's end after one.
    assertThat(Duration.ofNanos(System.nanoTime() - closingNs)).isLessThan(Duration.ofSeconds(1));
    assertThatThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), address.port()))
        .isInstanceOf(ConnectException.class);
  }
}
