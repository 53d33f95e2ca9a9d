package io.sippbx.control;

import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.AddressClaim;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.edge.Edge;
import io.sippbx.control.edge.EdgeCounters;
import io.sippbx.control.event.EventSink;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.mesh.MeshAlone;
import io.sippbx.control.mesh.MeshSettings;
import io.sippbx.control.mesh.MeshTransport;
import io.sippbx.control.mesh.PeerMesh;
import io.sippbx.control.mesh.grpc.GrpcMeshNetwork;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.sip.locate.AddressFamily;
import io.sippbx.control.sip.locate.LocateSettings;
import io.sippbx.control.sip.locate.NettyDns;
import io.sippbx.control.sip.locate.Rfc3263Locator;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.ListenException;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.sip.transport.NettySipTransport;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A control node on the network: a {@link ControlNode} with the transport, the resolver and the
 * loops of Netty. All methods may be called from any thread that is not one of the node's loops.
 */
public final class ControlPlane implements AutoCloseable {

  private static final Duration DNS_QUERY_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration LEAVE_WITHIN = Duration.ofSeconds(1);
  private static final Duration CONFLICT_ENDS_WITHIN = Duration.ofSeconds(5);
  private static final Duration CONFLICT_LOOK = Duration.ofMillis(250);

  private final NettySipTransport transport;
  private final NettyDns dns;
  private final ControlNode node;
  private final Optional<GrpcMeshNetwork> network;
  private final Optional<PeerMesh> mesh;
  private final CountDownLatch serving = new CountDownLatch(1);

  private ControlPlane(
      ControlPlaneSettings settings,
      NettyLoops loops,
      NettySipTransport transport,
      Stores stores,
      MediaPlane media,
      EventSink events,
      ControlNode.Listeners listeners,
      Optional<GrpcMeshNetwork> network) {
    this.transport = transport;
    this.network = network;
    Member self = self(settings);
    Loop first = loops.loops().all().getFirst();
    this.dns = NettyDns.open(loops, first, List.of(), DNS_QUERY_TIMEOUT);
    var random = new SecureRandom();
    var locator =
        new Rfc3263Locator(first, dns, locateSettings(transport.listeners()), random::nextInt);
    this.mesh =
        network.map(
            each ->
                new PeerMesh(
                    first,
                    self,
                    MeshSettings.DEFAULT,
                    each,
                    settings.node().clusterSecret().value(),
                    settings.transport().limits().messages(),
                    random::nextLong));
    this.node =
        new ControlNode(
            settings.node(),
            new ControlNode.World(
                loops.loops(),
                mesh.<SipTransport>map(
                        each -> new MeshTransport(transport, self, each, loops.loops()))
                    .orElse(transport),
                mesh.<Mesh>map(each -> each).orElseGet(() -> new MeshAlone(first)),
                locator,
                stores,
                media,
                events,
                random::nextLong),
            listeners);
    AddressClaim claim = claim(settings, transport);
    mesh.ifPresent(
        each ->
            new Neighbours(
                    node, self.node(), transport, media, each, claim, transport::takeResponsesFor)
                .start(network.orElseThrow()));
    transport.start(node.receiver());
    node.start(serving::countDown);
  }

  /**
   * Binds the listeners and starts to serve.
   *
   * @param loops of the node; stays the caller's, as do {@code stores}, {@code media} and {@code
   *     events}
   * @throws ListenException if a listener cannot be bound; nothing is left open then
   */
  public static ControlPlane start(
      ControlPlaneSettings settings,
      NettyLoops loops,
      Stores stores,
      MediaPlane media,
      EventSink events,
      CallObserver observer,
      RegistrarListener registrarListener)
      throws ListenException {
    NettySipTransport transport =
        NettySipTransport.bind(loops, settings.transport().ofMember(self(settings)));
    Optional<GrpcMeshNetwork> network;
    try {
      refuseConflicts(settings, loops, transport, stores);
      network = listen(settings, loops);
    } catch (ListenException e) {
      transport.close();
      throw e;
    }
    return new ControlPlane(
        settings,
        loops,
        transport,
        stores,
        media,
        events,
        new ControlNode.Listeners(observer, registrarListener),
        network);
  }

  private static Member self(ControlPlaneSettings settings) {
    CallSettings calls = settings.node().calls();
    return new Member(calls.node(), calls.incarnation());
  }

  private static AddressClaim claim(ControlPlaneSettings settings, NettySipTransport transport) {
    return AddressClaim.of(settings.transport().shareAddress(), transport.listeners());
  }

  private static Optional<GrpcMeshNetwork> listen(ControlPlaneSettings settings, NettyLoops loops)
      throws ListenException {
    if (settings.mesh().isEmpty()) {
      return Optional.empty();
    }
    ControlPlaneSettings.MeshAddress at = settings.mesh().get();
    try {
      return Optional.of(
          GrpcMeshNetwork.listen(
              loops, loops.loops().all().getFirst(), at.listen(), at.advertised(), at.tls()));
    } catch (IOException e) {
      throw new ListenException(
          List.of(
              "cluster.mesh_listen = " + at.listen() + ": cannot listen there: " + e.getMessage()));
    }
  }

