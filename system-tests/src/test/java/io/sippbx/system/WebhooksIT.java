package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A call through the built executable, and what receivers hear of it. */
class WebhooksIT {

  private static final Duration WITHIN = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Posted(String path, String id, JsonNode body) {}

  @TempDir private Path folder = Path.of("");
  private final List<Posted> posted = new CopyOnWriteArrayList<>();
  private HttpServer server = notYet();

  /** What the receiver at /broken answers. */
  private volatile int broken = 400;

  @SuppressWarnings("NullAway") // Set before each test.
  private static HttpServer notYet() {
    return null;
  }

  @BeforeEach
  void listen() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::receive);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void receive(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
    int status = path.equals("/broken") ? broken : 204;
    if (status == 204) {
      posted.add(new Posted(path, exchange.getRequestHeaders().getFirst("webhook-id"), body));
    }
    exchange.sendResponseHeaders(status, -1);
    exchange.close();
  }

  private List<Posted> at(String path) {
    return posted.stream().filter(each -> each.path().equals(path)).toList();
  }

  private static List<String> types(List<Posted> posted) {
    return posted.stream()
        .map(each -> each.body().path("type").asText())
        .filter(type -> type.startsWith("call."))
        .toList();
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  @Test
  void tellOfACallFromItsStartToItsEndAndOfRegistrationsAndCanBeDeliveredAgain() {
    String receivers =
        "events.webhooks=[{name: all, url: '%s'}, {name: broken, url: '%s', events: [call.ended]}]"
            .formatted(url("/all"), url("/broken"));
    List<String> options =
        List.of(
            "--set",
            receivers,
            "--set",
            "events.webhook_private_receivers=true",
            "--set",
            "events.webhook_dir=" + folder.resolve("webhooks"));
    try (EdgeProcess edge =
        EdgeProcess.start(folder, 160, List.of(), List.of(), with("standalone", options))) {
      Phones.Outcome call =
          Phones.call(
              edge,
              folder,
              Sipp.Transport.UDP,
              Sipp.scenario("caller"),
              Sipp.scenario("callee").option("-d", "100"));
      Await.until(
          "the end of the call was posted",
          WITHIN,
          () -> types(at("/all")),
          types -> types.contains("call.ended"));
      JsonNode cdr = edge.cdr(call.callId());
      assertThat(types(at("/all")))
          .containsExactly("call.started", "call.ringing", "call.answered", "call.ended");
      assertThat(at("/all"))
          .extracting(each -> each.body().path("type").asText())
          .contains("registration.changed");
      JsonNode data = at("/all").stream().map(Posted::body).toList().getLast().path("data");
      cdr.fieldNames()
          .forEachRemaining(name -> assertThat(data.get(name)).as(name).isEqualTo(cdr.get(name)));
      String key = cdr.path("call_key").asText();
      Await.until(
          "the other receiver's webhook is a dead letter",
          WITHIN,
          edge::metrics,
          metrics -> metrics.contains("webhook_dead_letters_total{receiver=\"2\"} 1.0"));
      assertThat(at("/broken")).isEmpty();

      broken = 204;
      assertThat(run("redeliver", "--call", key, options)).contains("1 webhooks delivered, 0 not");
      assertThat(at("/broken"))
          .singleElement()
          .satisfies(
              each ->
                  assertThat(each.body().path("data").path("call_key").asText()).isEqualTo(key));
      assertThat(run("redeliver", "--call", key, options)).contains("0 webhooks delivered, 0 not");
      assertThat(
              run("deliveries", "--call", key, options)
                  .lines()
                  .filter(each -> each.startsWith("{")))
          .hasSize(7)
          .anyMatch(each -> each.contains("\"result\":\"refused\",\"status\":400"))
          .anyMatch(each -> each.contains("\"result\":\"dead_letter\""))
          .last()
          .asString()
          .contains("\"receiver\":\"broken\"", "\"result\":\"delivered\"");
    }
  }

  @Test
  void tellOfARegistrationThatNobodyRenews() {
    List<String> options =
        List.of(
            "--set",
            "events.webhook_urls=['%s']".formatted(url("/all")),
            "--set",
            "events.webhook_private_receivers=true",
            "--set",
            "events.webhook_dir=" + folder.resolve("webhooks"),
            "--set",
            "sip.registrar.min_expires=1",
            "--set",
            "sip.registrar.default_expires=1",
            "--set",
            "sip.registrar.max_expires=1");
    try (EdgeProcess edge =
            EdgeProcess.start(folder, 160, List.of(), List.of(), with("standalone", options));
        Sipp phone = Sipp.scenario("callee").listen(folder)) {
      Phones.register(edge, folder, Sipp.Transport.UDP, "bob", "127.0.0.1", phone);
      Await.until(
          "the end of the registration was posted",
          WITHIN,
          () ->
              at("/all").stream()
                  .map(each -> each.body().path("data").path("change").asText())
                  .toList(),
          List.of("registered", "expired")::equals);
    }
  }

  private static List<String> with(String first, List<String> options) {
    return Stream.concat(Stream.of(first), options.stream()).toList();
  }

  private String run(String command, String option, String value, List<String> options) {
    var all = new ArrayList<>(List.of("event-plane", command, option, value));
    all.addAll(options);
    try (Child child = EdgeProcess.run(folder, all)) {
      assertThat(child.awaitExit(WITHIN)).isZero();
      return child.output();
    }
  }
}
