package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed and started again, with calls up. */
class SurvivalIT {

  private static final int CALLS = 3;
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(10);

  /** Who takes a call up does not know whether its ACK was sent, and sends it again. */
  private static final Script CALLEE =
      Script.callee()
          .expect("INVITE", "m=audio [1-9]")
          .answer("180 Ringing")
          .answerWithSdp("200 OK")
          .expectAck()
          .mayBeAcknowledgedAgain()
          .isHungUp();

  @TempDir Path folder = Path.of("");

  @Test
  void killedWithCallsUpGoesOnWithThemAndWithItsRegistrations() throws Exception {
    try (EdgeProcess first = EdgeProcess.standalone(folder);
        Sipp callee = Sipp.script("callee", CALLEE).calls(CALLS + 1).within(90).listen(folder)) {
      Phones.register(first, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      // They hang up when the process is gone, or is there again: a BYE is repeated for 32 s.
      try (Sipp caller =
          Sipp.scenario("caller")
              .calls(CALLS)
              .within(90)
              .option("-d", "6000")
              .start(folder, first.sip(Transport.UDP))) {
        Await.until(
            "all calls are up",
            Duration.ofSeconds(20),
            () -> acknowledged(callee),
            count -> count == CALLS,
            () -> caller.account() + callee.account() + first.child().tail());
        assertThat(first.cdrs()).isEmpty();
        first.child().kill();
        first.child().awaitExit(ENDS_WITHIN);
        try (EdgeProcess second = first.again()) {
          // Bob has not registered with this one.
          Sipp.scenario("caller").option("-d", "200").succeed(folder, second.sip(Transport.UDP));
          caller.awaitSuccess();
          callee.awaitSuccess();
          List<JsonNode> records =
              Await.until(
                  "each call has a record",
                  Duration.ofSeconds(20),
                  second::cdrs,
                  found -> found.size() > CALLS,
                  () -> second.child().tail());
          assertThat(records)
              .hasSize(CALLS + 1)
              .allSatisfy(
                  record -> assertThat(record.path("status").asText()).isEqualTo("completed"))
              .extracting(record -> record.path("call_id").asText())
              .doesNotHaveDuplicates();
          second.awaitNothingLeft();
          second.child().terminate();
          assertThat(second.child().awaitExit(ENDS_WITHIN)).isZero();
          assertThat(second.cdrs()).hasSize(CALLS + 1);
        }
      }
    }
  }

  @Test
  void leavesNoRedisBehind() throws Exception {
    try (EdgeProcess edge = EdgeProcess.standalone(folder)) {
      ProcessHandle redis = redis();
      assertThat(redis.isAlive()).isTrue();
      edge.child().terminate();
      assertThat(edge.child().awaitExit(ENDS_WITHIN)).isZero();
      assertThat(redis.isAlive()).isFalse();
    }
  }

  @Test
  void refusesADataFolderThatAnotherProcessUses() throws Exception {
    int ports = Ports.range(8);
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Child other =
            EdgeProcess.run(
                folder,
                List.of(
                    "standalone",
                    "--port=0",
                    "--set=sip.listen_ip=127.0.0.1",
                    "--set=media.port_pool.start=" + ports,
                    "--set=media.port_pool.end=" + (ports + 7),
                    "--set=cdr.enabled=false",
                    "--set=standalone.data_dir=" + folder.resolve("data"),
                    "--set=monitoring.prometheus_port=0",
                    "--set=monitoring.health_check_port=0"))) {
      assertThat(other.awaitExit(Duration.ofSeconds(60))).isNotZero();
      assertThat(other.output())
          .contains("standalone.data_dir = " + folder.resolve("data"), "used by another");
      assertThat(edge.child().isAlive()).isTrue();
    }
  }

  @Test
  void isNotReadyWhileRedisIsGone() throws Exception {
    try (EdgeProcess edge = EdgeProcess.standalone(folder)) {
      assertThat(edge.metrics()).contains("sip_redis_up 1.0\n");
      ProcessHandle redis = redis();
      redis.destroyForcibly();
      JsonNode ready =
          Await.until(
              "it says that it is not ready",
              ENDS_WITHIN,
              () -> edge.json("/ready"),
              answer -> !answer.path("status").asText().equals("ready"));
      assertThat(ready.toString()).contains("Redis");
      assertThat(edge.metrics()).contains("sip_redis_up 0.0\n");
    }
  }

  private ProcessHandle redis() throws IOException {
    var state = new Properties();
    try (var in = Files.newBufferedReader(folder.resolve("data/redis/redis.state"))) {
      state.load(in);
    }
    return ProcessHandle.of(Long.parseLong(state.getProperty("pid"))).orElseThrow();
  }

  private static long acknowledged(Sipp callee) {
    return callee.messages().lines().filter(line -> line.startsWith("ACK sip:")).count();
  }
}
