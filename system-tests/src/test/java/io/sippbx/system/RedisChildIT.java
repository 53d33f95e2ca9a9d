package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The own Redis of a standalone dies with calls up. */
class RedisChildIT {

  private static final int CALLS = 3;

  @TempDir Path folder = Path.of("");

  private long redis() throws IOException {
    var state = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve("data/redis/redis.state"))) {
      state.load(in);
    }
    return Long.parseLong(state.getProperty("pid"));
  }

  @Test
  void isStartedAgainAndNoCallIsLost() throws IOException {
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Sipp callee = Sipp.scenario("callee").calls(CALLS).option("-d", "50").listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      try (Sipp caller =
          Sipp.scenario("caller-stays").calls(CALLS).start(folder, edge.sip(Transport.UDP))) {
        Await.until(
            "all calls are up",
            Duration.ofSeconds(20),
            () -> edge.json("/api/v1/calls").findValuesAsText("state"),
            states -> states.size() == CALLS && states.stream().allMatch("CALL_STATE_UP"::equals),
            caller::messages);
        long pid = redis();
        assertThat(ProcessHandle.of(pid).orElseThrow().destroyForcibly()).isTrue();
        Await.until(
            "it is started again, and answers",
            Duration.ofSeconds(30),
            () -> redis() != pid && edge.json("/ready").path("status").asText().equals("ready"),
            isBack -> isBack,
            () -> edge.child().tail());
        assertThat(edge.json("/api/v1/calls").path("calls")).hasSize(CALLS);
        assertThat(edge.json("/api/v1/registrations").path("registrations")).hasSize(1);
        assertThat(edge.metrics()).contains("sip_redis_restarts_total 1.0");
        edge.child().terminate();
        assertThat(edge.child().awaitExit(Duration.ofSeconds(20))).isZero();
        caller.awaitSuccess();
        callee.awaitSuccess();
      }
      assertThat(edge.cdrs()).hasSize(CALLS);
      assertThat(edge.child().output()).contains("redis.process_ended", "redis.process_restarted");
    }
  }
}
