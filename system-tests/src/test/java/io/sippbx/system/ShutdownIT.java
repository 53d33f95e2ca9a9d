package io.sippbx.system;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM while calls are up, and while there are none: how long that takes is measured. */
@Tag("calm")
class ShutdownIT {

  private static final int CALLS = 5;
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Instant EMPTY = Instant.EPOCH;

  @TempDir Path folder = Path.of("");

  @Test
  void hangsUpOnBothSidesAndWritesTheRecords() {
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Sipp callee = Sipp.scenario("callee").calls(CALLS).option("-d", "50").listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      try (Sipp caller =
          Sipp.scenario("caller-stays").calls(CALLS).start(folder, edge.sip(Transport.UDP))) {
        Await.until(
            "all calls are answered",
            Duration.ofSeconds(20),
            () -> acknowledged(callee),
            count -> count == CALLS,
            () -> caller.account() + callee.account() + edge.child().tail());
        edge.child().terminate();
        assertThat(edge.child().awaitExit(Duration.ofSeconds(10))).isZero();
        caller.awaitSuccess();
        callee.awaitSuccess();
      }
      assertThat(edge.cdrs()).hasSize(CALLS);
      assertThat(edge.cdrs())
          .allSatisfy(cdr -> assertThat(cdr.path("answer_time").asText()).startsWith("20"));
      assertThat(edge.child().output()).contains("node.stopped");
    }
  }

  private static long acknowledged(Sipp callee) {
    return callee.messages().lines().filter(line -> line.startsWith("ACK sip:")).count();
  }

  @Test
  void idleEndsWithinASecondAndSaysNothingButItsLogAndTheBanner() throws IOException {
    try (EdgeProcess edge = EdgeProcess.standalone(folder)) {
      edge.child().terminate();
      assertThat(edge.child().awaitExit(ENDS_WITHIN)).isZero();
      Instant stopping = EMPTY;
      Instant stopped = EMPTY;
      for (String line : edge.child().output().lines().toList()) {
        if (line.startsWith("sip-pbx ready ")) {
          continue;
        }
        JsonNode event = JSON.readTree(line);
        assertThat(event.path("level").asText()).as(line).isEqualTo("INFO");
        Instant at = Instant.parse(event.path("timestamp").asText());
        switch (event.path("message").asText()) {
          case "node.stopping" -> stopping = at;
          case "node.stopped" -> stopped = at;
          default -> {}
        }
      }
      // Alone on the machine it takes a tenth of a second; two when it waits for Netty's threads.
      assertThat(Duration.between(stopping, stopped)).isBetween(Duration.ZERO, ofSeconds(1));
    }
  }
}
