package io.sippbx.control.store.redis;

import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.sippbx.control.loop.Loop;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Has commits wait for replicas: one WAIT for all that a loop commits in one turn, on the
 * connection that carried them, which WAIT speaks for. For any thread.
 *
 * <p>Commits that too few replicas have in time count all the same: the primary has them, and what
 * a fail-over loses is written back ({@code RestoringCallStore}). They are counted and told.
 */
final class Replicas {

  private static final Logger log = LoggerFactory.getLogger(Replicas.class);
  private static final RateLimitedLog shortfalls = RateLimitedLog.of(log);

  private final RedisConnector connector;
  private final RedisSettings.Replication wanted;
  private final Map<Turn, CompletableFuture<Long>> open = new ConcurrentHashMap<>();
  private final LongAdder notReplicated = new LongAdder();

  /** The commits of one turn that go over one connection. */
  private record Turn(Loop loop, String server) {}

  Replicas(RedisConnector connector, RedisSettings.Replication wanted) {
    this.connector = connector;
    this.wanted = wanted;
  }

  /**
   * Sends a commit, whose answer is given once the replicas have it, or do not have it in time.
   *
   * @param key one of the commit's
   */
  CompletionStage<?> await(
      Loop loop,
      RedisClusterAsyncCommands<byte[], byte[]> redis,
      byte[] key,
      Supplier<CompletionStage<?>> commit) {
    if (wanted.replicas() == 0) {
      return commit.get();
    }
    CompletionStage<?> sent = commit.get();
    var turn = new Turn(loop, connector.server(key));
    CompletableFuture<Long> had = open.get(turn);
    if (had == null) {
      var begun = new CompletableFuture<Long>();
      open.put(turn, begun);
      // After all that this turn commits: WAIT is for what its connection was sent before it.
      loop.execute(
          () -> {
            open.remove(turn);
            ask(redis, key)
                .whenComplete((count, error) -> begun.complete(error == null ? count : 0L));
          });
      had = begun;
    }
    return sent.thenCombine(
        had,
        (answer, count) -> {
          if (count < wanted.replicas()) {
            notReplicated.increment();
            shortfalls
                .at(Level.WARN, "redis.not_replicated")
                .addKeyValue("replicas", count)
                .addKeyValue("wanted", wanted.replicas())
                .log("redis.not_replicated");
          }
          return answer;
        });
  }

  private CompletionStage<Long> ask(RedisClusterAsyncCommands<byte[], byte[]> redis, byte[] key) {
    try {
      return connector.replicas(redis, key, wanted.replicas(), wanted.timeout());
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Commits that too few replicas had in time. */
  long notReplicated() {
    return notReplicated.sum();
  }
}
