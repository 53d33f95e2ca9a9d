package io.sippbx.control.media;

import io.sippbx.control.loop.Loop;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.Hello;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The media nodes over gRPC: a directory of them, a stream to each, and the placing of calls.
 *
 * <ul>
 *   <li>A request is answered within {@code requestTimeout}, exactly once. One that was under way
 *       when the stream broke is sent again on the next stream, while it has time: requests are
 *       idempotent. When the node is lost, its requests are answered as unreachable at once.
 *   <li>A release is kept, and sent again, until the node acknowledges it, it has started anew, or
 *       {@code releaseLife} is over.
 *   <li>A node that started anew has lost its sessions; one that was connected to again is asked
 *       for its sessions, and those that it has no more are told to be lost.
 *   <li>When this process could not listen for half a second, or when more than half of all nodes
 *       seem to be lost at once, no node is judged.
 * </ul>
 *
 * <p>Everything happens on one loop; answers and events are given there.
 */
public final class GrpcMediaPlane implements MediaPlane, AutoCloseable {

  private static final Duration TICK = Duration.ofMillis(50);
  private static final long DEAF_NS = Duration.ofMillis(500).toNanos();

  private final Loop loop;
  private final MediaCounters counters = new MediaCounters();
  private final Placement placement;
  private final MediaNodes nodes;
  private final MediaRequests requests;
  private final MediaLevels levels;
  private final MediaRestores restores;
  private final MediaInbound inbound;
  private final MediaWays ways;

  private volatile Consumer<MediaEvent> listener = event -> {};
  private volatile MediaPlaneStats stats;
  private volatile List<MediaNodeSeen> seen = List.of();
  private volatile boolean closed;
  private Loop.@Nullable Timer timer;
  private long lastTickNs;

  private GrpcMediaPlane(
      GrpcMediaPlaneSettings settings,
      ControlMessage hello,
      Loop loop,
      RandomGenerator random,
      HostResolver resolver,
      MediaChannels channels) {
    this.loop = loop;
    placement = new Placement(settings.requestTimeout().toNanos());
    nodes = new MediaNodes(settings, placement, loop);
    requests = new MediaRequests(settings, loop, placement, counters);
    levels = new MediaLevels(loop, event -> listener.accept(event), counters);
    restores = new MediaRestores(loop);
    inbound = new MediaInbound(loop, nodes, requests, levels, restores, counters);
    ways = new MediaWays(settings, loop, random, resolver, channels, hello, new Links());
    stats = snapshot();
  }

  /**
   * Begins to look for the nodes and to connect to them.
   *
   * @param self the name of this control node
   * @param loop on which everything is done
   * @param random for the jitter of attempts to connect
   * @param channels to nodes over the network
   */
  public static GrpcMediaPlane start(
      GrpcMediaPlaneSettings settings,
      NodeId self,
      Incarnation incarnation,
      Loop loop,
      RandomGenerator random,
      HostResolver resolver,
      MediaChannels channels) {
    var hello =
        ControlMessage.newBuilder()
            .setHello(Hello.newBuilder().setNodeId(self.text()).setIncarnation(incarnation.value()))
            .build();
    var plane = new GrpcMediaPlane(settings, hello, loop, random, resolver, channels);
    loop.execute(plane::begin);
    return plane;
  }

  @Override
  public Optional<NodeId> place(MediaNeed need) {
    return place(need, List.of());
  }

  @Override
  public Optional<NodeId> place(MediaNeed need, List<NodeId> except) {
    return closed ? Optional.empty() : placement.place(need, except, loop.nowNs());
  }

  @Override
  public void apply(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
    loop.execute(() -> doApply(node, spec, answer));
  }

  @Override
  public void release(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    loop.execute(() -> doRelease(node, call, revision, answer));
  }

  @Override
  public void onEvent(Consumer<MediaEvent> newListener) {
    listener = newListener;
  }

  @Override
  public List<MediaNodeSeen> seen() {
    return seen;
  }

