package io.sippbx.control.media;

import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.control.media.MediaNodeView.Known;
import io.sippbx.control.media.MediaNodeView.Request;
import io.sippbx.control.media.MediaNodeView.Restore;
import io.sippbx.proto.media.v1.Apply;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.Claim;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.Hello;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.Release;
import io.sippbx.proto.media.v1.ReleaseResult;
import io.sippbx.proto.media.v1.RestoreDone;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEvent;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

  private static final Logger log = LoggerFactory.getLogger(GrpcMediaPlane.class);
  private static final Duration TICK = Duration.ofMillis(50);
  private static final long DEAF_NS = Duration.ofMillis(500).toNanos();
  private static final long OTHER_WAY_NS = Duration.ofSeconds(10).toNanos();
  private static final long COMPARE_AGAIN_NS = Duration.ofSeconds(1).toNanos();
  private static final int CLAIMS = 1_000;
  private static final int MOST_MESSAGE_BYTES = 4 * 1_024 * 1_024;
  private static final int FIRST_PACKET_STREAMS = 32;

  private static final ControlMessage RESTORE_DONE =
      ControlMessage.newBuilder().setRestoreDone(RestoreDone.getDefaultInstance()).build();

  private final GrpcMediaPlaneSettings settings;
  private final Loop loop;
  private final RandomGenerator random;
  private final HostResolver resolver;
  private final MediaRestorer restorer;
  private final ControlMessage hello;
  private final Placement placement;
  private final Links links = new Links();

  /** By address, so that they are gone through in one order. */
  private final TreeMap<String, MediaLink> byAddress = new TreeMap<>();

  private final TreeMap<NodeId, MediaNodeView> nodes = new TreeMap<>();
  private final LinkedHashMap<MediaTarget.Network, TreeSet<String>> resolved =
      new LinkedHashMap<>();

  private volatile Consumer<MediaEvent> listener = event -> {};
  private volatile MediaPlaneStats stats;
  private volatile boolean closed;
  private Loop.@Nullable Timer timer;
  private long lastTickNs;
  private long nextResolveNs;
  private long lastRequestId;
  private boolean alarmed;

  private long connects;
  private long disconnects;
  private long timeouts;
  private long overloads;
  private long releasesDropped;
  private long sessionsLost;
  private long sessionsNotKnown;
  private long conflicts;
  private long malformed;

  private GrpcMediaPlane(
      GrpcMediaPlaneSettings settings,
      NodeId self,
      Incarnation incarnation,
      Loop loop,
      RandomGenerator random,
      HostResolver resolver,
      MediaRestorer restorer) {
    this.settings = settings;
    this.loop = loop;
    this.random = random;
    this.resolver = resolver;
    this.restorer = restorer;
    hello =
        ControlMessage.newBuilder()
            .setHello(Hello.newBuilder().setNodeId(self.text()).setIncarnation(incarnation.value()))
            .build();
    placement = new Placement(settings.requestTimeout().toNanos());
    stats = snapshot();
  }

  /**
   * Begins to look for the nodes and to connect to them.
   *
   * @param self the name of this control node
   * @param loop on which everything is done
   * @param random for the jitter of attempts to connect
   * @param restorer asked once for each start of a node
   */
  public static GrpcMediaPlane start(
      GrpcMediaPlaneSettings settings,
      NodeId self,
      Incarnation incarnation,
      Loop loop,
      RandomGenerator random,
      HostResolver resolver,
      MediaRestorer restorer) {
    var plane = new GrpcMediaPlane(settings, self, incarnation, loop, random, resolver, restorer);
    loop.execute(plane::begin);
    return plane;
  }

  @Override
  public Optional<NodeId> place(MediaNeed need) {
    return closed ? Optional.empty() : placement.place(need, loop.nowNs());
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

  /** The media nodes in numbers, some milliseconds old. */
  public MediaPlaneStats stats() {
    return stats;
  }

  /** Ends all streams and answers what waits as unreachable; sessions stay. */
  @Override
  public void close() {
    closed = true;
    loop.execute(this::end);
  }

  // --- Requests ---

  private void doApply(NodeId id, SessionSpec spec, Consumer<MediaAnswer> answer) {
    MediaNodeView node = nodes.get(id);
    if (closed || node == null || node.health == Health.LOST) {
      timeouts++;
      answer.accept(new MediaAnswer.Unreachable("Media node " + id + " is not connected"));
      return;
    }
    if (isOverloaded(node, answer)) {
      return;
    }
    if (!node.known.containsKey(spec.call())) {
      placement.applying(id, spec.call(), MediaNeed.of(spec.streams()), loop.nowNs());
    }
    long requestId = ++lastRequestId;
    request(
        node,
        requestId,
        new Request(
            ControlMessage.newBuilder()
                .setApply(
                    Apply.newBuilder().setRequestId(requestId).setSpec(MediaMessages.spec(spec)))
                .build(),
            spec.call(),
            false,
            loop.nowNs(),
            answer));
  }

  private void doRelease(NodeId id, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    MediaNodeView node = nodes.get(id);
    if (closed || node == null && nodes.size() >= settings.maxNodes()) {
      timeouts++;
      releasesDropped++;
      answer.accept(new MediaAnswer.Unreachable("Media node " + id + " is not connected"));
      return;
    }
    if (node == null) {
      // A node that was never seen may yet come, and hold the session.
      node = new MediaNodeView(id, loop.nowNs());
      nodes.put(id, node);
    }
    node.known.remove(call);
    if (isOverloaded(node, answer)) {
      return;
    }
    long requestId = ++lastRequestId;
    var request =
        new Request(
            ControlMessage.newBuilder()
                .setRelease(
                    Release.newBuilder()
                        .setRequestId(requestId)
                        .setCallKey(call.text())
                        .setRevision(revision))
                .build(),
            call,
            true,
            loop.nowNs(),
            answer);
    request(node, requestId, request);
    if (node.health == Health.LOST) {
      unreachable(node, requestId, request, "Media node " + id + " is not connected");
    }
  }

  private boolean isOverloaded(MediaNodeView node, Consumer<MediaAnswer> answer) {
    if (node.inFlight() < settings.maxInFlight()) {
      return false;
    }
    overloads++;
    answer.accept(
        new MediaAnswer.Refused(
            MediaAnswer.Refusal.OVERLOADED,
            settings.maxInFlight() + " requests wait for media node " + node.id,
            0));
    return true;
  }

  private void request(MediaNodeView node, long requestId, Request request) {
    node.add(requestId, request);
    if (node.link != null) {
      node.link.send(request.message);
    }
  }

  /** Answers, if nobody did; a release stays until it is acknowledged, as long as there is room. */
  private void unreachable(MediaNodeView node, long requestId, Request request, String detail) {
    Consumer<MediaAnswer> answer = node.answerOf(request);
    if (answer == null) {
      return;
    }
    timeouts++;
    if (!request.isRelease) {
      node.requests.remove(requestId);
      placement.answered(node.id, request.call, false);
    } else if (node.releasesKept() > settings.maxReleases()) {
      node.requests.remove(requestId);
      releasesDropped++;
      log.atWarn()
          .addKeyValue("node", node.id)
          .addKeyValue("call", request.call)
          .log("media.release.dropped");
    }
    answer.accept(new MediaAnswer.Unreachable(detail));
  }

  private void applied(MediaNodeView node, MediaLink link, ApplyResult result) {
    Request request = node.requests.get(result.getRequestId());
    Consumer<MediaAnswer> waiting =
        request == null || request.isRelease ? null : node.answerOf(request);
    if (request == null || waiting == null) {
      return;
    }
    node.requests.remove(result.getRequestId());
    Optional<MediaAnswer> answer =
        switch (result.getResultCase()) {
          case SESSION -> MediaMessages.held(result.getSession());
          case ERROR -> MediaMessages.refused(result.getError());
          case RESULT_NOT_SET -> Optional.empty();
        };
    boolean held = answer.isPresent() && answer.get() instanceof MediaAnswer.Held;
    placement.answered(node.id, request.call, held);
    if (held) {
      remember(node, link, request.call, result.getSession().getRevision());
    } else if (answer.isPresent()
        && answer.get() instanceof MediaAnswer.Refused refused
        && refused.refusal() == MediaAnswer.Refusal.RELEASED) {
      node.known.remove(request.call);
    }
    waiting.accept(answer.orElseGet(() -> nonsense(node, "apply_result")));
  }

  private void released(MediaNodeView node, ReleaseResult result) {
    Request request = node.requests.get(result.getRequestId());
    if (request == null || !request.isRelease) {
      return;
    }
    Consumer<MediaAnswer> waiting = node.answerOf(request);
    node.requests.remove(result.getRequestId());
    Optional<MediaAnswer> answer =
        switch (result.getResultCase()) {
          case SESSION -> MediaMessages.held(result.getSession());
          case ERROR -> MediaMessages.refused(result.getError());
          case RESULT_NOT_SET -> Optional.empty();
        };
    if (waiting != null) {
      waiting.accept(answer.orElseGet(() -> nonsense(node, "release_result")));
    }
  }

  private MediaAnswer nonsense(MediaNodeView node, String what) {
    malformed++;
    return new MediaAnswer.Unreachable(
        "Media node " + node.id + " sent a " + what + " that makes no sense");
  }

  private void remember(MediaNodeView node, MediaLink link, CallKey call, long revision) {
    Known known = node.known.get(call);
    if (known == null) {
      if (node.known.size() >= settings.maxKnown()) {
        sessionsNotKnown++;
        return;
      }
      known = new Known();
      node.known.put(call, known);
    }
    known.revision = Math.max(known.revision, revision);
    known.acknowledgedOn = link.opened();
  }

  // --- What nodes say ---

  private final class Links implements MediaLink.Listener {
    @Override
    public void heard(MediaLink link, NodeMessage message) {
      MediaNodeView node = link.node;
      if (message.getMessageCase() == NodeMessage.MessageCase.STATUS) {
        status(link, message.getStatus());
      } else if (node == null) {
        malformed++;
        link.end("expected a NodeStatus first");
      } else {
        node.heardNs = loop.nowNs();
        switch (message.getMessageCase()) {
          case APPLY_RESULT -> applied(node, link, message.getApplyResult());
          case RELEASE_RESULT -> released(node, message.getReleaseResult());
          case EVENT -> event(node, message.getEvent());
          // What a newer node says and we do not know is no reason to leave it.
          case STATUS, MESSAGE_NOT_SET -> {}
        }
      }
    }

    @Override
    public void ended(MediaLink link, String reason) {
      disconnects++;
      log.atInfo()
          .addKeyValue("address", link.address())
          .addKeyValue("reason", reason)
          .log("media.disconnected");
      link.retryIn(backoffNs(link.failures()));
      MediaNodeView node = link.node;
      link.node = null;
      if (node != null && node.link == link) {
        node.link = null;
        suspect(node);
        // There may be another way to it.
        byAddress.values().stream()
            .filter(other -> !other.isOpen())
            .forEach(
                other -> {
                  if (other != link && other.failures() == 0) {
                    other.retryIn(0);
                  }
                });
      }
      if (!link.wanted) {
        byAddress.remove(link.address());
      }
    }
  }

  private void status(MediaLink link, NodeStatus status) {
    MediaNodeView node = link.node;
    if (node == null) {
      node = identified(link, status);
      if (node == null) {
        return;
      }
    }
    node.heardNs = loop.nowNs();
    if (node.health != Health.HEALTHY) {
      log.atInfo().addKeyValue("node", node.id).log("media.node.healthy");
      node.health = Health.HEALTHY;
      node.abandoned = false;
    }
    if (status.getState() == NodeState.NODE_STATE_RESTORING) {
      restoring(node, link);
    }
    placement.reported(node.id, status);
  }

  /** Asks for what can come back, once; and says again that all has, if it was not heard. */
  private void restoring(MediaNodeView node, MediaLink link) {
    switch (node.restore) {
      case DUE -> {
        node.restore = Restore.ASKED;
        Incarnation of = node.incarnation;
        restorer.restore(node.id, () -> loop.execute(() -> restored(node, of)));
      }
      case ASKED -> {}
      case DONE -> link.send(RESTORE_DONE);
    }
  }

  private void restored(MediaNodeView node, @Nullable Incarnation of) {
    if (closed || !Objects.equals(of, node.incarnation)) {
      return;
    }
    node.restore = Restore.DONE;
    if (node.link != null) {
      node.link.send(RESTORE_DONE);
    }
  }

  /** The first word on a stream: which node it is, and whether it is the one of before. */
  private @Nullable MediaNodeView identified(MediaLink link, NodeStatus status) {
    NodeId id;
    try {
      id = new NodeId(status.getNodeId());
    } catch (IllegalArgumentException notOne) {
      malformed++;
      link.end("expected the name of a node");
      return null;
    }
    var incarnation = new Incarnation(status.getIncarnation());
    MediaNodeView node = nodes.get(id);
    if (node == null) {
      if (nodes.size() >= settings.maxNodes()) {
        conflicts++;
        link.end("there are " + nodes.size() + " media nodes already");
        return null;
      }
      node = new MediaNodeView(id, loop.nowNs());
      nodes.put(id, node);
    }
    MediaLink other = node.link;
    if (other != null && other != link) {
      if (incarnation.equals(node.incarnation)) {
        link.proved();
        link.end("the node is connected on " + other.address());
        link.proved();
        link.retryIn(OTHER_WAY_NS);
        return null;
      }
      if (node.health == Health.HEALTHY) {
        conflicts++;
        log.atError()
            .addKeyValue("node", id)
            .addKeyValue("address", link.address())
            .addKeyValue("other", other.address())
            .log("media.node.same_name");
        link.end("another node has the name " + id);
        return null;
      }
      other.end("the node has started anew on " + link.address());
    }
    connects++;
    link.proved();
    link.node = node;
    node.link = link;
    log.atInfo()
        .addKeyValue("node", id)
        .addKeyValue("incarnation", incarnation)
        .addKeyValue("address", link.address())
        .log("media.connected");
    if (!incarnation.equals(node.incarnation)) {
      node.restore = Restore.DUE;
    }
    if (node.incarnation != null && !incarnation.equals(node.incarnation)) {
      startedAnew(node);
    } else {
      node.compareDue = !node.known.isEmpty();
      node.compareAtNs = loop.nowNs();
    }
    node.incarnation = incarnation;
    for (Request request : List.copyOf(node.requests.values())) {
      link.send(request.message);
    }
    return node;
  }

  /** All its sessions are gone, and with them what was asked about them. */
  private void startedAnew(MediaNodeView node) {
    log.atWarn()
        .addKeyValue("node", node.id)
        .addKeyValue("sessions", node.known.size())
        .log("media.node.started_anew");
    node.compareDue = false;
    for (Map.Entry<Long, Request> entry : List.copyOf(node.requests.entrySet())) {
      unreachable(
          node, entry.getKey(), entry.getValue(), "Media node " + node.id + " started anew");
    }
    node.requests.clear();
    loseAll(node);
  }

  private void event(MediaNodeView node, SessionEvent event) {
    Optional<CallKey> call = key(event.getCallKey());
    if (call.isEmpty()) {
      malformed++;
      return;
    }
    Known known = node.known.get(call.get());
    switch (event.getKind()) {
      case SESSION_EVENT_KIND_FIRST_PACKET ->
          firstPacket(call.get(), known, event.getStreamIndex(), event.getFromA());
      case SESSION_EVENT_KIND_MEDIA_TIMEOUT ->
          tell(new MediaEvent.MediaTimeout(call.get(), event.getRevision()));
      case SESSION_EVENT_KIND_EXPIRED -> {
        node.known.remove(call.get());
        tell(new MediaEvent.Expired(call.get(), event.getRevision()));
      }
      case SESSION_EVENT_KIND_UNSPECIFIED, UNRECOGNIZED -> {
        // Of a newer node.
      }
    }
  }

  private void firstPacket(CallKey call, @Nullable Known known, int index, boolean fromA) {
    if (known != null && index >= 0 && index < FIRST_PACKET_STREAMS) {
      known.firstPackets |= 1L << (2 * index + (fromA ? 0 : 1));
    }
    tell(new MediaEvent.FirstPacket(call, index, fromA));
  }

  private static Optional<CallKey> key(String text) {
    return text.length() == CallKey.LENGTH ? CallKey.prefixOf(text) : Optional.empty();
  }

  private void tell(MediaEvent event) {
    listener.accept(event);
  }

  // --- Comparing what is known with what the node has ---

  /** One comparison: the sessions that were known before the stream was opened. */
  private final class Comparison implements StreamObserver<ListResponse> {
    final MediaNodeView node;
    final MediaLink link;
    final int opened;
    final TreeSet<String> present = new TreeSet<>();
    @Nullable ListResponse page;

    Comparison(MediaNodeView node, MediaLink link) {
      this.node = node;
      this.link = link;
      opened = link.opened();
    }

    private boolean isCurrent() {
      return node.link == link && link.opened() == opened && link.isOpen();
    }

    void ask(String after) {
      page = null;
      link.list(ListRequest.newBuilder().setAfterCallKey(after).build(), this);
    }

    @Override
    public void onNext(ListResponse response) {
      page = response;
    }

    @Override
    public void onError(Throwable error) {
      if (isCurrent()) {
        log.atWarn()
            .addKeyValue("node", node.id)
            .addKeyValue("error", error.getMessage())
            .log("media.list.failed");
        node.compareDue = true;
        node.compareAtNs = loop.nowNs() + COMPARE_AGAIN_NS;
      }
    }

    @Override
    public void onCompleted() {
      ListResponse response = page;
      if (!isCurrent() || response == null) {
        return;
      }
      for (Session session : response.getSessionsList()) {
        present.add(session.getCallKey());
        key(session.getCallKey()).ifPresent(call -> seen(call, session));
      }
      String next = response.getNextAfterCallKey();
      if (next.isEmpty()) {
        judge();
      } else if (!present.isEmpty() && next.compareTo(present.last()) >= 0) {
        ask(next);
      } else {
        // A node whose pages do not go forward would be asked for ever.
        malformed++;
      }
    }

    private void seen(CallKey call, Session session) {
      Known known = node.known.get(call);
      if (known == null) {
        return;
      }
      if (session.getMediaTimedOut()) {
        tell(new MediaEvent.MediaTimeout(call, session.getRevision()));
      }
      for (Stream stream : session.getStreamsList()) {
        int index = stream.getIndex();
        if (index < 0 || index >= FIRST_PACKET_STREAMS) {
          continue;
        }
        for (boolean fromA : new boolean[] {true, false}) {
          var end = fromA ? stream.getA() : stream.getB();
          long bit = 1L << (2 * index + (fromA ? 0 : 1));
          if (end.getReceived().getPackets() > 0 && (known.firstPackets & bit) == 0) {
            firstPacket(call, known, index, fromA);
          }
        }
      }
    }

    private void judge() {
      var claims = new ArrayList<String>();
      for (Map.Entry<CallKey, Known> entry : List.copyOf(node.known.entrySet())) {
        CallKey call = entry.getKey();
        if (present.contains(call.text())) {
          claims.add(call.text());
        } else if (entry.getValue().acknowledgedOn != opened) {
          lose(node, call);
        }
      }
      for (int from = 0; from < claims.size(); from += CLAIMS) {
        link.send(
            ControlMessage.newBuilder()
                .setClaim(
                    Claim.newBuilder()
                        .addAllCallKeys(
                            claims.subList(from, Math.min(claims.size(), from + CLAIMS))))
                .build());
      }
    }
  }

  private void lose(MediaNodeView node, CallKey call) {
    node.known.remove(call);
    sessionsLost++;
    tell(new MediaEvent.SessionLost(call));
  }

  private void loseAll(MediaNodeView node) {
    for (CallKey call : List.copyOf(node.known.keySet())) {
      lose(node, call);
    }
  }

  // --- Time ---

  private void begin() {
    lastTickNs = loop.nowNs();
    for (MediaTarget target : settings.targets()) {
      switch (target) {
        case MediaTarget.InProcess(String name) ->
            byAddress.computeIfAbsent(
                target.toString(),
                address ->
                    new MediaLink(
                        address,
                        () -> InProcessChannelBuilder.forName(name).executor(loop::execute).build(),
                        loop,
                        links));
        case MediaTarget.Network network -> resolved.put(network, new TreeSet<>());
      }
    }
    nextResolveNs = loop.nowNs();
    tick();
  }

  private void tick() {
    if (closed) {
      return;
    }
    long nowNs = loop.nowNs();
    if (nowNs - lastTickNs > TICK.toNanos() + DEAF_NS) {
      // It is us who did not listen: nobody is judged by that time.
      byAddress.values().forEach(MediaLink::excuse);
      nodes.values().forEach(node -> node.heardNs = nowNs);
    }
    lastTickNs = nowNs;
    if (nowNs - nextResolveNs >= 0) {
      nextResolveNs = nowNs + settings.resolveEvery().toNanos();
      resolved.keySet().forEach(this::resolve);
    }
    for (MediaLink link : List.copyOf(byAddress.values())) {
      if (link.isDue()) {
        link.open(hello);
      } else if (link.isOpen() && link.silentNs() >= settings.streamDeadAfter().toNanos()) {
        link.end("silent for " + link.silentNs() / 1_000_000 + " ms");
      }
    }
    for (MediaNodeView node : List.copyOf(nodes.values())) {
      watch(node, nowNs);
    }
    abandonTheLost(nowNs);
    stats = snapshot();
    timer = loop.schedule(TICK, this::tick);
  }

  private void watch(MediaNodeView node, long nowNs) {
    long silentNs = nowNs - node.heardNs;
    if (node.health == Health.HEALTHY && silentNs >= settings.suspectedAfter().toNanos()) {
      suspect(node);
    }
    if (node.health == Health.SUSPECTED && silentNs >= settings.lostAfter().toNanos()) {
      node.health = Health.LOST;
      log.atWarn().addKeyValue("node", node.id).log("media.node.lost");
    }
    long timeoutNs = settings.requestTimeout().toNanos();
    for (Map.Entry<Long, Request> entry : List.copyOf(node.requests.entrySet())) {
      Request request = entry.getValue();
      long ageNs = nowNs - request.sinceNs;
      if (request.answer != null && (node.health == Health.LOST || ageNs >= timeoutNs)) {
        unreachable(
            node,
            entry.getKey(),
            request,
            "Media node " + node.id + " did not answer in " + ageNs / 1_000_000 + " ms");
      } else if (request.answer == null && ageNs >= settings.releaseLife().toNanos()) {
        node.requests.remove(entry.getKey());
        releasesDropped++;
      }
    }
    if (node.compareDue && node.link != null && nowNs - node.compareAtNs >= 0) {
      node.compareDue = false;
      new Comparison(node, node.link).ask("");
    }
  }

  private void suspect(MediaNodeView node) {
    if (node.health == Health.HEALTHY) {
      node.health = Health.SUSPECTED;
      log.atInfo().addKeyValue("node", node.id).log("media.node.suspected");
    }
    placement.withdrawn(node.id);
  }

  /** Tells the calls of nodes that are gone for long, unless it seems to be us who are cut off. */
  private void abandonTheLost(long nowNs) {
    int all = 0;
    int lost = 0;
    for (MediaNodeView node : nodes.values()) {
      all += node.incarnation == null ? 0 : 1;
      lost += node.incarnation != null && node.health == Health.LOST ? 1 : 0;
    }
    boolean most = 2 * lost > all;
    if (most && !alarmed) {
      log.atError().addKeyValue("lost", lost).addKeyValue("of", all).log("media.nodes.most_lost");
    }
    if (alarmed && !most) {
      // The others may need a moment longer to be reached again.
      nodes.values().forEach(node -> node.judgedFromNs = nowNs);
    }
    alarmed = most;
    for (MediaNodeView node : List.copyOf(nodes.values())) {
      if (node.health != Health.LOST
          || nowNs - node.heardNs < settings.abandonAfter().toNanos()
          || nowNs - node.judgedFromNs < settings.abandonAfter().toNanos()) {
        continue;
      }
      if (!most && !node.abandoned && node.incarnation != null) {
        node.abandoned = true;
        log.atWarn()
            .addKeyValue("node", node.id)
            .addKeyValue("sessions", node.known.size())
            .log("media.node.abandoned");
        loseAll(node);
      }
      if (node.known.isEmpty() && node.requests.isEmpty() && node.link == null) {
        nodes.remove(node.id);
      }
    }
  }

  private long backoffNs(int failures) {
    long most = settings.mostBackoff().toNanos();
    long base = settings.firstBackoff().toNanos();
    for (int i = 1; i < failures && base < most; i++) {
      base *= 2;
    }
    base = Math.min(base, most);
    return base / 2 + random.nextLong(base / 2 + 1);
  }

  // --- Directory ---

  private void resolve(MediaTarget.Network target) {
    Optional<IpAddress> literal = IpAddress.parse(target.host());
    if (literal.isPresent()) {
      found(target, List.of(literal.get()));
    } else {
      resolver.resolve(target.host(), addresses -> loop.execute(() -> found(target, addresses)));
    }
  }

  private void found(MediaTarget.Network target, List<IpAddress> addresses) {
    // A name server that is down does not take nodes away.
    if (closed || addresses.isEmpty()) {
      return;
    }
    var now = new TreeSet<String>();
    for (IpAddress address : addresses) {
      var endpoint = new Endpoint(address, target.port());
      now.add(endpoint.toString());
      MediaLink link =
          byAddress.computeIfAbsent(
              endpoint.toString(), text -> new MediaLink(text, channels(endpoint), loop, links));
      link.wanted = true;
    }
    resolved.put(target, now);
    for (MediaLink link : List.copyOf(byAddress.values())) {
      boolean wanted =
          link.address().startsWith("in-process:")
              || resolved.values().stream().anyMatch(known -> known.contains(link.address()));
      link.wanted = wanted;
      if (!wanted && !link.isOpen()) {
        byAddress.remove(link.address());
      }
    }
  }

  private Supplier<ManagedChannel> channels(Endpoint endpoint) {
    return () -> {
      InetSocketAddress address;
      try {
        address =
            new InetSocketAddress(
                InetAddress.getByAddress(endpoint.ip().octets()), endpoint.port());
      } catch (UnknownHostException e) {
        throw new IllegalStateException("Expected 4 or 16 octets, but got " + endpoint, e);
      }
      return NettyChannelBuilder.forAddress(address)
          .usePlaintext()
          .executor(loop::execute)
          .keepAliveTime(10, TimeUnit.SECONDS)
          .keepAliveTimeout(2, TimeUnit.SECONDS)
          .maxInboundMessageSize(MOST_MESSAGE_BYTES)
          .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, 1_000)
          .build();
    };
  }

  private void end() {
    if (timer != null) {
      timer.cancel();
    }
    for (MediaLink link : List.copyOf(byAddress.values())) {
      link.end("closed");
    }
    byAddress.clear();
    for (MediaNodeView node : nodes.values()) {
      placement.withdrawn(node.id);
      for (Map.Entry<Long, Request> entry : List.copyOf(node.requests.entrySet())) {
        unreachable(node, entry.getKey(), entry.getValue(), "The media plane has been closed");
      }
      node.requests.clear();
    }
    stats = snapshot();
  }

  private MediaPlaneStats snapshot() {
    int[] byHealth = new int[3];
    int known = 0;
    int inFlight = 0;
    int releases = 0;
    for (MediaNodeView node : nodes.values()) {
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
        connects,
        disconnects,
        timeouts,
        overloads,
        releasesDropped,
        sessionsLost,
        sessionsNotKnown,
        conflicts,
        malformed);
  }
}
