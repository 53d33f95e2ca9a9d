package io.sippbx.app;

import io.grpc.BindableService;
import io.netty.channel.EventLoop;
import io.sippbx.control.ControlNodeSettings;
import io.sippbx.control.ControlPlane;
import io.sippbx.control.ControlPlaneSettings;
import io.sippbx.control.WarmUp;
import io.sippbx.control.admin.AdminServices;
import io.sippbx.control.admin.ClusterCallCommands;
import io.sippbx.control.admin.KnownControlNodes;
import io.sippbx.control.admin.OtherNodes;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.control.event.Termination;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.GrpcMediaPlane;
import io.sippbx.control.media.GrpcMediaPlaneSettings;
import io.sippbx.control.media.MediaTarget;
import io.sippbx.control.media.NettyMediaChannels;
import io.sippbx.control.media.SystemHostResolver;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.media.MediaNode;
import io.sippbx.media.MediaNodeSettings;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.shared.config.ClusterConfig;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.SipConfig;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.operations.AdminApi;
import io.sippbx.shared.operations.OperationsServer;
import io.sippbx.shared.operations.StatsSource;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Logging;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.ProcessMetric;
import io.sippbx.shared.telemetry.SipTraceFile;
import io.sippbx.shared.tls.NodeTls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running process: the planes that it was asked for, and what every process has (operations
 * server, metrics). Started and stopped by one thread.
 */
final class Node implements AutoCloseable {

  /** Which planes a process holds. */
  enum Planes {
    ALL,
    CONTROL,
    MEDIA,
    EVENTS
  }

  private static final Logger log = LoggerFactory.getLogger(Node.class);
  private static final Duration HAND_OVER_WITHIN = Duration.ofSeconds(3);
  private static final Duration CALLS_END_WITHIN = Duration.ofSeconds(4);
  private static final Duration FIRST_BEAT_WITHIN = Duration.ofSeconds(2);
  private static final Duration EVENTS_LEAVE_WITHIN = Duration.ofSeconds(3);

  // What follows the first few calls is for the compiler, which would have hundreds.
  private static final int WARM_UP_CALLS = 20;
  private static final Duration WARM_UP_WITHIN = Duration.ofMillis(500);
  private static final int THREADS = Math.max(1, Runtime.getRuntime().availableProcessors());

  private final Configuration config;
  private final Planes planes;
  private final Logging logging;
  private final Metrics metrics = new Metrics();
  private final SecureRandom random = new SecureRandom();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final List<String> addresses = new ArrayList<>();
  private @Nullable MediaNode media;
  private volatile @Nullable ControlPlane control;
  private @Nullable CallTelemetry telemetry;
  private @Nullable OperationsServer operations;
  private @Nullable NodeStats stats;
  private BooleanSupplier hasMedia = () -> true;
  private BooleanSupplier hasEvents = () -> true;
  private List<BindableService> adminServices = List.of();
  private Optional<RedisStore> redis = Optional.empty();
  private Optional<NodeTls> tls = Optional.empty();

  private Node(Configuration config, Planes planes, Logging logging) {
    this.config = config;
    this.planes = planes;
    this.logging = logging;
  }

  /**
   * Starts what was asked for.
   *
   * @throws NodeStartException naming what could not be started; nothing is left running then
   */
  static Node start(Configuration config, Planes planes, Logging logging)
      throws NodeStartException {
    var node = new Node(config, planes, logging);
    try {
      node.startPlanes();
      if (node.operations == null) {
        node.startOperations(false);
      }
      return node;
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      node.close();
      throw new NodeStartException(String.valueOf(e.getMessage()), e);
    } catch (NodeStartException e) {
      node.close();
      throw e;
    } catch (InterruptedException e) {
      node.close();
      Thread.currentThread().interrupt();
      throw new NodeStartException("interrupted while starting", e);
    }
  }

