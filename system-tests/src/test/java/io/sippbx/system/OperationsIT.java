package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users of the reference system read from a running process, by the names that they know. */
class OperationsIT {

  @TempDir Path folder = Path.of("");

  private static List<String> names(JsonNode object) {
    var names = new ArrayList<String>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void tellsByTheNamesOfTheReference() throws IOException {
    LocalDate before = LocalDate.now(ZoneOffset.UTC);
    try (EdgeProcess edge = EdgeProcess.standalone(folder)) {
      Phones.Outcome call =
          Phones.call(
              edge,
              folder,
              Transport.UDP,
              Sipp.scenario("caller").option("-d", "100"),
              Sipp.scenario("callee").option("-d", "50"));

      JsonNode cdr = edge.cdr(call.callId());
      assertThat(names(cdr))
          .startsWith(
              "call_id",
              "caller",
              "callee",
              "start_time",
              "end_time",
              "duration",
              "status",
              "caller_ip",
              "callee_ip",
              "codec",
              "termination_reason");
      try (Stream<Path> files = Files.list(folder.resolve("cdr"))) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .filteredOn(name -> name.endsWith(".jsonl"))
            .isSubsetOf("cdr-" + before + ".jsonl", "cdr-" + before.plusDays(1) + ".jsonl");
      }

      JsonNode health = edge.json("/health");
      assertThat(names(health)).containsExactly("status", "timestamp");
      assertThat(health.path("status").asText()).isEqualTo("healthy");
      assertThat(Instant.parse(health.path("timestamp").asText()))
          .isBetween(Instant.now().minus(Duration.ofMinutes(1)), Instant.now());
      JsonNode ready = edge.json("/ready");
      assertThat(ready.toString()).isEqualTo("{\"status\":\"ready\",\"active_calls\":0}");
      for (String path : List.of("/api/stats", "/api/status")) {
        JsonNode stats = edge.json(path);
        assertThat(names(stats))
            .containsExactly(
                "active_calls",
                "total_calls",
                "failed_calls",
                "success_rate",
                "average_call_duration",
                "port_pool",
                "uptime_seconds");
        assertThat(names(stats.path("port_pool")))
            .containsExactly("total", "in_use", "utilization");
        assertThat(stats.path("total_calls").asInt()).isEqualTo(1);
        assertThat(stats.path("success_rate").asDouble()).isEqualTo(100.0);
      }
      assertThat(edge.metrics())
          .contains("sip_active_calls 0.0")
          .contains("sip_total_calls 1.0")
          .contains("sip_call_duration_seconds_count 1")
          .contains("sip_call_setup_duration_seconds_count 1")
          .contains("rtp_packets_received 0.0")
          .contains("rtp_packets_sent 0.0")
          .contains("rtp_port_pool_usage 0.0")
          .contains("webhook_requests_total 0.0")
          .contains("webhook_failures_total 0.0");
    }
  }

  @Test
  void logsFromTheLevelOnThatIsAskedFor() {
    try (EdgeProcess edge =
        EdgeProcess.start(
            folder, 40, List.of(), List.of(), List.of("standalone", "--log-level", "WARN"))) {
      edge.child().terminate();
      assertThat(edge.child().awaitExit(Duration.ofSeconds(30))).isZero();
      assertThat(edge.child().output().lines())
          .singleElement()
          .asString()
          .startsWith("sip-pbx ready ");
    }
  }
}
