package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Versioned;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.CallKey;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commits that wait for a replica (WAIT), on a primary that has one. */
class RedisReplicasIT {

  private static final Duration PATIENCE = Duration.ofMillis(200);

  private RedisServer primary;
  private RedisServer replica;

  @BeforeEach
  void start() throws IOException {
    primary = RedisServer.process(Ports.free(), List.of());
    replica =
        RedisServer.process(Ports.free(), List.of("--replicaof", "127.0.0.1", "" + primary.port()));
    RedisServer.await(
        "the replica to follow",
        20_000,
        () -> says(primary, "INFO", "replication").contains("state=online"));
  }

  @AfterEach
  void stop() throws IOException {
    replica.close();
    primary.close();
  }

  private static String says(RedisServer server, String... words) {
    try {
      return server.ask(words);
    } catch (IOException e) {
      return "";
    }
  }

  private RealStore open() throws RedisStartException {
    return new RealStore(primary.settings().with(new RedisSettings.Replication(1, PATIENCE)));
  }

  private static CallKey call(int number) {
    var octets = new byte[16];
    octets[15] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static long waits(RedisServer server) {
    String said = says(server, "INFO", "commandstats");
    int at = said.indexOf("cmdstat_wait:calls=");
    return at < 0
        ? 0
        : Long.parseLong(said.substring(at).replaceFirst("(?s)cmdstat_wait:calls=(\\d+).*", "$1"));
  }

  @Test
  void theReplicaHasWhatCounts() throws Exception {
    try (var real = open()) {
      // The first run of the script finds that it is not known there.
      RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a"));
      var read = Optional.of(new Versioned<>(1, new CommitId(1), "a"));
      assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(read, 2, "b")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(replica.ask("HGET", "{p00}:call:" + call(0), "v")).isEqualTo("$1\r\n2\r\n");
      assertThat(real.store().stats().notReplicated()).isZero();
      assertThat(waits(primary)).isBetween(1L, 2L);
    }
  }

  @Test
  void oneWaitIsForAllCommitsOfATurn() throws Exception {
    try (var real = open()) {
      CallStore<String> calls = real.store().calls(new RedisFailureIT.Text(), OutboxLimit.NONE);
      RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a"));
      List<CallKey> ofThisLoop =
          IntStream.range(1, 100)
              .mapToObj(RedisReplicasIT::call)
              .filter(each -> real.loops().loops().of(each.hashCode()).equals(real.loop()))
              .toList();
      assertThat(ofThisLoop).hasSizeGreaterThan(10);
      long before = waits(primary);
      BlockingQueue<CommitAnswer<String>> answers = new LinkedBlockingQueue<>();
      real.loop()
          .execute(
              () -> {
                for (CallKey each : ofThisLoop) {
                  calls.commit(
                      new CallCommit<>(
                          each, Optional.empty(), new CommitId(9), Optional.of("x"), List.of()),
                      answers::add);
                }
              });
      for (int i = 0; i < ofThisLoop.size(); i++) {
        assertThat(answers.poll(20, TimeUnit.SECONDS)).isInstanceOf(CommitAnswer.Applied.class);
      }
      assertThat(waits(primary) - before).isEqualTo(1);
    }
  }

  @Test
  void whatTheReplicaHasNotInTimeCountsAllTheSameAndIsCounted() throws Exception {
    try (var real = open()) {
      RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a"));
      replica.pause();
      var read = Optional.of(new Versioned<>(1, new CommitId(1), "a"));
      assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(read, 2, "b")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(real.store().stats().notReplicated()).isEqualTo(1);
      assertThat(real.store().stats().timeouts()).isZero();
      replica.resume();
      var next = Optional.of(new Versioned<>(2, new CommitId(2), "b"));
      assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(next, 3, "c")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(real.store().stats().notReplicated()).isEqualTo(1);
    }
  }
}
