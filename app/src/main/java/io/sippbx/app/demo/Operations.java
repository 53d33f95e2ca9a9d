package io.sippbx.app.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Asks the node over HTTP, as a monitoring system does. */
final class Operations implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client;
  private final Endpoint at;
  private final Duration patience;

  Operations(Endpoint at, Duration patience) {
    this.at = at;
    this.patience = patience;
    this.client = HttpClient.newBuilder().connectTimeout(patience).build();
  }

  /**
   * What the node answers to a GET.
   *
   * @throws DemoFailure if it does not answer 200 with JSON in time
   */
  JsonNode get(String path) throws DemoFailure, InterruptedException {
    HttpResponse<String> response = ask(path);
    if (response.statusCode() != 200) {
      throw new DemoFailure("GET " + path + ": expected 200, but got " + response.statusCode());
    }
    return parse("GET " + path, response.body());
  }

  /** Whether the node takes calls. */
  boolean isReady() throws DemoFailure, InterruptedException {
    return ask("/ready").statusCode() == 200;
  }

  private HttpResponse<String> ask(String path) throws DemoFailure, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://" + at + path)).timeout(patience).build();
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new DemoFailure("GET " + path + ": expected an answer, but " + e, e);
    }
  }

  /**
   * Reads one JSON object.
   *
   * @param what it is, for the message
   * @throws DemoFailure if it is none
   */
  static JsonNode parse(String what, String text) throws DemoFailure {
    try {
      JsonNode node = JSON.readTree(text);
      if (node != null && node.isObject()) {
        return node;
      }
    } catch (JsonProcessingException e) {
      throw new DemoFailure(what + ": expected JSON, but got " + text, e);
    }
    throw new DemoFailure(what + ": expected a JSON object, but got " + text);
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
