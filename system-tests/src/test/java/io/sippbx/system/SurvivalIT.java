package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed and started again, with calls up. */
class SurvivalIT {

  private static final int CALLS = 3;
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(10);
  private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(32);

  /** The other side has a tag already. */
  private static final Pattern INVITED_AGAIN = Pattern.compile("(?m)^To:.*;tag=");

  @TempDir Path folder = Path.of("");

  /** Two phones with a call of their own. */
  private record Pair(UdpPhone alice, UdpPhone bob, String callee) implements AutoCloseable {

    /** The second is registered. */
    static Pair register(EdgeProcess edge, int number) {
      InetSocketAddress address = RawSip.address(edge.address("udp"));
      String callee = "bob" + number;
      var pair =
          new Pair(new UdpPhone(address, "alice" + number), new UdpPhone(address, callee), callee);
      // A node that has just started may say 503 on a busy machine.
      Await.until(
          callee + " is registered",
          ANSWERS_WITHIN,
          () -> pair.bob.ask(pair.bob.registration(), ANSWERS_WITHIN),
          answer -> UdpPhone.status(answer) == 200);
      return pair;
    }

    void call() {
      String invite = alice.invitation(callee);
      String invited = bob.awaitRequest("INVITE", ANSWERS_WITHIN, () -> alice.send(invite));
      bob.isInvited(invited);
      bob.send(bob.answer(invited, "200 OK", bob.sdp()));
      String answered =
          alice.await("200", ANSWERS_WITHIN, message -> UdpPhone.isFinalTo(invite, message));
      assertThat(UdpPhone.status(answered)).isEqualTo(200);
      alice.joins(answered);
      bob.awaitRequest(
          "ACK", ANSWERS_WITHIN, () -> alice.send(alice.acknowledgement(invite, answered)));
    }

    void hangUp() {
      String bye = alice.within("BYE", "");
      String said = bob.awaitRequest("BYE", ANSWERS_WITHIN, () -> alice.send(bye));
      bob.send(bob.answer(said, "200 OK", ""));
      assertThat(UdpPhone.status(alice.ask(bye, ANSWERS_WITHIN))).isEqualTo(200);
    }

    /** What was heard that only one is told whose media have gone elsewhere. */
    List<String> toldAnew() {
      alice.rest();
      bob.rest();
      return Stream.concat(alice.heard().stream(), bob.heard().stream())
          .filter(message -> message.startsWith("INVITE ") && INVITED_AGAIN.matcher(message).find())
          .toList();
    }

    @Override
    public void close() {
      alice.close();
      bob.close();
    }
  }

  @Test
  void killedWithCallsUpGoesOnWithThemAndWithItsRegistrations() throws Exception {
    var pairs = new ArrayList<Pair>();
    try (EdgeProcess first = EdgeProcess.standalone(folder)) {
      for (int i = 0; i <= CALLS; i++) {
        pairs.add(Pair.register(first, i));
      }
      pairs.subList(0, CALLS).forEach(Pair::call);
      assertThat(first.cdrs()).isEmpty();
      first.child().kill();
      first.child().awaitExit(ENDS_WITHIN);
      try (EdgeProcess second = first.again()) {
        second.awaitSessions(CALLS);
        // The last has not registered with this one.
        pairs.getLast().call();
        assertThat(pairs).flatExtracting(Pair::toldAnew).as(second.child().output()).isEmpty();
        pairs.forEach(Pair::hangUp);
        List<JsonNode> records =
            Await.until(
                "each call has a record",
                Duration.ofSeconds(20),
                second::cdrs,
                found -> found.size() > CALLS,
                () -> second.child().tail());
        assertThat(records)
            .hasSize(CALLS + 1)
            .allSatisfy(record -> assertThat(record.path("status").asText()).isEqualTo("completed"))
            .extracting(record -> record.path("call_id").asText())
            .doesNotHaveDuplicates();
        second.awaitNothingLeft();
        second.child().terminate();
        assertThat(second.child().awaitExit(ENDS_WITHIN)).isZero();
        assertThat(second.cdrs()).hasSize(CALLS + 1);
      }
    } finally {
      pairs.forEach(Pair::close);
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
}
