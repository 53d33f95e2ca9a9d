package io.sippbx.shared.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.sippbx.proto.admin.v1.CallsGrpc;
import io.sippbx.proto.admin.v1.GetCallRequest;
import io.sippbx.proto.admin.v1.HangUpCallRequest;
import io.sippbx.proto.admin.v1.HangUpCallResponse;
import io.sippbx.proto.admin.v1.ListCallsRequest;
import io.sippbx.proto.admin.v1.ListCallsResponse;
import io.sippbx.shared.config.AdminConfig;
import io.sippbx.shared.config.MonitoringConfig;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Who may use the admin API, by what its HTTP and gRPC clients are answered. */
@DisplayName("the door of the admin API")
class AdminAccessIT {

  private static final String TOKEN = "a-token-of-some-length";

  private final Metrics metrics = new Metrics();
  private final HttpClient http = HttpClient.newHttpClient();
  private @Nullable OperationsServer server;

  /** As if there were one call. */
  private static final class OneCall extends CallsGrpc.CallsImplBase {
    @Override
    public void listCalls(ListCallsRequest request, StreamObserver<ListCallsResponse> observer) {
      observer.onNext(ListCallsResponse.newBuilder().setNextPageToken("next").build());
      observer.onCompleted();
    }

    @Override
    public void getCall(
        GetCallRequest request, StreamObserver<io.sippbx.proto.admin.v1.Call> observer) {
      observer.onError(
          Status.NOT_FOUND
              .withDescription("call_key = " + request.getCallKey() + ": there is no such call")
              .asRuntimeException());
    }

    @Override
    public void hangUpCall(HangUpCallRequest request, StreamObserver<HangUpCallResponse> observer) {
      observer.onNext(HangUpCallResponse.newBuilder().setCallKey(request.getCallKey()).build());
      observer.onCompleted();
    }
  }

  private static final class Ready implements StatsSource {
    @Override
    public Stats stats() {
      return new Stats(0, 0, 0, Duration.ZERO, 0, 0, Duration.ZERO);
    }

    @Override
    public Readiness readiness() {
      return new Readiness.Ready();
    }
  }

  private Endpoint start(Optional<String> token, int perSecond) throws IOException {
    List<BindableService> services = List.of(new OneCall());
    OperationsServer started =
        OperationsServer.start(
            new MonitoringConfig(IpAddress.of("127.0.0.1"), 0, 0, 64, Duration.ofSeconds(10)),
            new Ready(),
            metrics,
            InstantSource.system(),
            new AdminApi(new AdminConfig(token.map(Secret::new), perSecond), services));
    server = started;
    return started.adminAddress();
  }

  @AfterEach
  void stop() {
    http.close();
    if (server != null) {
      server.close();
    }
    metrics.close();
  }

  private HttpResponse<String> get(Endpoint at, String path, String... headers)
      throws IOException, InterruptedException {
    return get(URI.create("http://" + at + path), headers);
  }

  private HttpResponse<String> get(URI uri, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void isOpenToThisMachineWithoutAToken() throws Exception {
    Endpoint at = start(Optional.empty(), 50);
    HttpResponse<String> response = get(at, "/api/v1/calls");
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"calls\":[],\"next_page_token\":\"next\"}");
    assertThat(get(URI.create("http://localhost:" + at.port() + "/api/v1/calls")).statusCode())
        .isEqualTo(200);
  }

  @Test
  void isShutToPagesOfABrowserOnThisMachine() throws Exception {
    Endpoint at = start(Optional.empty(), 50);
    HttpResponse<String> response = get(at, "/api/v1/calls", "Origin", "http://attacker.example");
    assertThat(response.statusCode()).isEqualTo(403);
    assertThat(response.body()).contains("PERMISSION_DENIED").contains("admin.token is not set");
  }

  @Test
  void isShutToHostsWhoseNameWasMadeToPointHere() throws Exception {
    Endpoint at = start(Optional.empty(), 50);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", at.port())
            .usePlaintext()
            .overrideAuthority("attacker.example:" + at.port())
            .build();
    try {
      CallsGrpc.CallsBlockingStub calls = CallsGrpc.newBlockingStub(channel);
      assertThat(codeOf(() -> calls.listCalls(ListCallsRequest.getDefaultInstance())))
          .isEqualTo(Status.Code.PERMISSION_DENIED);
    } finally {
      end(channel);
    }
  }