  /** Whether webhooks are posted from here. */
  private boolean posts() {
    return config.events().isUsed()
        && switch (planes) {
          case ALL, EVENTS -> true;
          case CONTROL -> !config.kafka().isUsed();
          case MEDIA -> false;
        };
  }

  private void startPlanes() throws IOException, NodeStartException, InterruptedException {
    if (planes != Planes.EVENTS) {
      tls = ClusterTls.open(config.cluster(), metrics);
      tls.ifPresent(open::push);
    }
    switch (planes) {
      case ALL -> {
        StatePlan plan = StatePlan.of(config, true);
        Optional<OwnRedis> redis = startRedis(plan);
        NettyLoops loops = startLoops();
        StateStore state = beginState(plan, redis, loops);
        String name = "media-" + Long.toHexString(random.nextLong());
        EventLoop shared = loops.eventLoop(loops.loops().all().getFirst());
        startMedia(
            new MediaNodeSettings.Listen.InProcess(name),
            (settings, relays) -> MediaNode.startOn(shared, settings, relays));
        List<MediaTarget> targets = List.of(new MediaTarget.InProcess(name));
        startControl(loops, targets, state, redis, plan.isShared());
        if (config.kafka().isUsed() && (config.cdr().enabled() || config.events().isUsed())) {
          startEvents(Optional.of(config.standalone().dataDir()));
        }
      }
      case CONTROL -> {
        var targets = new ArrayList<MediaTarget>();
        for (HostPort each : config.media().nodes()) {
          targets.add(new MediaTarget.Network(each.host(), each.port()));
        }
        if (targets.isEmpty()) {
          throw new NodeStartException(
              "media.nodes: a control node needs media nodes: give --media host:port,...");
        }
        NettyLoops loops = startLoops();
        StateStore state = beginState(StatePlan.of(config, false), Optional.empty(), loops);
        startControl(loops, targets, state, Optional.empty(), true);
      }
      case MEDIA -> {
        startMedia(
            new MediaNodeSettings.Listen.Network(listen(config.media().listen()), tls),
            MediaNode::start);
        adminServices = List.of(new OwnMediaNode(Objects.requireNonNull(media)));
      }
      case EVENTS -> {
        if (!config.cdr().enabled() && !config.events().isUsed()) {
          throw new NodeStartException(
              "cdr.enabled = false: expected true, or events.webhooks_enabled and receivers in"
                  + " events.webhook_urls or events.webhooks, for an event plane node has nothing"
                  + " else to do");
        }
        EventPlane events = startEvents(Optional.empty());
        hasEvents = events::isConnected;
      }
    }
  }

  private static Endpoint listen(HostPort configured) throws NodeStartException {
    String host = configured.host().equals("localhost") ? "127.0.0.1" : configured.host();
    return IpAddress.parse(host)
        .map(ip -> new Endpoint(ip, configured.port()))
        .orElseThrow(
            () ->
                new NodeStartException(
                    "media.listen: expected an IP address and a port, but got " + configured));
  }

  private EventPlane startEvents(Optional<Path> otherwise)
      throws IOException, NodeStartException, InterruptedException {
    EventPlane events = EventPlane.start(config, otherwise, metrics);
    open.push(events);
    addresses.addAll(events.addresses());
    return events;
  }

  /** Opened first, so closed last: what the rest has to say at its end must find it there. */
  private Optional<OwnRedis> startRedis(StatePlan plan) {
    if (!(plan instanceof StatePlan.Own(Path dataDir))) {
      return Optional.empty();
    }
    OwnRedis redis =
        OwnRedis.begin(dataDir.resolve(StateStore.REDIS), config.redis().limits().startTimeout());
    open.push(redis);
    return Optional.of(redis);
  }

  private NettyLoops startLoops() {
    NettyLoops loops = NettyLoops.start(THREADS);
    open.push(loops);
    return loops;
  }

  /** Beside what else is to be done. */
  private StateStore beginState(StatePlan plan, Optional<OwnRedis> own, NettyLoops loops) {
    StateStore state = StateStore.begin(config, plan, own, loops, random);
    open.push(state);
    return state;
  }

