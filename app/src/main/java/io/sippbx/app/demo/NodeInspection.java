package io.sippbx.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;

/** Holds what the node says of itself against what should be. */
final class NodeInspection {

  /** Of a call with audio: RTP and RTCP on two legs. */
  private static final int PORT_PAIRS = 2;

  private final Checks checks;
  private final DemoNode node;
  private final Operations operations;
  private final Duration patience;

  /**
   * @param patience how long a count may take to become right
   */
  NodeInspection(Checks checks, DemoNode node, Operations operations, Duration patience) {
    this.checks = checks;
    this.node = node;
    this.operations = operations;
    this.patience = patience;
  }

  /** While they talk: the node must know of one call and have its ports lent. */
  void midCall() throws DemoFailure, InterruptedException {
    boolean up = awaitCounts(1, PORT_PAIRS);
    JsonNode stats = operations.get("/api/stats");
    int calls = stats.path("active_calls").asInt(-1);
    int ports = stats.path("port_pool").path("in_use").asInt(-1);
    checks.that(
        up && calls == 1 && ports == 2 * PORT_PAIRS,
        "during the call the node counts 1 call and 4 media ports",
        calls + " and " + ports);
  }

  /** After the call: nothing may be left of it. */
  void quiet() throws DemoFailure, InterruptedException {
    boolean quiet = awaitCounts(0, 0);
    checks.that(
        quiet,
        "nothing is left of the call",
        "calls=" + node.activeCalls() + " lent port pairs=" + node.lentPortPairs());
    checks.same("/health", "healthy", operations.get("/health").path("status").asText());
    checks.same("/ready", "ready", operations.get("/ready").path("status").asText());
    JsonNode stats = operations.get("/api/stats");
    checks.same(
        "/api/stats: calls active, total, failed; ports in use",
        "0, 1, 0; 0",
        stats.path("active_calls").asText()
            + ", "
            + stats.path("total_calls").asText()
            + ", "
            + stats.path("failed_calls").asText()
            + "; "
            + stats.path("port_pool").path("in_use").asText());
  }

  private boolean awaitCounts(int calls, int pairs) throws DemoFailure, InterruptedException {
    return Waiting.until(
        () -> node.activeCalls() == calls && node.lentPortPairs() == pairs, patience);
  }
}
