package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM while calls are up. */
class ShutdownIT {

  private static final int CALLS = 5;

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
}
