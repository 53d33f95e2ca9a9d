package io.sippbx.control.store.redis;

import io.netty.channel.EventLoopGroup;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.shared.config.Secret;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * The node's Redis: one connection for all of its stores.
 *
 * <p>While Redis is away every question is answered within {@code redis.command_timeout}, by
 * Unknown or Unavailable, and at once while the breaker is open; the connection comes back by
 * itself.
 */
public final class RedisStore implements AutoCloseable {

  private static final Duration META_RETRY = Duration.ofMillis(100);

  private final Loops loops;
  private final Loop home;
  private final RedisConnector connector;
  private final RedisLink link;
  private final StoreClock clock;
  private final TimerClaims timers;

  /** What an attempt to start comes to. */
  public sealed interface Outcome {}

  /** Connected, and of one mind with the cluster. */
  public record Started(RedisStore store) implements Outcome {}

  /** This node must not start here: it differs from the cluster. */
  public record Differs(String reason) implements Outcome {}

  private RedisStore(RedisSettings settings, Loops loops, Optional<EventLoopGroup> threads) {
    this.loops = loops;
    this.home = loops.all().getFirst();
    this.connector = new RedisConnector(settings, home, threads);
    boolean isCluster = settings.address() instanceof RedisAddress.Cluster;
    this.link =
        new RedisLink(connector, settings, home, isCluster ? RedisClusterStore.LANE + 1 : 1);
    this.clock = new StoreClock(link, home);
    this.timers = new TimerClaims(link, loops, isCluster ? 1 : TimerClaims.SEVERAL);
  }

  /**
   * Connects, checks that this node and the cluster agree ({@code cluster:meta}), and answers on
   * the first loop. Tries for as long as Redis is away; {@link #close} what is returned to give up.
   *
   * @param loops where answers are given
   * @param threads Netty's event loops to share; empty: the store has its own
   */
  public static RedisStore open(
      RedisSettings settings,
      Secret<byte[]> clusterSecret,
      Loops loops,
      Optional<EventLoopGroup> threads,
      Consumer<Outcome> answer) {
    var store = new RedisStore(settings, loops, threads);
    store.connector.reconnect();
    store.checkMeta(ClusterMeta.of(clusterSecret), answer);
    return store;
  }

  /**
   * {@link #open} for the thread that starts the node, which may wait.
   *
   * @throws RedisStartException if there is no connection within {@code atMost}, or this node
   *     differs from the cluster
   */
  public static RedisStore start(
      RedisSettings settings,
      Secret<byte[]> clusterSecret,
      Loops loops,
      Optional<EventLoopGroup> threads,
      Duration atMost)
      throws RedisStartException {
    var opened = new CompletableFuture<Outcome>();
    RedisStore store = open(settings, clusterSecret, loops, threads, opened::complete);
    String failure;
    try {
      switch (opened.get(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        case Started started -> {
          return started.store();
        }
        case Differs differs -> failure = differs.reason();
      }
    } catch (TimeoutException e) {
      failure = "no connection in " + atMost.toMillis() + " ms: " + store.connector.lastError();
    } catch (ExecutionException e) {
      failure = String.valueOf(e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure = "interrupted";
    }
    store.close();
    throw new RedisStartException("Redis at " + shown(settings.address()) + ": " + failure);
  }

  private static String shown(RedisAddress address) {
    return switch (address) {
      case RedisAddress.Single single -> single.server().toString();
      case RedisAddress.Sentinel sentinel -> sentinel.sentinels() + "#" + sentinel.master();
      case RedisAddress.Cluster cluster -> cluster.seeds().toString();
    };
  }

  private void checkMeta(ClusterMeta ours, Consumer<Outcome> answer) {
    link.run(
        Partition.COUNT,
        home,
        Script.CLUSTER_META,
        new byte[][] {Keys.CLUSTER_META},
        ours.args(),
        reply -> {
          switch (reply) {
            case Reply.Failed failed -> {
              if (!link.isClosed()) {
                home.schedule(META_RETRY, () -> checkMeta(ours, answer));
              }
            }
            case Reply.Answered answered ->
                ours.refusal(answered.value())
                    .ifPresentOrElse(
                        reason -> answer.accept(new Differs(reason)),
                        () -> {
                          clock.start();
                          answer.accept(new Started(this));
                        });
          }
        });
  }

  /**
   * The calls; answers come on the loop of each call's key.
   *
   * @param outbox of a partition
   */
  public <R> CallStore<R> calls(RecordCodec<R> codec, OutboxLimit outbox) {
    return new RedisCallStore<>(link, loops, codec, outbox);
  }

  /** The partitions; answers come on the loop of each one's number. */
  public PartitionStore partitions() {
    return new RedisPartitionStore(link, loops, timers);
  }

  /**
   * The registrations, with answers on one loop.
   *
   * @param outbox of a partition
   */
  public RegistrationStore registrations(
      Loop loop, RecordCodec<Registration> codec, OutboxLimit outbox) {
    return new RedisRegistrationStore(link, loop, codec, outbox);
  }

  /** The cluster's limits; answers come on the loop of each call's key. */
  public LimitStore limits() {
    return new RedisLimitStore(link, loops);
  }

  /** Heartbeats and keepers, with answers on one loop. */
  public ClusterStore cluster(Loop loop) {
    return new RedisClusterStore(link, loop);
  }

  /**
   * Who is told that another server answers than before, or may do so: what the former had
   * acknowledged last may be lost. On one of the loops, before the new one is asked anything.
   */
  public void onOtherServer(Runnable listener) {
    connector.onOtherServer(listener);
  }

  /** Store time. */
  public StoreClock clock() {
    return clock;
  }

  /** For metrics. */
  public RedisStats stats() {
    return link.stats();
  }

  /** Ends the connection; what is under way is answered as unknown. Returns at once. */
  @Override
  public void close() {
    link.close();
    clock.close();
    connector.close();
  }
}
