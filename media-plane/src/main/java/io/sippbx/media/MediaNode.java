package io.sippbx.media;

import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.EventLoop;
import io.sippbx.media.MediaNodeSettings.Listen;
import io.sippbx.media.control.MediaControlService;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.media.port.OpenFilesCheck;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.RelayListener;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.media.session.ControlNode;
import io.sippbx.media.session.MediaSessions;
import io.sippbx.media.session.NodeState;
import io.sippbx.media.session.SessionEvent;
import io.sippbx.media.session.SessionListener;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A media node: port pool, sessions, relay and the service, on one loop. It knows nothing of SIP,
 * keeps nothing on disk, and holds its sessions whether or not anybody is connected.
 *
 * <p>All methods may be called from any thread but that of its loop.
 */
public final class MediaNode implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(MediaNode.class);
  private static final Duration STOP_WAIT = Duration.ofSeconds(5);

  private final MediaNodeSettings settings;
  private final Incarnation incarnation;
  private final ThreadLoop loop;
  private final PortPool pool;
  private final Relay relay;
  private final MediaSessions sessions;
  private final MediaControlService service;
  private final HealthStatusManager health = new HealthStatusManager();
  private final AtomicBoolean stopped = new AtomicBoolean();
  private volatile MediaNodeMetrics metrics;
  private @Nullable Server server;

  /** Makes the relay of a node. */
  @FunctionalInterface
  public interface RelayFactory {
    /** A relay that tells {@code listener} what it sees. */
    Relay start(RelaySettings settings, RelayListener listener);
  }

  private MediaNode(
      MediaNodeSettings settings,
      Incarnation incarnation,
      SecureRandom random,
      ThreadLoop loop,
      RelayFactory relays) {
    this.settings = settings;
    this.incarnation = incarnation;
    this.loop = loop;
    pool =
        new PortPool(
            settings.ports(),
            settings.addresses(),
            settings.portRest(),
            settings.portAside(),
            random);
    service =
        new MediaControlService(
            settings.control(), settings.id(), incarnation, loop, settings.sessions().maxStreams());
    relay = relays.start(settings.relay(), new Heard());
    sessions =
        new MediaSessions(settings.sessions(), pool, new RelaySessionPath(relay), loop, new Told());
    service.serve(sessions);
    metrics = snapshot();
  }

  /**
   * Starts a node.
   *
   * @throws IllegalArgumentException if the settings do not fit this machine; the message says all
   * @throws UncheckedIOException if the address of the service cannot be bound
   */
  public static MediaNode start(MediaNodeSettings settings) {
    return start(settings, (relay, listener) -> Relays.start(relay, listener, System::nanoTime));
  }

  /** Starts a node with the relay that is made for it. */
  public static MediaNode start(MediaNodeSettings settings, RelayFactory relays) {
    return start(settings, EphemeralRangeCheck.ofThisMachine(), relays);
  }

  /**
   * Starts a node on the machine that {@code machine} knows, with the relay that is made for it.
   */
  public static MediaNode start(
      MediaNodeSettings settings, EphemeralRangeCheck machine, RelayFactory relays) {
    return start(settings, machine, () -> ThreadLoop.own("media-node"), relays);
  }

  /**
   * Starts a node within the process of a control node, on a loop of that one: what they say to
   * each other wakes no other thread. {@code loop} outlives the node, which is stopped from
   * elsewhere.
   */
  public static MediaNode startOn(EventLoop loop, MediaNodeSettings settings, RelayFactory relays) {
    return startOn(loop, settings, EphemeralRangeCheck.ofThisMachine(), relays);
  }

  /** Starts a node on {@code loop}, on the machine that {@code machine} knows. */
  public static MediaNode startOn(
      EventLoop loop,
      MediaNodeSettings settings,
      EphemeralRangeCheck machine,
      RelayFactory relays) {
    return start(settings, machine, () -> ThreadLoop.on(loop), relays);
  }

  private static MediaNode start(
      MediaNodeSettings settings,
      EphemeralRangeCheck machine,
      Supplier<ThreadLoop> loop,
      RelayFactory relays) {
    List<String> problems = settings.problems(machine);
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
    var random = new SecureRandom();
    var node =
        new MediaNode(settings, new Incarnation(random.nextLong()), random, loop.get(), relays);
    try {
      node.serve();
    } catch (IOException e) {
      node.stop(Duration.ZERO);
      throw new UncheckedIOException(
          "Cannot listen on " + settings.listen() + " for control nodes: " + e.getMessage(), e);
    }
    return node;
  }

  private void serve() throws IOException {
    Server built =
        builder()
            .executor(loop)
            .addService(service.definition())
            .addService(health.getHealthService())
            .addService(ProtoReflectionServiceV1.newInstance())
            .maxInboundMessageSize(settings.control().maxMessageBytes())
            .build();
    tellHealth(sessions.state());
    loop.every(settings.control().statusEvery(), this::tick);
    server = built.start();
    log.atInfo()
        .addKeyValue("node", settings.id())
        .addKeyValue("incarnation", incarnation)
        .addKeyValue("listen", address().map(Endpoint::toString).orElse("in-process"))
        .addKeyValue("ports", settings.ports())
        .addKeyValue("relay", relay.adapter())
        .log("media.node.started");
    OpenFilesCheck.ofThisProcess()
        .problem(
            settings.sessions().maxSessions(),
            2L * settings.ports().pairs() * settings.addresses().size())
        .ifPresent(problem -> log.atWarn().log("media.open_files_low: {}", problem));
  }

  private ServerBuilder<?> builder() throws IOException {
    return switch (settings.listen()) {
      case Listen.Network(Endpoint bind, Optional<NodeTls> tls) -> {
        NettyServerBuilder builder =
            NettyServerBuilder.forAddress(socketAddress(bind))
                .bossEventLoopGroup(loop.group())
                .workerEventLoopGroup(loop.group())
                .channelType(loop.serverChannel())
                .keepAliveTime(10, TimeUnit.SECONDS)
                .keepAliveTimeout(5, TimeUnit.SECONDS)
                .permitKeepAliveTime(5, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .handshakeTimeout(5, TimeUnit.SECONDS)
                .maxConcurrentCallsPerConnection(64)
                .maxInboundMetadataSize(8 * 1024);
        tls.ifPresent(with -> builder.sslContext(with.server()));
        yield builder;
      }
      case Listen.InProcess(String name) -> InProcessServerBuilder.forName(name);
    };
  }

  private static InetSocketAddress socketAddress(Endpoint endpoint) throws UnknownHostException {
    IpAddress ip = endpoint.ip();
    return new InetSocketAddress(InetAddress.getByAddress(ip.octets()), endpoint.port());
  }

  /** Its name. */
  public NodeId id() {
    return settings.id();
  }

  /** This start of it. */
  public Incarnation incarnation() {
    return incarnation;
  }

  /** Where it listens for control nodes; empty when it does so in-process. */
  public Optional<Endpoint> address() {
    if (settings.listen() instanceof Listen.Network(Endpoint bind, Optional<NodeTls> _)
        && server != null) {
      return Optional.of(bind.withPort(server.getPort()));
    }
    return Optional.empty();
  }

  /** The node in numbers. */
  public MediaNodeMetrics metrics() {
    MediaNodeMetrics last = metrics;
    return new MediaNodeMetrics(
        last.state(),
        last.sessions(),
        last.sessionsLimit(),
        last.v4(),
        last.v6(),
        last.pairsOfSessions(),
        last.tombstones(),
        last.sessionCounters(),
        last.control(),
        relay.counts(),
        loop.faults());
  }

  /** Takes no new sessions from now on, or does so again. */
  public void drain(boolean drain) {
    loop.execute(() -> sessions.drain(drain));
  }

  /**
   * Takes no new sessions, waits until those that are held have ended, for at most {@code wait},
   * ends the rest, and closes everything. A second call does nothing.
   *
   * @return whether every port pair came back
   */
  public boolean stop(Duration wait) {
    if (!stopped.compareAndSet(false, true)) {
      return true;
    }
    loop.execute(() -> sessions.drain(true));
    if (wait.isPositive()) {
      await(() -> sessions.size() == 0, wait);
    }
    loop.execute(sessions::stop);
    boolean clean =
        await(
            () -> sessions.isQuiet() && sessions.size() == 0 && sessions.ledger().lent() == 0,
            STOP_WAIT);
    health.enterTerminalState();
    loop.execute(service::stop);
    if (server != null) {
      server.shutdown();
      try {
        if (!server.awaitTermination(1, TimeUnit.SECONDS)) {
          server.shutdownNow();
        }
      } catch (InterruptedException e) {
        server.shutdownNow();
        Thread.currentThread().interrupt();
      }
    }
    relay.close();
    loop.execute(() -> metrics = snapshot());
    await(() -> true, STOP_WAIT);
    loop.close();
    log.atInfo()
        .addKeyValue("node", settings.id())
        .addKeyValue("clean", clean)
        .log("media.node.stopped");
    return clean;
  }

  /** Stops without waiting for sessions to end. */
  @Override
  public void close() {
    stop(Duration.ZERO);
  }

  /** Waits until something is true on the loop, which looks every few milliseconds. */
  private boolean await(BooleanSupplier condition, Duration atMost) {
    var latch = new CountDownLatch(1);
    loop.execute(() -> look(condition, latch));
    loop.every(Duration.ofMillis(5), () -> look(condition, latch));
    try {
      return latch.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void look(BooleanSupplier condition, CountDownLatch latch) {
    if (latch.getCount() > 0 && condition.getAsBoolean()) {
      latch.countDown();
    }
  }

  private void tick() {
    sessions.tick();
    service.tick();
    metrics = snapshot();
  }

  private MediaNodeMetrics snapshot() {
    long nowNs = loop.nowNs();
    return new MediaNodeMetrics(
        sessions.state(),
        sessions.size(),
        sessions.limit(),
        pool.ledger(false, nowNs),
        pool.ledger(true, nowNs),
        sessions.pairsOfSessions(),
        sessions.tombstones(),
        sessions.counters(),
        service.counters(),
        relay.counts(),
        loop.faults());
  }

  private void tellHealth(NodeState state) {
    // The process lives; whether it wants more work is a matter of the service.
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.SERVING);
    health.setStatus(
        MediaControlService.name(),
        state == NodeState.RUNNING ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  }

  /** What sessions do by themselves. */
  private final class Told implements SessionListener {
    @Override
    public void event(SessionEvent event, Optional<ControlNode> claimant) {
      service.event(event, claimant);
    }

    @Override
    public void stateChanged(NodeState state) {
      tellHealth(state);
      service.stateChanged(state);
    }
  }

  /** What the relay sees, brought to the loop. */
  private final class Heard implements RelayListener {
    @Override
    public void firstPacket(CallKey session, int streamIndex, End end) {
      loop.execute(() -> sessions.firstPacket(session, streamIndex, end));
    }

    @Override
    public void silence(CallKey session, int streamIndex, End end) {
      // One end of a call that is silent is no reason to end the call: mediaTimeout is.
    }

    @Override
    public void mediaTimeout(CallKey session) {
      loop.execute(() -> sessions.mediaTimeout(session));
    }
  }
}