  /**
   * Nodes that share their addresses must share all of them, and others none. A node that has just
   * died is waited for until the store has forgotten its heartbeat.
   */
  private static void refuseConflicts(
      ControlPlaneSettings settings, NettyLoops loops, NettySipTransport transport, Stores stores)
      throws ListenException {
    if (settings.mesh().isEmpty()) {
      return;
    }
    AddressClaim ours = claim(settings, transport);
    NodeId self = settings.node().calls().node();
    ClusterStore store = stores.cluster().apply(loops.loops().all().getFirst());
    long deadlineNs = System.nanoTime() + CONFLICT_ENDS_WITHIN.toNanos();
    while (true) {
      Optional<String> conflict = conflict(ours, self, store);
      if (conflict.isEmpty()) {
        return;
      }
      if (System.nanoTime() - deadlineNs >= 0) {
        throw new ListenException(List.of(conflict.get()));
      }
      LockSupport.parkNanos(CONFLICT_LOOK.toNanos());
    }
  }

  private static Optional<String> conflict(AddressClaim ours, NodeId self, ClusterStore store) {
    var census = new AtomicReference<Census>();
    var answered = new CountDownLatch(1);
    store.census(
        answer -> {
          if (answer instanceof ClusterStore.Answer.Found<Census>(Census found)) {
            census.set(found);
          }
          answered.countDown();
        });
    try {
      answered.await(CONFLICT_ENDS_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (census.get() == null) {
      // The store says nothing now: who serves beside us is told in the log when it does.
      return Optional.empty();
    }
    return census.get().beating().stream()
        .filter(beat -> !beat.node().equals(self))
        .flatMap(
            beat ->
                AddressClaim.parse(beat.announced().sip())
                    .flatMap(theirs -> ours.conflict(beat.node(), theirs))
                    .stream())
        .findFirst();
  }

  private static LocateSettings locateSettings(List<Listener> listeners) {
    Set<TransportProtocol> transports = new LinkedHashSet<>();
    Set<AddressFamily> families = new LinkedHashSet<>();
    for (Listener listener : listeners) {
      transports.add(listener.protocol());
      families.add(listener.bind().ip().isV6() ? AddressFamily.V6 : AddressFamily.V4);
    }
    return LocateSettings.of(List.copyOf(transports), List.copyOf(families));
  }

  /**
   * Waits until calls can be taken: the store has this node's heartbeat.
   *
   * @return false if {@code atMost} was not enough
   */
  public boolean awaitServing(Duration atMost) throws InterruptedException {
    return serving.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Where other nodes reach this one, if there can be others. */
  public Optional<Endpoint> meshAddress() {
    return network.map(GrpcMeshNetwork::address);
  }

  /** The mesh, for counters; empty if there can be no other node. */
  public Optional<PeerMesh> mesh() {
    return mesh;
  }

  /** The node without its network. */
  public ControlNode node() {
    return node;
  }

  /** The listeners with the ports that were bound. */
  public List<Listener> listeners() {
    return transport.listeners();
  }

  /** The transport, for counters and tracing. */
  public NettySipTransport transport() {
    return transport;
  }

  /** Calls that are being set up or are up. */
  public int activeCalls() {
    return node.activeCalls();
  }

  /** The edges of the loops, for counters. */
  public List<Edge> edges() {
    return node.edges();
  }

  /** What the edge has done. */
  public EdgeCounters counters() {
    return node.counters();
  }

  /** Addresses-of-record with a binding, as they were when this was asked the last time. */
  public long registeredAddresses() {
    return node.registeredAddresses();
  }

  /** Takes no new calls from now on: 503 with Retry-After. */
  public void drain() {
    node.drain();
  }

  /** Whether new calls are refused. */
  public boolean isDraining() {
    return node.isDraining();
  }

  /** Ends every call with BYE, or 503 in set-up. */
  public void hangUpAll() {
    node.hangUpAll();
  }

  /**
   * Waits until no call has anything more to say to its peers.
   *
   * @return false if {@code atMost} was not enough
   */
  public boolean awaitQuiet(Duration atMost) throws InterruptedException {
    var quiet = new CountDownLatch(1);
    node.whenQuiet(atMost, quiet::countDown);
    return quiet.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Hands over all that this node has, and waits until others can have seen that.
   *
   * @return false if {@code atMost} was not enough
   */
  public boolean handOver(Duration atMost) throws InterruptedException {
    var done = new CountDownLatch(1);
    node.handOver(atMost.dividedBy(2), done::countDown);
    return done.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Closes the listeners, once what is being sent is sent. The loops are the caller's to close. */
  @Override
  public void close() {
    var left = new CountDownLatch(1);
    node.stop(left::countDown);
    try {
      // The others need not wait for what they can be told.
      left.await(LEAVE_WITHIN.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    mesh.ifPresent(PeerMesh::close);
    network.ifPresent(GrpcMeshNetwork::close);
    transport.close();
    dns.close();
  }
}
