package io.sippbx.event.webhook.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.sippbx.event.webhook.Outcome;
import io.sippbx.event.webhook.Webhook;
import io.sippbx.event.webhook.WebhookSignature;
import io.sippbx.servers.Ports;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import io.sippbx.shared.config.Secret;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against real servers. */
@Timeout(60)
class HttpWebhooksIT {

  private static final Instant NOW = Instant.parse("2025-01-05T10:00:00Z");
  private static final Secret<String> SECRET =
      new Secret<>("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  private static final Webhook WEBHOOK =
      new Webhook("k:c:0", WebhookType.CALL_ENDED, "k", 4, "{\"type\":\"call.ended\",\"ü\":1}");

  private record Received(String target, Headers headers, String body) {}

  @TempDir private Path folder;
  private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void serve(String path, HttpHandler handler) {
    server.createContext(
        path,
        exchange -> {
          received.add(
              new Received(
                  exchange.getRequestURI().toString(),
                  exchange.getRequestHeaders(),
                  new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
          handler.handle(exchange);
        });
  }

  private static void answer(HttpExchange exchange, int status) throws IOException {
    exchange.sendResponseHeaders(status, -1);
    exchange.close();
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private static Outcome post(EventsConfig.Reach reach, String url, Duration timeout)
      throws Exception {
    var receiver = new EventsConfig.Receiver("test", URI.create(url), List.of(SECRET), List.of());
    var answers = new ArrayBlockingQueue<Outcome>(2);
    try (HttpWebhooks http = HttpWebhooks.open(reach, timeout, InstantSource.fixed(NOW))) {
      http.to(receiver).post(WEBHOOK, answers::add);
      Outcome outcome = answers.poll(30, TimeUnit.SECONDS);
      assertThat(outcome).as("an answer").isNotNull();
      return outcome;
    }
  }

  private static Outcome post(String url) throws Exception {
    return post(new EventsConfig.Reach(true, Optional.empty()), url, Duration.ofSeconds(10));
  }

  @Test
  void postsTheBodySignedAndTakes2xxForDelivered() throws Exception {
    serve("/hook", exchange -> answer(exchange, 204));
    assertThat(post(url("/hook?tenant=1"))).isEqualTo(new Outcome.Delivered(204));
    Received request = received.take();
    assertThat(request.target()).isEqualTo("/hook?tenant=1");
    assertThat(request.body()).isEqualTo(WEBHOOK.body());
    Headers headers = request.headers();
    assertThat(headers.getFirst("Content-Type")).isEqualTo("application/json");
    assertThat(headers.getFirst("webhook-id")).isEqualTo("k:c:0");
    assertThat(headers.getFirst("webhook-timestamp")).isEqualTo("" + NOW.getEpochSecond());
    assertThat(headers.getFirst("webhook-signature"))
        .isEqualTo(
            new WebhookSignature(List.of(SECRET))
                .of("k:c:0", NOW.getEpochSecond(), request.body().getBytes(StandardCharsets.UTF_8))
                .orElseThrow());
  }

  @Test
  void handsOverWhatTheReceiverSaysOfALaterTime() throws Exception {
    serve(
        "/busy",
        exchange -> {
          exchange.getResponseHeaders().add("Retry-After", "17");
          answer(exchange, 429);
        });
    assertThat(post(url("/busy")))
        .isEqualTo(new Outcome.Again(429, "status 429", Optional.of(Duration.ofSeconds(17))));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 410})
  void takesNoForAnAnswer(int status) throws Exception {
    serve("/no", exchange -> answer(exchange, status));
    assertThat(post(url("/no"))).isEqualTo(new Outcome.Refused(status, "status " + status));
  }

  @Test
  void followsRedirectsToTheSameHostWithTheSameBody() throws Exception {
    serve(
        "/old",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/new?x=1");
          answer(exchange, 307);
        });
    serve("/new", exchange -> answer(exchange, 200));
    assertThat(post(url("/old"))).isEqualTo(new Outcome.Delivered(200));
    received.take();
    Received second = received.take();
    assertThat(second.target()).isEqualTo("/new?x=1");
    assertThat(second.body()).isEqualTo(WEBHOOK.body());
  }

  @Test
  void followsNoRedirectToAnotherHostPortOrScheme() throws Exception {
    int port = server.getAddress().getPort();
    for (String location :
        List.of(
            "http://localhost:" + port + "/new",
            "http://127.0.0.1:" + (port == 65_535 ? 1 : port + 1) + "/new",
            "https://127.0.0.1:" + port + "/new",
            "file:///etc/passwd",
            "//localhost:" + port + "/new")) {
      String path = "/to" + location.hashCode();
      serve(
          path,
          exchange -> {
            exchange.getResponseHeaders().add("Location", location);
            answer(exchange, 302);
          });
      assertThat(post(url(path)))
          .as(location)
          .isEqualTo(new Outcome.Refused(302, "status 302 to another host"));
    }
    assertThat(received).extracting(Received::target).noneMatch(path -> path.startsWith("/new"));
  }

  @Test
  void endsACircleOfRedirects() throws Exception {
    serve(
        "/round",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/round");
          answer(exchange, 308);
        });
    assertThat(post(url("/round"))).isEqualTo(new Outcome.Refused(308, "more than 3 redirects"));
    assertThat(received).hasSize(4);
  }

  @Test
  void doesNotReadABodyThatNeverEnds() throws Exception {
    var ended = new ArrayBlockingQueue<Long>(1);
    serve(
        "/endless",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          long written = 0;
          try (OutputStream out = exchange.getResponseBody()) {
            var chunk = new byte[16_384];
            while (written < 1L << 32) {
              out.write(chunk);
              written += chunk.length;
            }
          } catch (IOException e) {
            // The client has hung up, which is what is looked for.
          }
          ended.add(written);
        });
    assertThat(post(url("/endless"))).isEqualTo(new Outcome.Delivered(200));
    assertThat(ended.poll(20, TimeUnit.SECONDS)).isNotNull().isLessThan(1L << 32);
  }

