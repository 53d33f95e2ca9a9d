package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Redis slow, paused, gone, or cut off in the middle of a commit. */
class RedisFailureIT {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);
  private static final Duration TIMEOUT = Duration.ofMillis(500);

  /** A record that is a text. */
  static final class Text implements RecordCodec<String> {
    @Override
    public Encoded encode(String record) {
      return new Encoded(ByteString.copyFromUtf8(record));
    }

    @Override
    public Decoded<String> decode(Encoded stored) {
      return new Read<>(stored.head().toStringUtf8());
    }
  }

  static CallCommit<String> commit(Optional<Versioned<String>> read, long id, String record) {
    return new CallCommit<>(
        CALL,
        read,
        new CommitId(id),
        Optional.of(record),
        List.of(CallEvent.newBuilder().setEventId("e" + id).build()));
  }

  static CommitAnswer<String> send(RealStore real, CallCommit<String> commit) {
    CallStore<String> calls = real.store().calls(new Text(), OutboxLimit.NONE);
    return real.<CommitAnswer<String>>ask(answer -> calls.commit(commit, answer));
  }

  static ReadAnswer<String> read(RealStore real) {
    CallStore<String> calls = real.store().calls(new Text(), OutboxLimit.NONE);
    return real.<ReadAnswer<String>>ask(answer -> calls.read(CALL, answer));
  }

  /** Sends the same commit until its outcome is known. */
  static CommitAnswer<String> sendUntilKnown(RealStore real, CallCommit<String> commit) {
    CommitAnswer<String> answer = send(real, commit);
    for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        answer instanceof CommitAnswer.Unknown && System.nanoTime() < end; ) {
      answer = send(real, commit);
    }
    return answer;
  }

  private static long millis(Runnable what) {
    long begin = System.nanoTime();
    what.run();
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
  }

  @Test
  void aPausedRedisIsUnknownInTimeThenRefusedAtOnceThenTheSameCommitIsAppliedOnce()
      throws Exception {
    try (var server = RedisServer.start();
        var real = new RealStore(server.settings())) {
      assertThat(send(real, commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      var second = commit(Optional.of(new Versioned<>(1, new CommitId(1), "a")), 2, "b");
      server.pause();
      long took =
          millis(() -> assertThat(send(real, second)).isInstanceOf(CommitAnswer.Unknown.class));
      assertThat(took).isBetween(TIMEOUT.toMillis() - 50, TIMEOUT.toMillis() + 2000);
      RedisServer.await(
          "the breaker to open",
          () -> {
            send(real, second);
            return real.store().stats().openBreakers() == 1;
          });
      long refused =
          millis(() -> assertThat(send(real, second)).isInstanceOf(CommitAnswer.Unknown.class));
      assertThat(refused).isLessThan(TIMEOUT.toMillis() / 2);
      server.resume();
      RedisServer.await("the breaker to close", () -> real.store().stats().openBreakers() == 0);
      // What was sent into the pause was applied when it ended, or is now; once in any case.
      assertThat(sendUntilKnown(real, second))
          .isInstanceOfAny(CommitAnswer.Applied.class, CommitAnswer.AlreadyApplied.class);
      assertThat(read(real))
          .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), "b")));
      assertThat(server.ask("XLEN", "{p00}:outbox")).isEqualTo(":2\r\n");
      assertThat(real.store().stats().pending()).isZero();
    }
  }

  @Test
  void aRedisThatIsGoneIsUnknownAndComesBackByItself() throws Exception {
    int port = Ports.free();
    RedisServer first = RedisServer.process(port, List.of());
    try (var real = new RealStore(first.settings())) {
      assertThat(send(real, commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      first.close();
      assertThat(send(real, commit(Optional.empty(), 2, "b")))
          .isInstanceOf(CommitAnswer.Unknown.class);
      assertThat(read(real)).isInstanceOf(ReadAnswer.Unavailable.class);
      try (var second = RedisServer.process(port, List.of())) {
        // It is empty, and does not know the scripts.
        assertThat(sendUntilKnown(real, commit(Optional.empty(), 3, "c")))
            .isInstanceOf(CommitAnswer.Applied.class);
        assertThat(second.ask("XLEN", "{p00}:outbox")).isEqualTo(":1\r\n");
      }
    } finally {
      first.close();
    }
  }

  /** One that came back is left alone: what is under way on it has its answers. */
  @Test
  void aConnectionThatWorksIsNotReplaced() throws Exception {
    int port = Ports.free();
    RedisServer first = RedisServer.process(port, List.of());
    try (var real = new RealStore(first.settings())) {
      first.close();
      // The loss, its retries and the probes of the breaker all ask for a new connection.
      RedisServer.await(
          "attempts to connect",
          () -> {
            send(real, commit(Optional.empty(), 1, "a"));
            return real.store().stats().connectFailures() >= 12;
          });
      try (var second = RedisServer.process(port, List.of())) {
        assertThat(sendUntilKnown(real, commit(Optional.empty(), 1, "a")))
            .isInstanceOf(CommitAnswer.Applied.class);
        long connects = real.store().stats().connects();
        long end = System.nanoTime() + RedisConnector.LONGEST_RETRY.multipliedBy(2).toNanos();
        while (System.nanoTime() < end) {
          assertThat(read(real)).isInstanceOf(ReadAnswer.Found.class);
        }
        assertThat(real.store().stats().connects()).isEqualTo(connects).isEqualTo(2);
        assertThat(second.ask("INFO", "clients")).contains("connected_clients:2\r\n");
      }
    } finally {
      first.close();
    }
  }

  /** Where the request is cut, the script has run or has not: the same commit finds out. */
  @ParameterizedTest
  @ValueSource(longs = {1, 20, 100, 200, 300, 340, 400, 500})
  void aConnectionCutWithinTheRequestIsUnknownAndTheSameCommitIsAppliedOnce(long octets)
      throws Exception {
    cut(octets, true);
  }

  /** The reply is lost after the commit. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 10, 20})
  void aConnectionCutWithinTheReplyIsUnknownAndTheSameCommitWasApplied(long octets)
      throws Exception {
    cut(octets, false);
  }

  private void cut(long octets, boolean request) throws Exception {
    try (var server = RedisServer.start();
        var proxy = new CuttingProxy(server.port());
        var real = new RealStore(RedisSettings.of(proxy.address()))) {
      // The script is known: what is cut is its run.
      assertThat(send(real, commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      var second = commit(Optional.of(new Versioned<>(1, new CommitId(1), "a")), 2, "b");
      if (request) {
        proxy.cutAfterToServer(octets);
      } else {
        proxy.cutAfterToClient(octets);
      }
      CommitAnswer<String> first = send(real, second);
      if (proxy.cuts() > 0) {
        // Not the whole of a reply can have come.
        assertThat(first).isInstanceOf(CommitAnswer.Unknown.class);
      }
      CommitAnswer<String> known = sendUntilKnown(real, second);
      if (request) {
        assertThat(known)
            .isInstanceOfAny(CommitAnswer.Applied.class, CommitAnswer.AlreadyApplied.class);
      } else {
        assertThat(proxy.cuts()).isEqualTo(1);
        assertThat(known).isInstanceOf(CommitAnswer.AlreadyApplied.class);
      }
      assertThat(read(real))
          .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), "b")));
      assertThat(server.ask("XLEN", "{p00}:outbox")).isEqualTo(":2\r\n");
    }
  }

  @Test
  void aNodeWithAnotherSecretDoesNotStart() throws Exception {
    try (var server = RedisServer.start();
        var real = new RealStore(server.settings());
        var loops = NettyLoops.start(1)) {
      assertThat(real.store().stats().connects()).isEqualTo(1);
      assertThatThrownBy(
              () ->
                  RedisStore.start(
                      server.settings(),
                      RealStore.secret("another"),
                      loops.loops(),
                      Optional.empty(),
                      Duration.ofSeconds(10)))
          .isInstanceOf(RedisStartException.class)
          .hasMessageContaining("cluster.secret")
          .hasMessageContaining("127.0.0.1:" + server.port());
      server.ask("HSET", "cluster:meta", "partitions", "32");
      assertThatThrownBy(() -> new RealStore(server.settings()).close())
          .isInstanceOf(RedisStartException.class)
          .hasMessageContaining("32 partitions");
    }
  }

  @Test
  void aNodeWithoutRedisDoesNotStart() throws Exception {
    var nowhere =
        RedisSettings.of(
            new RedisAddress.Single(new RedisAddress.Host("127.0.0.1", Ports.free()), false));
    try (var loops = NettyLoops.start(1)) {
      assertThatThrownBy(
              () ->
                  RedisStore.start(
                      nowhere,
                      RealStore.secret("s"),
                      loops.loops(),
                      Optional.of(loops.group()),
                      Duration.ofMillis(500)))
          .isInstanceOf(RedisStartException.class)
          .hasMessageContaining("no connection in 500 ms");
    }
  }

  @Test
  void aPasswordAndADatabaseAreUsed() throws Exception {
    int port = Ports.free();
    try (var server =
            RedisServer.process(port, List.of("--user", "pbx", "on", ">pw", "~*", "+@all"));
        var real =
            new RealStore(
                new RedisSettings(
                    server.address(),
                    Optional.of("pbx"),
                    Optional.of(new io.sippbx.shared.config.Secret<>("pw")),
                    Optional.empty(),
                    3,
                    RedisSettings.Tls.DEFAULT,
                    TIMEOUT,
                    Duration.ofSeconds(2),
                    100,
                    5,
                    Duration.ofMillis(100),
                    RedisSettings.Replication.NONE))) {
      assertThat(send(real, commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(server.ask("INFO", "keyspace")).contains("db3:").doesNotContain("db0:");
    }
  }

  @Test
  void measuresStoreTime() throws Exception {
    try (var server = RedisServer.start();
        var real = new RealStore(server.settings())) {
      RedisServer.await(
          "a measurement", () -> !real.store().clock().offset().equals(Duration.ZERO));
      // One machine, one clock.
      assertThat(real.store().clock().offset().abs()).isLessThan(Duration.ofMillis(200));
    }
  }
}