  @Test
  void asksForTheTokenWhereThereIsOne() throws Exception {
    Endpoint at = start(Optional.of(TOKEN), 50);
    for (String wrong :
        List.of("Bearer", "Bearer ", "Bearer " + TOKEN + "x", "Basic " + TOKEN, TOKEN)) {
      HttpResponse<String> refused = get(at, "/api/v1/calls", "Authorization", wrong);
      assertThat(refused.statusCode()).as(wrong).isEqualTo(401);
      assertThat(refused.body()).contains("admin.token").doesNotContain(TOKEN);
    }
    assertThat(get(at, "/api/v1/calls").statusCode()).isEqualTo(401);
    assertThat(get(at, "/api/v1/calls", "Authorization", "Bearer " + TOKEN).statusCode())
        .isEqualTo(200);
    assertThat(get(at, "/api/v1/calls", "Authorization", "bearer " + TOKEN).statusCode())
        .isEqualTo(200);
    assertThat(metrics.scrapeText())
        .contains("admin_requests_total{outcome=\"denied\"} 6.0")
        .contains("admin_requests_total{outcome=\"done\"} 2.0");
  }

  @Test
  void leavesStatisticsAndHealthOpen() throws Exception {
    Endpoint at = start(Optional.of(TOKEN), 50);
    assertThat(get(at, "/api/stats").statusCode()).isEqualTo(200);
    assertThat(get(at, "/ready").statusCode()).isEqualTo(200);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", at.port()).usePlaintext().build();
    try {
      assertThat(
              HealthGrpc.newBlockingStub(channel)
                  .check(HealthCheckRequest.newBuilder().setService(CallsGrpc.SERVICE_NAME).build())
                  .getStatus())
          .isEqualTo(ServingStatus.SERVING);
    } finally {
      end(channel);
    }
  }

  @Test
  void takesTheTokenOverGrpc() throws Exception {
    Endpoint at = start(Optional.of(TOKEN), 50);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", at.port()).usePlaintext().build();
    try {
      CallsGrpc.CallsBlockingStub calls = CallsGrpc.newBlockingStub(channel);
      assertThat(codeOf(() -> calls.listCalls(ListCallsRequest.getDefaultInstance())))
          .isEqualTo(Status.Code.UNAUTHENTICATED);
      var bearing = new Metadata();
      bearing.put(
          Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + TOKEN);
      assertThat(
              calls
                  .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(bearing))
                  .listCalls(ListCallsRequest.getDefaultInstance())
                  .getNextPageToken())
          .isEqualTo("next");
    } finally {
      end(channel);
    }
  }

  @Test
  void refusesMoreThanSoManyASecond() throws Exception {
    Endpoint at = start(Optional.empty(), 1);
    assertThat(get(at, "/api/v1/calls").statusCode()).isEqualTo(200);
    // A second passes between two of them at the latest.
    int last = 0;
    for (int i = 0; i < 50 && last != 429; i++) {
      last = get(at, "/api/v1/calls").statusCode();
    }
    assertThat(last).isEqualTo(429);
    assertThat(get(at, "/api/stats").statusCode()).isEqualTo(200);
  }

  @Test
  void tellsErrorsByTheirCodeAndWhatWasExpected() throws Exception {
    Endpoint at = start(Optional.empty(), 50);
    HttpResponse<String> response = get(at, "/api/v1/calls/nonsense");
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body())
        .contains("\"grpc-code\":\"NOT_FOUND\"")
        .contains("call_key = nonsense: there is no such call")
        .doesNotContain("Exception");
  }

  @Test
  void takesAChangeAsJson() throws Exception {
    Endpoint at = start(Optional.empty(), 50);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + at + "/api/v1/calls/abc:hangup"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build();
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"call_key\":\"abc\"}");
  }

  private static Status.Code codeOf(Runnable question) {
    try {
      question.run();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  private static void end(ManagedChannel channel) throws InterruptedException {
    channel.shutdownNow();
    assertThat(channel.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }
}
