package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RestoringCallStore;
import io.sippbx.control.store.Versioned;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.CallKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A primary, its replica and three sentinels, with a fail-over; acknowledged writes are lost. */
class RedisSentinelIT {

  private final List<RedisServer> servers = new ArrayList<>();
  private final List<RedisServer> sentinels = new ArrayList<>();

  @BeforeEach
  void start() throws IOException {
    RedisServer primary = RedisServer.process(Ports.free(), List.of());
    servers.add(primary);
    servers.add(
        RedisServer.process(
            Ports.free(), List.of("--replicaof", "127.0.0.1", "" + primary.port())));
    for (int i = 0; i < 3; i++) {
      sentinels.add(
          RedisServer.sentinel(
              Ports.free(),
              """
              sentinel monitor mymaster 127.0.0.1 %d 2
              sentinel down-after-milliseconds mymaster 1000
              sentinel failover-timeout mymaster 3000
              """
                  .formatted(primary.port())));
    }
    RedisServer.await(
        "sentinels and replica to be known",
        20_000,
        () -> sentinels.stream().allMatch(RedisSentinelIT::knowsAll));
  }

  private static boolean knowsAll(RedisServer sentinel) {
    try {
      String masters = sentinel.ask("SENTINEL", "MASTER", "mymaster");
      return masters.contains("num-slaves\r\n$1\r\n1\r\n")
          && masters.contains("num-other-sentinels\r\n$1\r\n2\r\n");
    } catch (IOException e) {
      return false;
    }
  }

  @AfterEach
  void stop() throws IOException {
    for (RedisServer each : sentinels) {
      each.close();
    }
    for (RedisServer each : servers) {
      each.close();
    }
  }

  private RedisSettings settings() {
    return RedisSettings.of(
        new RedisAddress.Sentinel(
            sentinels.stream()
                .map(each -> new RedisAddress.Host("127.0.0.1", each.port()))
                .toList(),
            "mymaster",
            false));
  }

  private static CommitAnswer<String> commit(
      RealStore real, CallStore<String> calls, CallCommit<String> commit) {
    return real.<CommitAnswer<String>>ask(answer -> calls.commit(commit, answer));
  }

  @Test
  void followsTheSentinelsToTheNewPrimaryAndWritesBackWhatItLost() throws Exception {
    RedisServer primary = servers.get(0);
    RedisServer replica = servers.get(1);
    CallKey call = CallKey.ofBytes(new byte[16]);
    try (var real = new RealStore(settings())) {
      var calls =
          new RestoringCallStore<>(
              real.store().calls(new RedisFailureIT.Text(), OutboxLimit.NONE),
              real.loops().loops(),
              100,
              each -> false);
      real.store().onOtherServer(calls::offerAgain);
      assertThat(commit(real, calls, RedisFailureIT.commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      RedisServer.await(
          "the first commit on the replica",
          () -> {
            try {
              return replica.ask("EXISTS", "{p00}:call:" + call).startsWith(":1");
            } catch (IOException e) {
              return false;
            }
          });
      // The replica is stopped and then cut off, as its socket would go on taking what it is sent:
      // what is acknowledged from now on will be lost.
      replica.pause();
      assertThat(primary.ask("CLIENT", "KILL", "TYPE", "replica")).isEqualTo(":1\r\n");
      var a = new Versioned<>(1, new CommitId(1), "a");
      assertThat(commit(real, calls, RedisFailureIT.commit(Optional.of(a), 2, "b")))
          .isInstanceOf(CommitAnswer.Applied.class);
      primary.close();
      replica.resume();
      var b = new Versioned<>(2, new CommitId(2), "b");
      // Its version ran backwards: ours is written back before anybody asks.
      RedisServer.await(
          "what was lost to be written back",
          30_000,
          () -> RedisFailureIT.read(real).equals(new ReadAnswer.Found<>(b)));
      assertThat(calls.restored()).isEqualTo(1);
      assertThat(real.store().stats().otherServers()).isGreaterThanOrEqualTo(1);
      assertThat(commit(real, calls, RedisFailureIT.commit(Optional.of(b), 3, "c")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(RedisFailureIT.read(real))
          .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(3, new CommitId(3), "c")));
      assertThat(replica.ask("ROLE")).contains("master");
    }
  }
}