  @Test
  void givesUpOnAReceiverThatNeverAnswers() throws Exception {
    try (var silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Outcome outcome =
          post(
              new EventsConfig.Reach(true, Optional.empty()),
              "http://127.0.0.1:" + silent.getLocalPort() + "/",
              Duration.ofSeconds(1));
      assertThat(outcome)
          .isInstanceOfSatisfying(
              Outcome.Again.class, again -> assertThat(again.problem()).contains("Timeout"));
    }
  }

  @Test
  void triesAgainWhereNobodyListensOrTheNameIsUnknown() throws Exception {
    assertThat(post("http://127.0.0.1:" + Ports.free() + "/")).isInstanceOf(Outcome.Again.class);
    assertThat(post("http://no-such-host.invalid/"))
        .isEqualTo(new Outcome.Again(0, "no address of no-such-host.invalid", Optional.empty()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001"})
  void connectsToNoPrivateAddressWhateverItIsCalled(String host) throws Exception {
    serve("/secret", exchange -> answer(exchange, 200));
    Outcome outcome =
        post(
            new EventsConfig.Reach(false, Optional.empty()),
            "http://" + host + ":" + server.getAddress().getPort() + "/secret",
            Duration.ofSeconds(5));
    assertThat(outcome)
        .isNotInstanceOf(Outcome.Delivered.class)
        .asString()
        .containsAnyOf("events.webhook_private_receivers", "no address of");
    assertThat(received).isEmpty();
  }

  /** A server with a certificate that nobody has signed but itself. */
  private HttpsServer tls(Path pem) throws Exception {
    Path store = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "own",
                "-keyalg",
                "EC",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-validity",
                "2")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
    var keys = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(store)) {
      keys.load(in, "changeit".toCharArray());
    }
    String der = Base64.getMimeEncoder().encodeToString(keys.getCertificate("own").getEncoded());
    Files.writeString(pem, "-----BEGIN CERTIFICATE-----\n" + der + "\n-----END CERTIFICATE-----\n");
    var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    var context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    HttpsServer secured =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    secured.setHttpsConfigurator(new HttpsConfigurator(context));
    secured.setExecutor(threads);
    secured.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          answer(exchange, 200);
        });
    secured.start();
    return secured;
  }

  @Test
  void believesNoCertificateThatNobodyTrustedHasSigned() throws Exception {
    Path pem = folder.resolve("ca.pem");
    HttpsServer secured = tls(pem);
    try {
      String port = ":" + secured.getAddress().getPort() + "/";
      assertThat(post("https://localhost" + port))
          .isInstanceOfSatisfying(
              Outcome.Again.class, again -> assertThat(again.status()).isZero());
      var trusting = new EventsConfig.Reach(true, Optional.of(pem));
      assertThat(post(trusting, "https://localhost" + port, Duration.ofSeconds(10)))
          .isEqualTo(new Outcome.Delivered(200));
    } finally {
      secured.stop(0);
    }
  }

  @Test
  void namesTheKeyOfAFileOfCertificatesThatIsNotThere() {
    var reach = new EventsConfig.Reach(true, Optional.of(folder.resolve("none.pem")));
    assertThatThrownBy(
            () -> HttpWebhooks.open(reach, Duration.ofSeconds(1), InstantSource.system()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("events.webhook_ca_file");
  }
}