  @Override
  public void list(NodeId node, Optional<CallKey> after, Consumer<MediaListing> answer) {
    loop.execute(
        () -> {
          MediaNodeView view = closed ? null : nodes.get(node);
          MediaLink link = view == null ? null : view.link;
          if (link == null) {
            answer.accept(new MediaListing.Failed("Media node " + node + " is not connected"));
          } else {
            link.list(
                ListRequest.newBuilder()
                    .setAfterCallKey(after.map(CallKey::text).orElse(""))
                    .build(),
                new Listed(answer));
          }
        });
  }

  @Override
  public void onRestore(MediaRestorer restorer) {
    loop.execute(() -> restores.by(restorer));
  }

  @Override
  public void witnessedBy(MediaWitness witness) {
    loop.execute(() -> nodes.witnessedBy(witness));
  }

  /** The media nodes in numbers, some milliseconds old. */
  public MediaPlaneStats stats() {
    return stats;
  }

  /** The nodes for who administers them. */
  public MediaDirectory directory() {
    return new MediaAdministration(loop, nodes);
  }

  /** Ends all streams and answers what waits as unreachable; sessions stay. */
  @Override
  public void close() {
    closed = true;
    loop.execute(this::end);
  }

  /** What streams bring and how they end, to those whom it concerns. */
  private final class Links implements MediaLink.Listener {
    @Override
    public void heard(MediaLink link, NodeMessage message) {
      inbound.heard(link, message);
    }

    @Override
    public void ended(MediaLink link, String reason) {
      if (inbound.ended(link, reason)) {
        ways.tryOthers(link);
      }
      ways.ended(link);
    }
  }

  private void doApply(NodeId id, SessionSpec spec, Consumer<MediaAnswer> answer) {
    requests.apply(id, closed ? null : nodes.get(id), spec, answer);
  }

  private void doRelease(NodeId id, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    // A node that was never seen may yet come, and hold the session.
    MediaNodeView node = closed ? null : nodes.getOrAdd(id, loop.nowNs());
    if (node == null) {
      counters.timeouts++;
      counters.releasesDropped++;
      answer.accept(new MediaAnswer.Unreachable("Media node " + id + " is not connected"));
    } else {
      requests.release(node, call, revision, answer);
    }
  }

  private void begin() {
    lastTickNs = loop.nowNs();
    ways.begin();
    tick();
  }

  private void tick() {
    if (closed) {
      return;
    }
    long nowNs = loop.nowNs();
    if (nowNs - lastTickNs > TICK.toNanos() + DEAF_NS) {
      // It is us who did not listen: nobody is judged by that time.
      ways.excuseAll();
      nodes.excuseAll(nowNs);
    }
    lastTickNs = nowNs;
    ways.tick(nowNs);
    for (MediaNodeView node : nodes.all()) {
      nodes.watch(node, nowNs);
      requests.expire(node, nowNs);
      levels.compareIfDue(node, nowNs);
    }
    seen = nodes.seen(nowNs);
    stats = snapshot();
    timer = loop.schedule(TICK, this::tick);
  }

  private void end() {
    if (timer != null) {
      timer.cancel();
    }
    ways.close();
    for (MediaNodeView node : nodes.all()) {
      placement.withdrawn(node.id);
      requests.giveUp(node, "The media plane has been closed");
    }
    stats = snapshot();
  }

  private MediaPlaneStats snapshot() {
    int[] byHealth = new int[3];
    int known = 0;
    int inFlight = 0;
    int releases = 0;
    for (MediaNodeView node : nodes.all()) {
      switch (node.health) {
        case HEALTHY -> byHealth[0]++;
        case SUSPECTED -> byHealth[1]++;
        case LOST -> byHealth[2]++;
      }
      known += node.known.size();
      inFlight += node.inFlight();
      releases += node.releasesKept();
    }
    return new MediaPlaneStats(
        byHealth[0],
        byHealth[1],
        byHealth[2],
        placement.size(),
        known,
        inFlight,
        releases,
        counters.connects,
        counters.disconnects,
        counters.timeouts,
        counters.overloads,
        counters.releasesDropped,
        counters.sessionsLost,
        counters.sessionsNotKnown,
        counters.conflicts,
        counters.malformed);
  }
}
