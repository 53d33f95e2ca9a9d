package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.benchmarks.survival.Fleet;
import io.sippbx.benchmarks.survival.Load;
import io.sippbx.benchmarks.survival.Phase;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several control nodes on one Redis: each answers for all. */
class AdminClusterIT {

  private static final int NODES = 2;
  private static final int CALLS = 4;
  private static final Duration WITHIN = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder = Path.of("");
  private final HttpClient http = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    http.close();
  }

  private JsonNode send(HttpRequest.Builder request) throws IOException {
    try {
      HttpResponse<String> response =
          http.send(
              request.timeout(Duration.ofSeconds(10)).build(),
              HttpResponse.BodyHandlers.ofString());
      return JSON.readTree(response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private JsonNode get(Fleet fleet, int node, String path) throws IOException {
    return send(
        HttpRequest.newBuilder(URI.create("http://" + fleet.operations(node) + "/api/v1/" + path)));
  }

  private JsonNode post(Fleet fleet, int node, String path) throws IOException {
    return send(
        HttpRequest.newBuilder(URI.create("http://" + fleet.operations(node) + "/api/v1/" + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}")));
  }

  private JsonNode calls(Fleet fleet, int node) throws IOException {
    return get(fleet, node, "calls").path("calls");
  }

  /** Up, and written down so that no node has it in hand. */
  private static boolean isQuiet(JsonNode call) {
    return call.path("state").asText().equals("CALL_STATE_UP")
        && !call.path("in_flight").asBoolean(true);
  }

  @Test
  void anyNodeListsAndHangsUpTheCallsOfAll() throws IOException {
    try (Fleet fleet = Fleets.start(folder, NODES);
        var load = new Load(fleet, 7)) {
      load.begin(List.of(Phase.UP), false, CALLS);
      for (int node = 1; node <= NODES; node++) {
        int asked = node;
        Await.until(
            "node " + node + " lists all calls, quiet",
            WITHIN,
            () -> calls(fleet, asked),
            found -> found.size() == CALLS && allQuiet(found));
        Await.until(
            "node " + node + " knows all nodes",
            WITHIN,
            () -> get(fleet, asked, "control-nodes").path("nodes").findValuesAsText("state"),
            states ->
                states.size() == NODES
                    && states.stream().allMatch("CONTROL_NODE_STATE_UP"::equals));
        JsonNode ledger = get(fleet, node, "ledger");
        assertThat(ledger.path("balanced").asBoolean()).as("%s", ledger).isTrue();
        assertThat(ledger.path("lines").path(0).path("in_store").asInt()).isEqualTo(CALLS);
      }
      var keys = new ArrayList<String>();
      calls(fleet, 1).forEach(call -> keys.add(call.path("call_key").asText()));
      for (int i = 0; i < CALLS; i++) {
        String path = "calls/" + keys.get(i) + ":hangup";
        int asked = 1 + i % NODES;
        JsonNode answer = post(fleet, asked, path);
        assertThat(answer.path("call_key").asText()).as("%s", answer).isEqualTo(keys.get(i));
      }
      for (String key : keys) {
        JsonNode ended =
            Await.until(
                "the call has ended",
                WITHIN,
                () -> get(fleet, 2, "calls/" + key),
                call -> call.path("summary").path("state").asText().equals("CALL_STATE_ENDED"));
        assertThat(ended.path("reason").asText()).isEqualTo("administrator");
      }
      assertThat(calls(fleet, 1)).isEmpty();
      Await.until("no port is left", WITHIN, fleet::portsLent, left -> left == 0);
    }
  }

  /** A call that rings is in the hand of the node that called the callee. */
  @Test
  void aNodeHangsUpWhatAnotherHasInHandAndDrainsIt() throws IOException {
    try (Fleet fleet = Fleets.start(folder, NODES);
        var load = new Load(fleet, 7)) {
      load.begin(List.of(Phase.RINGING), false, CALLS);
      assertThat(load.notHeld()).isEmpty();
      JsonNode ringing = calls(fleet, 1);
      assertThat(ringing).hasSize(CALLS);
      for (JsonNode call : ringing) {
        assertThat(call.path("in_flight").asBoolean()).as("%s", call).isTrue();
        String key = call.path("call_key").asText();
        String owner = get(fleet, 1, "calls/" + key).path("owner").asText();
        assertThat(owner).startsWith("control-");
        int other = owner.startsWith("control-1") ? 2 : 1;
        JsonNode answer =
            Await.until(
                "the mesh is up, and the owner is told",
                WITHIN,
                () -> post(fleet, other, "calls/" + key + ":hangup"),
                said -> said.path("call_key").asText().equals(key));
        assertThat(answer.size()).isEqualTo(1);
        JsonNode ended =
            Await.until(
                "the call has ended",
                WITHIN,
                () -> get(fleet, other, "calls/" + key),
                shown -> shown.path("summary").path("state").asText().equals("CALL_STATE_ENDED"));
        assertThat(ended.path("reason").asText()).isEqualTo("administrator");
      }
      JsonNode drained = post(fleet, 1, "control-nodes/control-2:drain");
      assertThat(drained.path("state").asText())
          .as("%s", drained)
          .isEqualTo("CONTROL_NODE_STATE_DRAINING");
      assertThat(fleet.isReady(2)).isFalse();
      assertThat(fleet.isReady(1)).isTrue();
      JsonNode undrained = post(fleet, 1, "control-nodes/control-2:undrain");
      assertThat(undrained.path("state").asText()).isEqualTo("CONTROL_NODE_STATE_UP");
      assertThat(fleet.isReady(2)).isTrue();
    }
  }

  @Test
  void aDrainedMediaNodeIsLeftByItsCallsWhichGoOn() throws IOException {
    try (Fleet fleet = Fleets.start(folder, NODES, 2);
        var load = new Load(fleet, 7)) {
      load.begin(List.of(Phase.UP), false, CALLS);
      load.begin(List.of(Phase.UP), true, CALLS);
      assertThat(load.notHeld()).isEmpty();
      List<String> callIds = load.callIds();
      JsonNode fullest =
          mediaNodes(fleet).stream()
              .max(Comparator.comparingInt(node -> node.path("sessions").asInt()))
              .orElseThrow();
      assertThat(fullest.path("sessions").asInt()).as("%s", fullest).isPositive();
      String id = fullest.path("node_id").asText();
      JsonNode drained = post(fleet, 2, "media-nodes/" + id + ":drain");
      assertThat(drained.path("state").asText()).isEqualTo("MEDIA_NODE_STATE_DRAINING");
      Await.until(
          id + " is empty, and the other has all",
          WITHIN,
          () -> mediaNodes(fleet),
          nodes ->
              nodes.stream()
                  .allMatch(
                      node ->
                          node.path("sessions").asInt()
                              == (node.path("node_id").asText().equals(id) ? 0 : 2 * CALLS)));
      load.release(phase -> true, Duration.ofSeconds(1));
      load.awaitEnds(phase -> true, WITHIN);
      assertThat(load.losses()).isEmpty();
      assertThat(load.failures()).isEmpty();
      Fleets.awaitNothingLeft(fleet, callIds);
    }
  }

  private List<JsonNode> mediaNodes(Fleet fleet) throws IOException {
    var nodes = new ArrayList<JsonNode>();
    get(fleet, 1, "media-nodes").path("nodes").forEach(nodes::add);
    return nodes;
  }

  private static boolean allQuiet(JsonNode calls) {
    for (JsonNode call : calls) {
      if (!isQuiet(call)) {
        return false;
      }
    }
    return true;
  }
}