  private void startMedia(
      MediaNodeSettings.Listen listen,
      BiFunction<MediaNodeSettings, MediaNode.RelayFactory, MediaNode> start) {
    NodeId id = config.cluster().nodeId();
    MediaNode started =
        start.apply(
            MediaSettings.of(config, id, listen),
            (settings, listener) -> Relays.start(settings, listener, System::nanoTime));
    open.push(() -> started.stop(Duration.ZERO));
    media = started;
    MediaNodeMetricsBinding.bind(metrics, started);
    started.address().ifPresent(at -> addresses.add("media-control=grpc://" + at));
    addresses.add(
        "rtp=" + config.media().portPool().start() + "-" + config.media().portPool().end());
  }

  /**
   * @param hasOthers whether other nodes may take the calls that come meanwhile: then this one
   *     listens when it has made calls of its own, else before, for nobody else answers a
   *     registration
   */
  private void startControl(
      NettyLoops loops,
      List<MediaTarget> targets,
      StateStore state,
      Optional<OwnRedis> own,
      boolean hasOthers)
      throws IOException, NodeStartException, InterruptedException {
    Optional<Future<Void>> before = hasOthers ? Optional.of(beginWarmUp()) : Optional.empty();
    var incarnation = new Incarnation(random.nextLong());
    var resolver = new SystemHostResolver();
    open.push(resolver);
    GrpcMediaPlane mediaPlane =
        GrpcMediaPlane.start(
            GrpcMediaPlaneSettings.of(targets),
            config.cluster().nodeId(),
            incarnation,
            loops.loops().all().getFirst(),
            random,
            resolver,
            new NettyMediaChannels(loops, tls));
    open.push(mediaPlane);
    hasMedia = () -> mediaPlane.stats().placeable() > 0;
    EventOutlet outlet = EventOutlet.open(config, metrics);
    open.push(outlet);
    outlet.address().ifPresent(addresses::add);
    StateStore.Opened opened = state.await();
    if (before.isPresent()) {
      Futures.await(before.get(), RuntimeException.class);
    }
    redis = opened.redis();
    OutboxRelay events = startEvents(opened, loops, outlet);
    var observer = new CallTelemetry(metrics, System::nanoTime);
    telemetry = observer;
    ControlPlaneSettings settings =
        ControlSettings.of(config, opened.secret(), incarnation, THREADS);
    ControlPlane started =
        ControlPlane.start(
            opened.isOnlyOurs() ? settings : settings.withMesh(mesh(config.cluster().mesh(), tls)),
            loops,
            opened.stores(),
            mediaPlane,
            events,
            observer,
            observer);
    open.push(started);
    Future<Void> warmUp = before.orElseGet(this::beginWarmUp);
    // Beside the first requests, which are answered on threads that have nothing else to do.
    adminServices = admin(opened, mediaPlane, loops.loops().all().getFirst(), incarnation);
    startOperations(true);
    Futures.await(warmUp, RuntimeException.class);
    // Not ready before.
    control = started;
    if (!started.awaitServing(FIRST_BEAT_WITHIN)) {
      log.atWarn().log("cluster.no-heartbeat: calls are refused until the store takes one");
    }
    started.meshAddress().ifPresent(at -> addresses.add("mesh=" + at));
    trace(started);
    ControlPlaneMetricsBinding.bind(metrics, started, mediaPlane);
    started.mesh().ifPresent(mesh -> MeshMetricsBinding.bind(metrics, mesh));
    StateMetricsBinding.bind(metrics, opened, events);
    own.ifPresent(process -> metrics.counter(ControlMetric.REDIS_RESTARTS, process::restarts));
    for (Listener listener : started.listeners()) {
      addresses.add(
          listener.protocol().name().toLowerCase(Locale.ROOT)
              + "="
              + listener.bind()
              + listener
                  .advertised()
                  .filter(told -> !told.equals(listener.bind()))
                  .map(told -> "(" + told + ")")
                  .orElse(""));
    }
  }

