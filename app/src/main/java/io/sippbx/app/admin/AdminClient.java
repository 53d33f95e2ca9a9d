package io.sippbx.app.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sippbx.shared.config.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/** The admin API of one node, by its JSON. Used by one thread. */
final class AdminClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  private static final int PAGE = 500;

  private final URI server;
  private final Optional<Secret<String>> token;
  private final Duration timeout;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_TIMEOUT)
          .build();

  /**
   * @param server scheme, host and port
   * @param timeout of one request
   */
  AdminClient(URI server, Optional<Secret<String>> token, Duration timeout) {
    this.server = server;
    this.token = token;
    this.timeout = timeout;
  }

  /** What stands at a path. */
  JsonNode get(String path) throws AdminFailure {
    return send(request(path).GET());
  }

  /** Has something done. */
  JsonNode post(String path) throws AdminFailure {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}")));
  }

  /**
   * A list, page by page.
   *
   * @param field that holds the entries
   * @param limit entries at most; where there are more, {@code next_page_token} is not empty
   */
  ObjectNode list(String path, String field, int limit) throws AdminFailure {
    ObjectNode all = JSON.createObjectNode();
    ArrayNode entries = all.putArray(field);
    String token = "";
    do {
      int size = Math.min(PAGE, limit - entries.size());
      JsonNode page =
          get(
              path
                  + "?page_size="
                  + size
                  + (token.isEmpty() ? "" : "&page_token=" + escaped(token)));
      page.path(field).forEach(entries::add);
      token = page.path("next_page_token").asText();
    } while (!token.isEmpty() && entries.size() < limit);
    all.put("next_page_token", token);
    return all;
  }

  /** A value as a segment of a path. */
  static String escaped(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(path)).timeout(timeout);
    token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret.value()));
    return request;
  }

  private JsonNode send(HttpRequest.Builder request) throws AdminFailure {
    HttpResponse<String> response;
    try {
      response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AdminFailure(
          AdminFailure.Kind.NOT_REACHED, "--server = " + server + ": not reached: " + reason(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AdminFailure(AdminFailure.Kind.NOT_REACHED, "interrupted", e);
    }
    JsonNode body = parsed(response.body());
    if (response.statusCode() == 200) {
      return body;
    }
    String said = body.path("message").asText();
    String message =
        said.isEmpty() ? "--server = " + server + ": HTTP " + response.statusCode() : said;
    throw switch (response.statusCode()) {
      case 401, 403 -> new AdminFailure(AdminFailure.Kind.DENIED, message);
      case 404 ->
          new AdminFailure(
              AdminFailure.Kind.NOT_FOUND,
              said.isEmpty() ? message + ": it has no admin API, or another version of it" : said);
      default -> new AdminFailure(AdminFailure.Kind.FAILED, message);
    };
  }

  private static JsonNode parsed(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      // Not from our server: the status says what there is to say.
      return JSON.createObjectNode();
    }
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  /** As it is printed with {@code -o json}. */
  static String text(JsonNode json) {
    return json.toPrettyString();
  }

  @Override
  public void close() {
    http.close();
  }
}
