package io.sippbx.control.store.redis;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.event.ClusterTopologyChangedEvent;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.config.Secret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Makes the connection to Redis and makes it again when it is lost.
 *
 * <p>What was sent on a connection that is lost is never sent again by Lettuce: whether it took
 * effect is for the asker to find out (law 2). So a single server's connection is not mended by
 * Lettuce but replaced here, from the sentinels' word where there are some; a cluster's nodes are
 * re-connected by Lettuce, with its replay off.
 *
 * <p>{@link #commands} may be called from any thread; all else happens on the home loop.
 */
final class RedisConnector {

  private static final Logger log = LoggerFactory.getLogger(RedisConnector.class);
  private static final Duration FIRST_RETRY = Duration.ofMillis(20);
  static final Duration LONGEST_RETRY = Duration.ofSeconds(1);
  private static final Duration TOPOLOGY_REFRESH = Duration.ofSeconds(15);

  /** What INFO says of the process that answers; another one may have lost writes. */
  private static final Pattern RUN_ID = Pattern.compile("(?m)^run_id:(\\w+)");

  private final Loop home;
  private final Duration connectTimeout;
  private final boolean followsSentinels;
  private final ClientResources resources;
  private final AbstractRedisClient client;
  private final Dialer dialer;
  private final AtomicLong connects = new AtomicLong();
  private final AtomicLong connectFailures = new AtomicLong();
  private volatile @Nullable Line line;
  private volatile String lastError = "not yet";
  private Disposable topology = Disposables.disposed();
  private volatile Runnable otherServer = () -> {};
  private final AtomicLong otherServers = new AtomicLong();
  private boolean connecting;
  private boolean closed;
  private Duration retry = FIRST_RETRY;

  /** The next attempt, while there is no connection. */
  private Loop.@Nullable Timer again;

  /**
   * A connection and what is said over it.
   *
   * @param server the run of the process that answers; empty: it does not say, or there are several
   */
  private record Line(
      StatefulConnection<byte[], byte[]> connection,
      RedisClusterAsyncCommands<byte[], byte[]> commands,
      String server) {}

  /** The commands of one turn of the loop leave with one system call. */
  private static final class OneWriteATurn implements NettyCustomizer {
    @Override
    public void afterChannelInitialized(Channel channel) {
      channel
          .pipeline()
          .addFirst(
              new FlushConsolidationHandler(
                  FlushConsolidationHandler.DEFAULT_EXPLICIT_FLUSH_AFTER_FLUSHES, true));
    }
  }

  /** Connects. */
  private interface Dialer {
    CompletionStage<Line> dial();
  }

  /**
   * @param group threads to share; empty, or of a kind that Lettuce has no channels for: its own
   */
  RedisConnector(RedisSettings settings, Loop home, Optional<EventLoopGroup> group) {
    this.home = home;
    this.connectTimeout = settings.connectTimeout();
    this.followsSentinels = settings.address() instanceof RedisAddress.Sentinel;
    ClientResources.Builder builder =
        ClientResources.builder()
            .computationThreadPoolSize(2)
            .ioThreadPoolSize(2)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .nettyCustomizer(new OneWriteATurn())
            .reconnectDelay(
                Delay.exponential(FIRST_RETRY, LONGEST_RETRY, 2, TimeUnit.MILLISECONDS));
    group
        .filter(SharedEventLoops::fits)
        .ifPresent(shared -> builder.eventLoopGroupProvider(new SharedEventLoops(shared)));
    this.resources = builder.build();
    switch (settings.address()) {
      case RedisAddress.Cluster cluster -> {
        RedisClusterClient made =
            RedisClusterClient.create(resources, clusterUris(cluster, settings));
        made.setOptions(clusterOptions(settings));
        this.client = made;
        this.dialer =
            () ->
                made.refreshPartitionsAsync()
                    .thenCompose(done -> made.connectAsync(ByteArrayCodec.INSTANCE))
                    .thenApply(RedisConnector::line);
        this.topology =
            resources
                .eventBus()
                .get()
                .filter(ClusterTopologyChangedEvent.class::isInstance)
                .subscribe(event -> home.execute(this::topologyChanged));
      }
      case RedisAddress.Single single -> {
        RedisURI uri = uri(single.server(), single.tls(), settings);
        RedisClient made = new AsyncRedisClient(resources);
        made.setOptions(options(ClientOptions.builder(), settings).autoReconnect(false).build());
        this.client = made;
        this.dialer = () -> made.connectAsync(ByteArrayCodec.INSTANCE, uri).thenCompose(this::line);
      }
      case RedisAddress.Sentinel sentinel -> {
        RedisURI uri = sentinelUri(sentinel, settings);
        RedisClient made = new AsyncRedisClient(resources);
        made.setOptions(options(ClientOptions.builder(), settings).autoReconnect(false).build());
        this.client = made;
        this.dialer = () -> made.connectAsync(ByteArrayCodec.INSTANCE, uri).thenCompose(this::line);
      }
    }
  }

  /** Asks who answers, which an ACL may forbid. */
  private CompletionStage<Line> line(StatefulRedisConnection<byte[], byte[]> connection) {
    return connection
        .async()
        .info("server")
        .exceptionally(error -> "")
        .toCompletableFuture()
        .orTimeout(connectTimeout.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (said, error) -> {
              if (error != null) {
                ignore(connection.closeAsync());
              }
            })
        .thenApply(
            said -> {
              Matcher run = RUN_ID.matcher(said);
              return new Line(connection, connection.async(), run.find() ? run.group(1) : "");
            });
  }

  private static Line line(StatefulRedisClusterConnection<byte[], byte[]> connection) {
    return new Line(connection, connection.async(), "");
  }

  private static <B extends ClientOptions.Builder> B options(B builder, RedisSettings settings) {
    builder
        .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
        .replayFilter(command -> true)
        .requestQueueSize(2 * settings.maxPending())
        .protocolVersion(ProtocolVersion.RESP2)
        // Time-outs are ours: they must come on the asker's loop.
        .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
        .socketOptions(
            SocketOptions.builder()
                .connectTimeout(settings.connectTimeout())
                .tcpNoDelay(true)
                .keepAlive(true)
                .build());
    SslOptions.Builder ssl = SslOptions.builder().jdkSslProvider();
    settings.tls().caFile().ifPresent(file -> ssl.trustManager(file.toFile()));
    settings
        .tls()
        .certificateFile()
        .ifPresent(
            file ->
                ssl.keyManager(
                    file.toFile(), settings.tls().keyFile().orElseThrow().toFile(), null));
    builder.sslOptions(ssl.build());
    return builder;
  }

  private static ClusterClientOptions clusterOptions(RedisSettings settings) {
    ClusterClientOptions.Builder builder = options(ClusterClientOptions.builder(), settings);
    return builder
        .autoReconnect(true)
        .validateClusterNodeMembership(false)
        .topologyRefreshOptions(
            ClusterTopologyRefreshOptions.builder()
                .adaptiveRefreshTriggersTimeout(Duration.ofMillis(500))
                .enablePeriodicRefresh(TOPOLOGY_REFRESH)
                .build())
        .build();
  }

  private static RedisURI uri(RedisAddress.Host host, boolean tls, RedisSettings settings) {
    return complete(RedisURI.builder().withHost(host.name()).withPort(host.port()), tls, settings)
        .build();
  }

  private static RedisURI.Builder complete(
      RedisURI.Builder builder, boolean tls, RedisSettings settings) {
    builder
        .withDatabase(settings.database())
        .withSsl(tls)
        .withVerifyPeer(settings.tls().verifyHost() ? SslVerifyMode.FULL : SslVerifyMode.CA)
        .withTimeout(settings.connectTimeout())
        .withClientName("sip-pbx");
    settings
        .password()
        .map(Secret::value)
        .ifPresent(
            password -> {
              if (settings.username().isPresent()) {
                builder.withAuthentication(settings.username().get(), password);
              } else {
                builder.withPassword(password.toCharArray());
              }
            });
    return builder;
  }

  private static RedisURI sentinelUri(RedisAddress.Sentinel sentinel, RedisSettings settings) {
    RedisURI.Builder builder = RedisURI.builder().withSentinelMasterId(sentinel.master());
    for (RedisAddress.Host each : sentinel.sentinels()) {
      RedisURI.Builder one =
          RedisURI.builder()
              .withHost(each.name())
              .withPort(each.port())
              .withSsl(sentinel.tls())
              .withVerifyPeer(settings.tls().verifyHost() ? SslVerifyMode.FULL : SslVerifyMode.CA)
              .withTimeout(settings.connectTimeout());
      settings
          .sentinelPassword()
          .ifPresent(password -> one.withPassword(password.value().toCharArray()));
      builder.withSentinel(one.build());
    }
    return complete(builder, sentinel.tls(), settings).build();
  }

  private static List<RedisURI> clusterUris(RedisAddress.Cluster cluster, RedisSettings settings) {
    var uris = new ArrayList<RedisURI>();
    for (RedisAddress.Host each : cluster.seeds()) {
      uris.add(uri(each, cluster.tls(), settings));
    }
    return uris;
  }

  /** What commands are sent by; null while there is no connection. */
  @Nullable RedisClusterAsyncCommands<byte[], byte[]> commands() {
    Line current = line;
    return current != null && current.connection().isOpen() ? current.commands() : null;
  }

  /**
   * Whether a command failed because the cluster's node that it is for is only just being connected
   * to: it was never sent, and may be tried again.
   */
  boolean wasNotSent(Throwable error) {
    return client instanceof RedisClusterClient
        && error instanceof RedisException
        && String.valueOf(error.getMessage()).startsWith("Currently not connected");
  }

  /** Why there is no connection. */
  String lastError() {
    return lastError;
  }

  long connects() {
    return connects.get();
  }

  /** Attempts that failed. */
  long connectFailures() {
    return connectFailures.get();
  }

  /** Which server a key's commands go to; where there is only one, nothing. */
  String server(byte[] key) {
    RedisURI uri = uri(key);
    return uri == null ? "" : uri.getHost() + ":" + uri.getPort();
  }

  private @Nullable RedisURI uri(byte[] key) {
    if (!(client instanceof RedisClusterClient cluster)) {
      return null;
    }
    RedisClusterNode node = cluster.getPartitions().getPartitionBySlot(SlotHash.getSlot(key));
    return node == null ? null : node.getUri();
  }

  /**
   * How many replicas have what was sent for a key before this, at the latest after {@code
   * timeout}.
   */
  CompletionStage<Long> replicas(
      RedisClusterAsyncCommands<byte[], byte[]> redis, byte[] key, int count, Duration timeout) {
    RedisURI uri = uri(key);
    Line current = line;
    if (uri != null
        && current != null
        && current.connection() instanceof StatefulRedisClusterConnection<byte[], byte[]> all) {
      // Lettuce's connection to this server is the one that the key's commands go over.
      return all.getConnectionAsync(uri.getHost(), uri.getPort())
          .thenCompose(one -> one.async().waitForReplication(count, timeout.toMillis()));
    }
    return redis.waitForReplication(count, timeout.toMillis());
  }

  /** How often another server answered than before. */
  long otherServers() {
    return otherServers.get();
  }

  /**
   * Who is told, on the home loop, that another server answers than before, or may do so: what the
   * former had acknowledged last may be lost. The new one is asked nothing before that.
   */
  void onOtherServer(Runnable listener) {
    otherServer = listener;
  }

  /** A server says that it is a replica: the sentinels may know of another primary. */
  void primaryMayHaveMoved() {
    if (followsSentinels) {
      reconnect();
    }
  }

  private void topologyChanged() {
    if (line != null && !closed) {
      tellOtherServer("the cluster");
    }
  }

  private void tellOtherServer(String server) {
    otherServers.incrementAndGet();
    log.atWarn().addKeyValue("server", server).log("redis.other_server");
    otherServer.run();
  }

  /** A command that only shows whether the server of a lane answers. */
  CompletionStage<?> probe(RedisClusterAsyncCommands<byte[], byte[]> redis, int lane) {
    return lane >= 0 && lane < Partition.COUNT && client instanceof RedisClusterClient
        ? redis.exists(Keys.keeper(new Partition(lane)))
        : redis.ping();
  }

  /** Makes the first connection, or a new one in place of one that is lost or says nothing. */
  void reconnect() {
    if (!home.inLoop()) {
      home.execute(this::reconnect);
      return;
    }
    if (closed || connecting) {
      return;
    }
    connecting = true;
    CompletionStage<?> dialled;
    if (line != null && client instanceof RedisClusterClient cluster) {
      // Its connections are one a node, and Lettuce's: it is told to look who is there now.
      dialled = cluster.refreshPartitionsAsync();
    } else {
      dialled = dialer.dial().thenAccept(made -> home.execute(() -> connected(made)));
    }
    dialled.whenComplete((done, error) -> home.execute(() -> dialled(error)));
  }

  private void dialled(@Nullable Throwable error) {
    connecting = false;
    if (error == null) {
      return;
    }
    connectFailures.incrementAndGet();
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    lastError = root.getMessage() == null ? root.toString() : root.getMessage();
    log.atDebug().addKeyValue("error", lastError).log("redis.connect_failed");
    if (commands() == null && !closed && again == null) {
      again = home.schedule(retry, this::reconnectIfLost);
      Duration next = retry.multipliedBy(2);
      retry = next.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : next;
    }
  }

  /** A probe may have made a connection meanwhile: what is under way on it would be lost. */
  private void reconnectIfLost() {
    again = null;
    if (commands() == null) {
      reconnect();
    }
  }

  private void connected(Line made) {
    Line old = line;
    if (closed) {
      ignore(made.connection().closeAsync());
      return;
    }
    made.connection()
        .addListener(
            new RedisConnectionStateListener() {
              @Override
              public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
                home.execute(() -> lost(made));
              }
            });
    if (old != null && (made.server().isEmpty() || !made.server().equals(old.server()))) {
      tellOtherServer(made.server());
    }
    line = made;
    retry = FIRST_RETRY;
    log.atInfo().addKeyValue("connection", connects.incrementAndGet()).log("redis.connected");
    if (old != null) {
      ignore(old.connection().closeAsync());
    }
  }

  private void lost(Line which) {
    if (which.equals(line) && !closed && !(client instanceof RedisClusterClient)) {
      lastError = "the connection was lost";
      log.atWarn().log("redis.connection_lost");
      reconnect();
    }
  }

  /** How an end goes changes nothing. */
  @SuppressWarnings("unused")
  private static void ignore(Object ending) {}

  /** Ends all; what is under way fails. */
  void close() {
    home.execute(
        () -> {
          closed = true;
          topology.dispose();
          Line old = line;
          line = null;
          CompletionStage<?> hungUp =
              old == null ? CompletableFuture.completedStage(null) : old.connection().closeAsync();
          hungUp
              .handle((done, error) -> client.shutdownAsync(0, 1, TimeUnit.SECONDS))
              .thenCompose(ending -> ending)
              .whenComplete((done, error) -> ignore(resources.shutdown(0, 1, TimeUnit.SECONDS)));
        });
  }
}