  /** Beside what else is to be done. With a secret of its own: nothing of it leaves. */
  private Future<Void> beginWarmUp() {
    ControlNodeSettings settings =
        ControlSettings.of(
                config, ClusterSecret.random(random), new Incarnation(random.nextLong()), THREADS)
            .node();
    var task = new FutureTask<Void>(() -> warmUp(settings), null);
    Thread.ofPlatform().daemon().name("warm-up").start(task);
    return task;
  }

  /** Makes calls within the process, for as long as that is worth it. */
  private static void warmUp(ControlNodeSettings settings) {
    long beganNs = System.nanoTime();
    var warmUp = new WarmUp(settings);
    int calls = 0;
    while (calls < WARM_UP_CALLS && System.nanoTime() - beganNs < WARM_UP_WITHIN.toNanos()) {
      if (!warmUp.call()) {
        log.atWarn().addKeyValue("calls", calls).log("node.warm-up-failed");
        return;
      }
      calls++;
    }
    log.atDebug().addKeyValue("calls", calls).log("node.warmed-up");
  }

  /** What an administrator may ask of this node, once it is there. */
  private List<BindableService> admin(
      StateStore.Opened opened, GrpcMediaPlane mediaPlane, Loop loop, Incarnation incarnation) {
    var self = new Member(config.cluster().nodeId(), incarnation);
    OtherNodes others =
        (member, command, told) ->
            here()
                .flatMap(ControlPlane::mesh)
                .<OtherNodes>map(mesh -> mesh::command)
                .orElse(OtherNodes.NONE)
                .tell(member, command, told);
    return AdminServices.of(
        new AdminServices.Ports(
            loop,
            opened.stores().calls(),
            opened.stores().partitions(),
            opened.stores().registrations().apply(loop),
            new ClusterCallCommands(
                self,
                call ->
                    here()
                        .ifPresent(
                            each -> each.node().hangUp(call, Termination.Reason.ADMINISTRATOR)),
                others),
            new KnownControlNodes(
                self,
                opened.redis().map(store -> store.cluster(loop)),
                () -> here().filter(ControlPlane::isDraining).isPresent(),
                draining -> here().ifPresent(each -> each.node().drain(draining)),
                others),
            mediaPlane.directory(),
            Optional.ofNullable(media).map(MediaNode::id)));
  }

  private Optional<ControlPlane> here() {
    return Optional.ofNullable(control);
  }

  private static ControlPlaneSettings.MeshAddress mesh(
      ClusterConfig.Mesh configured, Optional<NodeTls> tls) {
    return new ControlPlaneSettings.MeshAddress(configured.listen(), configured.advertised(), tls);
  }

  /** The way of events from their outboxes to Kafka or this process' consumers. */
  private OutboxRelay startEvents(StateStore.Opened opened, NettyLoops loops, EventOutlet outlet) {
    NodeId node = config.cluster().nodeId();
    OutboxRelay relay =
        new OutboxRelay(
            opened.stores().partitions(),
            loops.loops(),
            outlet.consumer(),
            // Where other nodes use the same Redis, each hands over what it has committed, and
            // what a node has left that is gone falls to who keeps the partition.
            (partition, by) ->
                opened.isOnlyOurs() || by.equals(node.text()) || inherits(partition, by),
            outlet.pause());
    open.push(
        () -> {
          var flushed = new CountDownLatch(1);
          relay.flush(flushed::countDown);
          if (!flushed.await(EVENTS_LEAVE_WITHIN.toMillis(), TimeUnit.MILLISECONDS)) {
            log.atWarn().addKeyValue("in_outbox", relay.depth()).log("node.events-not-written");
          }
          relay.close();
        });
    relay.start();
    return relay;
  }

  private boolean inherits(Partition partition, String by) {
    ControlPlane here = control;
    return here != null
        && !by.isEmpty()
        && here.node().cluster().inherits(partition, new NodeId(by));
  }

