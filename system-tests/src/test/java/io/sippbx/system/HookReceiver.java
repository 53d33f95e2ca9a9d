package io.sippbx.system;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Two receivers of webhooks: one that keeps what it is given, though not at the first time of
 * asking always, and one that takes connections and never says a word.
 */
final class HookReceiver implements AutoCloseable {

  /** Of so many requests one is answered with 500, the first time. */
  private static final int REFUSES_ONE_OF = 7;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;
  private final ServerSocket silent;

  private final Map<String, Set<Integer>> seqs = new LinkedHashMap<>();
  private final Map<String, Set<String>> ends = new LinkedHashMap<>();
  private final Set<String> ids = new LinkedHashSet<>();
  private final Set<String> refused = new LinkedHashSet<>();
  private int requests;

  HookReceiver() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    silent = new ServerSocket(0, 100, loopback);
    server = HttpServer.create(new InetSocketAddress(loopback, 0), 100);
    server.setExecutor(threads);
    server.createContext("/", this::receive);
    server.start();
  }

  /** Where everything is taken, sooner or later. */
  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/all";
  }

  /** Where nothing is ever answered. */
  String silentUrl() {
    return "http://127.0.0.1:" + silent.getLocalPort() + "/silent";
  }

  private void receive(HttpExchange exchange) throws IOException {
    String id = exchange.getRequestHeaders().getFirst("webhook-id");
    JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
    exchange.sendResponseHeaders(isTaken(id, body) ? 204 : 500, -1);
    exchange.close();
  }

  private synchronized boolean isTaken(String id, JsonNode body) {
    requests++;
    if (requests % REFUSES_ONE_OF == 0 && refused.add(id)) {
      return false;
    }
    if (ids.add(id)) {
      JsonNode data = body.path("data");
      String call = data.path("call_key").asText();
      seqs.computeIfAbsent(call, key -> new LinkedHashSet<>()).add(data.path("seq").asInt());
      if (body.path("type").asText().equals("call.ended")) {
        ends.computeIfAbsent(call, key -> new LinkedHashSet<>()).add(id);
      }
    }
    return true;
  }

  /** By call, the ids of the ends that were told of it. */
  synchronized Map<String, Set<String>> ends() {
    var copy = new LinkedHashMap<String, Set<String>>();
    ends.forEach((call, each) -> copy.put(call, new LinkedHashSet<>(each)));
    return copy;
  }

  /** Calls of which an event came for the first time after one that follows it. */
  synchronized List<String> outOfOrder() {
    var found = new ArrayList<String>();
    seqs.forEach(
        (call, each) -> {
          if (!List.copyOf(each).equals(each.stream().sorted().toList())) {
            found.add(call + each);
          }
        });
    return found;
  }

  /** What it was asked and given, for the one who reads the result. */
  synchronized String account() {
    return requests + " requests, " + ids.size() + " webhooks, " + refused.size() + " refused once";
  }

  @Override
  public void close() throws IOException {
    server.stop(0);
    threads.shutdownNow();
    silent.close();
  }
}
