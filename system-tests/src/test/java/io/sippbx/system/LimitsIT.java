package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that the edge ends or refuses by itself: both sides are told, and a record says why. */
class LimitsIT {

  @TempDir Path folder = Path.of("");

  private EdgeProcess edge(String... settings) {
    var arguments = new ArrayList<String>(List.of("standalone"));
    for (String setting : settings) {
      arguments.add("--set=" + setting);
    }
    return EdgeProcess.start(folder, 40, List.of(), List.of(), arguments);
  }

  /** A call that is up until the edge ends it. */
  private JsonNode endedByTheEdge(EdgeProcess edge) {
    Phones.Outcome call =
        Phones.call(
            edge,
            folder,
            Transport.UDP,
            Sipp.scenario("caller-stays"),
            Sipp.scenario("callee").option("-d", "50"));
    return edge.cdr(call.callId());
  }

  @Test
  void endsACallThatLastsTooLong() {
    try (EdgeProcess edge = edge("sip.max_call_duration=2")) {
      JsonNode cdr = endedByTheEdge(edge);
      assertThat(cdr.path("termination_reason").asText()).isEqualTo("max_duration");
      assertThat(cdr.path("billable_duration").asInt()).isBetween(1, 4);
    }
  }

  @Test
  void endsACallWithoutMedia() {
    try (EdgeProcess edge = edge("media.rtp_timeout=2")) {
      JsonNode cdr = endedByTheEdge(edge);
      assertThat(cdr.path("termination_reason").asText()).isEqualTo("media_timeout");
    }
  }

  @Test
  void refusesWhatIsOneCallTooMany() {
    try (EdgeProcess edge = edge("sip.max_concurrent_calls=1", "sip.retry_after=7");
        Sipp callee = Sipp.scenario("callee").option("-d", "50").listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      try (Sipp first =
          Sipp.scenario("caller").option("-d", "4000").start(folder, edge.sip(Transport.UDP))) {
        first.relayPort();
        Sipp.script(
                "refused",
                Script.caller().invite().optional(100).expect(503, "Retry-After: 7").ackRefusal(3))
            .succeed(folder, edge.sip(Transport.UDP));
        first.awaitSuccess();
        callee.awaitSuccess();
      }
      edge.awaitNothingLeft();
      assertThat(edge.cdrs()).as("a refusal by a limit is no call").hasSize(1);
    }
  }
}