  private void trace(ControlPlane started) throws IOException {
    Optional<SipConfig.Trace> wanted = config.sip().trace();
    if (wanted.isPresent()) {
      SipConfig.Trace to = wanted.get();
      SipTraceFile file = SipTraceFile.open(to.file(), to.maxBytes(), to.files());
      open.push(file);
      started.transport().trace(new FileTracer(file));
    }
  }

  /** What any process tells of itself; once it listens, which is what others wait for. */
  private void bindProcess() {
    ProcessMetric.bind(metrics, logging);
    metrics.bindJvm();
    if (!posts()) {
      // Whoever watches them sees that none is posted, and not a gap.
      metrics.counter(EventMetric.WEBHOOK_REQUESTS);
      metrics.counter(EventMetric.WEBHOOK_FAILURES);
    }
  }

  private void startOperations(boolean isControl) throws IOException {
    bindProcess();
    var source =
        new NodeStats(
            isControl,
            this::here,
            media,
            telemetry,
            hasMedia,
            hasEvents,
            () -> redis.filter(store -> store.stats().isGone()).isPresent(),
            System::nanoTime);
    OperationsServer started =
        OperationsServer.start(
            config.monitoring(),
            source,
            metrics,
            Clock.systemUTC(),
            new AdminApi(config.admin(), adminServices));
    open.push(started);
    stats = source;
    operations = started;
    addresses.add("http=" + started.adminAddress());
    addresses.add("metrics=" + started.metricsAddress());
  }

  /** What {@code /ready} answers now. */
  StatsSource.Readiness readiness() {
    return stats == null ? new StatsSource.Readiness.NotReady("starting") : stats.readiness();
  }

  /** One line with all addresses. */
  String banner() {
    return "sip-pbx ready " + String.join(" ", addresses);
  }

  /** Where SIP is received. */
  List<Listener> listeners() {
    return control == null ? List.of() : control.listeners();
  }

  /** Where the operations server answers. */
  Optional<Endpoint> adminAddress() {
    return operations == null ? Optional.empty() : Optional.of(operations.adminAddress());
  }

  /** The media node of this process. */
  Optional<MediaNode> mediaNode() {
    return Optional.ofNullable(media);
  }

  /** The control plane of this process. */
  Optional<ControlPlane> controlPlane() {
    return here();
  }

  /**
   * Takes no new calls, hands over those that there are or ends them, and closes everything:
   * bounded, a few seconds in all.
   */
  void stop() {
    log.atInfo().log("node.stopping");
    try {
      if (control != null && redis.isPresent() && media == null) {
        handOver(control);
      } else if (control != null && telemetry != null) {
        hangUp(control, telemetry);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
    log.atInfo().log("node.stopped");
  }

  /** The calls are in Redis and their media elsewhere: others go on with them. */
  private static void handOver(ControlPlane control) throws InterruptedException {
    if (!control.handOver(HAND_OVER_WITHIN)) {
      log.atWarn().addKeyValue("calls", control.activeCalls()).log("node.calls-not-handed-over");
    }
  }

  /** With this process go the calls, or their media. */
  private static void hangUp(ControlPlane control, CallTelemetry telemetry)
      throws InterruptedException {
    control.drain();
    control.hangUpAll();
    // Told, so that each has its record; quiet, so that each peer has heard it.
    if (!telemetry.awaitAllEnded(CALLS_END_WITHIN) || !control.awaitQuiet(CALLS_END_WITHIN)) {
      log.atWarn().addKeyValue("calls", control.activeCalls()).log("node.calls-not-ended");
    }
  }

  /** Closes everything, the last opened first. */
  @Override
  public void close() {
    while (!open.isEmpty()) {
      AutoCloseable part = open.pop();
      try {
        part.close();
      } catch (Exception e) {
        log.atWarn()
            .addKeyValue("part", part.getClass().getSimpleName())
            .setCause(e)
            .log("node.close-failed");
      }
    }
    metrics.close();
  }
}
