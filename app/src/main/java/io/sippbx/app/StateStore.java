package io.sippbx.app;

import io.sippbx.control.Stores;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.redis.RedisSettings;
import io.sippbx.control.store.redis.RedisStartException;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Secret;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The stores of a control node, opened beside the rest of its start. */
final class StateStore implements AutoCloseable {

  /** The folder of the own Redis, in the data folder. */
  static final String REDIS = "redis";

  private static final Logger log = LoggerFactory.getLogger(StateStore.class);

  // Of a partition. Events leave an outbox when their record is on the disk: twice as many may wait
  // in all of them together as in the writer, for they are not spread evenly.
  private static final int LEAST_OUTBOX = 1_000;
  private static final int OUTBOX_SHARE = Partition.COUNT / 2;

  private final Configuration config;
  private final NettyLoops loops;
  private final RandomGenerator random;
  private final FutureTask<Opened> opening;

  /**
   * What was opened.
   *
   * @param secret without which what is in the stores is of no use
   * @param redis that they are in; empty: they are in memory
   * @param isOnlyOurs whether no other process uses them
   */
  record Opened(
      Stores stores, Secret<byte[]> secret, Optional<RedisStore> redis, boolean isOnlyOurs) {}

  private StateStore(
      Configuration config,
      StatePlan plan,
      Optional<OwnRedis> own,
      NettyLoops loops,
      RandomGenerator random) {
    this.config = config;
    this.loops = loops;
    this.random = random;
    this.opening = new FutureTask<>(() -> open(plan, own));
  }

  /**
   * Opens them on a thread of its own; {@link #await} tells what became of that.
   *
   * @param own the Redis that is being started, where that is the plan
   * @param loops where the stores answer
   */
  static StateStore begin(
      Configuration config,
      StatePlan plan,
      Optional<OwnRedis> own,
      NettyLoops loops,
      RandomGenerator random) {
    var state = new StateStore(config, plan, own, loops, random);
    Thread.ofPlatform().daemon().name("store-start").start(state.opening);
    return state;
  }

  /**
   * Waits for them: they answer.
   *
   * @throws NodeStartException naming the key that says where they should be
   */
  Opened await() throws NodeStartException, InterruptedException {
    return Futures.await(opening, NodeStartException.class);
  }

  private Opened open(StatePlan plan, Optional<OwnRedis> own)
      throws NodeStartException, InterruptedException {
    return switch (plan) {
      case StatePlan.Memory memory -> inMemory(memory.warning());
      case StatePlan.Elsewhere elsewhere ->
          inRedis(elsewhere.settings(), "redis.uri", secret(), false);
      case StatePlan.Own(Path dataDir) -> {
        String key = "standalone.data_dir = " + dataDir;
        try {
          RedisSettings settings =
              StatePlan.limited(own.orElseThrow().await().settings(), config.redis().limits());
          yield inRedis(settings, key, secret(), true);
        } catch (RedisStartException.NoServer e) {
          yield inMemory(Optional.of(String.valueOf(e.getMessage())));
        } catch (RedisStartException e) {
          throw new NodeStartException(key + ": " + e.getMessage(), e);
        }
      }
    };
  }

  private Secret<byte[]> secret() throws NodeStartException {
    Optional<Secret<String>> configured = config.cluster().secret();
    return configured.isPresent()
        ? ClusterSecret.of(configured.get())
        : ClusterSecret.keptIn(config.standalone().dataDir(), random);
  }

  private Opened inRedis(
      RedisSettings settings, String key, Secret<byte[]> secret, boolean isOnlyOurs)
      throws NodeStartException {
    try {
      RedisStore redis =
          RedisStore.start(
              settings,
              secret,
              loops.loops(),
              Optional.of(loops.group()),
              config.redis().limits().startTimeout());
      return new Opened(
          Stores.in(
              redis,
              loops.loops(),
              new OutboxLimit(config.redis().limits().maxOutboxEvents() / Partition.COUNT),
              config.sip().registrar().maxAddresses(),
              config.redis().limits().recentCalls()),
          secret,
          Optional.of(redis),
          isOnlyOurs);
    } catch (RedisStartException e) {
      throw new NodeStartException(key + ": " + e.getMessage(), e);
    }
  }

  private Opened inMemory(Optional<String> warning) {
    warning.ifPresent(
        reason ->
            log.atWarn()
                .addKeyValue("reason", reason)
                .addKeyValue("lost", "registrations and calls, when this process ends")
                .log("store.in_memory"));
    Secret<byte[]> secret =
        config
            .cluster()
            .secret()
            .map(ClusterSecret::of)
            .orElseGet(() -> ClusterSecret.random(random));
    Stores stores =
        Stores.inMemory(
            loops.loops(),
            config.sip().registrar().maxAddresses(),
            Math.max(LEAST_OUTBOX, config.cdr().queueLength() / OUTBOX_SHARE));
    return new Opened(stores, secret, Optional.empty(), true);
  }

  /** Lets the stores go; what they were asked and have not answered stays unknown. */
  @Override
  public void close() {
    try {
      await().redis().ifPresent(RedisStore::close);
    } catch (NodeStartException e) {
      // There is nothing to be closed, and who waited for it was told.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
