package io.sippbx.control;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallShared;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Ownership;
import io.sippbx.control.call.RoutingCounters;
import io.sippbx.control.cluster.KeeperRounds;
import io.sippbx.control.cluster.MediaRounds;
import io.sippbx.control.cluster.MediaRoundsSettings;
import io.sippbx.control.cluster.Participation;
import io.sippbx.control.edge.CallLeases;
import io.sippbx.control.edge.Dispatcher;
import io.sippbx.control.edge.Edge;
import io.sippbx.control.edge.EdgeCounters;
import io.sippbx.control.edge.EdgeServices;
import io.sippbx.control.edge.EdgeShared;
import io.sippbx.control.edge.TransactionEffects;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.registrar.ExpiredContacts;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.RegistrarService;
import io.sippbx.control.registrar.RequestAuthenticator;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.routing.CurrentFlows;
import io.sippbx.control.routing.NextHops;
import io.sippbx.control.routing.UserRouter;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.auth.NonceMemory;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transaction.StatelessResponder;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipReceiver;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A control node on whatever carries its messages and keeps its state: transactions, registrar,
 * calls, and its part in the cluster. What it needs of the world comes through {@link World}, so
 * that it runs on virtual time too. All methods may be called from any thread.
 */
public final class ControlNode {

  private static final Duration QUIET_LOOK = Duration.ofMillis(5);

  /** By then each other node has looked who is there, and has what was handed on meanwhile. */
  private static final Duration SEEN_WITHIN = Duration.ofMillis(700);

  private final Loops loops;
  private final List<Edge> edges = new ArrayList<>();
  private final ActiveCalls active;
  private final Participation cluster;
  private final RoutingCounters routing = new RoutingCounters();
  private final MediaRounds mediaRounds;
  private final ExpiredContacts expiredContacts;
  private final RegistrationStore registrations;
  private final EdgeCounters counters = new EdgeCounters();
  private final CallLeases leases;
  private final Dispatcher receiver;
  private volatile boolean draining;
  private volatile boolean gone;
  private volatile long registered;

  /**
   * What a node needs of the world.
   *
   * @param loops of the node; each part of {@code stores} answers as it says
   * @param mesh to the other nodes; what comes by it goes to {@link ControlNode#handedOn}
   * @param random 64 random bits each time; any thread
   */
  public record World(
      Loops loops,
      SipTransport transport,
      Mesh mesh,
      Locator locator,
      Stores stores,
      MediaPlane media,
      EventSink events,
      LongSupplier random) {}

  /** Who is told what happens. Any thread. */
  public record Listeners(CallObserver calls, RegistrarListener registrar) {}

  /** Wires the node; {@link #start} sets it going. */
  public ControlNode(ControlNodeSettings settings, World world, Listeners listeners) {
    this.loops = world.loops();
    this.active = new ActiveCalls(settings.limits().calls());
    this.leases = new CallLeases(world.stores().limits(), loops, settings.limits().clusterCalls());
    this.registrations = world.stores().registrations().apply(loops.all().getFirst());
    var self = new Member(settings.calls().node(), settings.calls().incarnation());
    Loop first = loops.all().getFirst();
    this.cluster =
        new Participation(
            first,
            self,
            settings.cluster(),
            new KeeperRounds.Stores(
                world.stores().partitions(), world.stores().cluster().apply(first)),
            new KeeperRounds.Ports(
                (timer, epoch) -> calls(timer.call()).timerDue(timer.call(), timer.name()),
                (orphan, told) -> calls(orphan.call()).takeOver(orphan, told)));
    EdgeShared shared = shared(settings, world);
    var calls =
        new CallShared(
            new Ownership(self, cluster.roster(), cluster.lease(), world.mesh()),
            new CallDecider(settings.calls(), world.transport()::advertised),
            new CallEventEncoder(settings.calls().node()),
            listeners.calls(),
            active,
            routing,
            settings.limits().call(),
            settings.calls().timers(),
            new CallCodec(),
            world.random());
    var nonces = new NonceMemory(settings.access().auth().noncesRemembered());
    for (Loop loop : loops.all()) {
      EdgeServices services = services(settings, world, listeners.registrar(), nonces, loop);
      edges.add(
          new Edge(
              loop,
              shared,
              services,
              user ->
                  new TransactionLayer(
                      loop,
                      new CurrentFlows(
                          loop,
                          world.transport(),
                          services.registrar(),
                          settings.access().domains(),
                          settings.limits().registrar().flowWait(),
                          () -> cluster.lease().term(loop.nowNs(), loop.now())),
                      user,
                      settings.calls().timers(),
                      settings.limits().transactions()),
              transactions ->
                  new CallRuntime(
                      loop,
                      world.stores().calls(),
                      new TransactionEffects(
                          loop, transactions, world.media(), leases, world.events()),
                      calls)));
    }
    world.media().onEvent(this::mediaHappened);
    this.mediaRounds =
        new MediaRounds(
            loops.all().getFirst(),
            MediaRoundsSettings.DEFAULT.withMovesPerSecond(settings.limits().mediaMovesPerSecond()),
            new MediaRounds.Ports(
                world.stores().partitions(),
                world.media(),
                () -> cluster.isServing() ? cluster.kept() : List.of(),
                cluster::isSettled,
                (node, answer) -> owned(node, 0, List.of(), answer),
                this::mediaHappened,
                cluster.roster()::keepers));
    this.expiredContacts =
        new ExpiredContacts(
            first,
            ExpiredContacts.Settings.DEFAULT,
            registrations,
            () -> cluster.isServing() ? cluster.kept() : List.of(),
            world.random(),
            listeners.registrar(),
            events(settings, world));
    this.receiver =
        new Dispatcher(
            loops,
            edges,
            settings.clusterSecret().value(),
            settings.limits().messagesWaiting(),
            counters);
  }

  private EdgeShared shared(ControlNodeSettings settings, World world) {
    return new EdgeShared(
        new StatelessResponder(world.transport(), AccessResponses::tag),
        counters,
        active,
        leases,
        world.media(),
        () -> draining || !cluster.isServing(),
        settings.limits().retryAfter(),
        settings.limits().arrivals(),
        settings.calls().serverName());
  }

  private static RegistrarService.Events events(ControlNodeSettings settings, World world) {
    return new RegistrarService.Events(
        new RegistrationEventEncoder(settings.calls().node()), world.events());
  }

  private static EdgeServices services(
      ControlNodeSettings settings,
      World world,
      RegistrarListener listener,
      NonceMemory nonces,
      Loop loop) {
    ControlNodeSettings.Access access = settings.access();
    var policy =
        new AccessPolicy(
            access.auth(), access.users(), settings.clusterSecret().value(), access.domains()::own);
    RegistrationStore bindings = world.stores().registrations().apply(loop);
    var registrar =
        new RegistrarService(
            loop,
            bindings,
            policy,
            access.domains(),
            new Registrar(settings.registrar()),
            settings.limits().registrar(),
            world.random(),
            listener,
            events(settings, world));
    return new EdgeServices(
        new CallKeys(settings.clusterSecret().value()),
        registrar,
        new RequestAuthenticator(loop, bindings, policy, access.domains(), nonces, listener),
        new UserRouter(loop, access.domains(), registrar, world.locator()),
        new NextHops(world.locator(), loop),
        world.locator());
  }

  /**
   * Takes part in the cluster from now on, and goes on with what falls to it.
   *
   * @param serving runs once, when calls can be taken: a heartbeat was acknowledged
   */
  public void start(Runnable serving) {
    cluster.start(serving);
    mediaRounds.start();
    expiredContacts.start();
  }

  /**
   * A message that came to another node and is to be handled here.
   *
   * @param hops how often it was handed on between nodes
   * @return false if it is not taken: this node takes nothing any more, or too much waits
   */
  public boolean handedOn(SipMessage message, Flow flow, int hops) {
    return !gone && receiver.handedOn(message, flow, hops);
  }

  /** To whom received messages are given. */
  public SipReceiver receiver() {
    return receiver;
  }

  private CallRuntime calls(CallKey call) {
    return edges.get(Math.floorMod(call.hashCode(), edges.size())).calls();
  }

  private void mediaHappened(MediaEvent event) {
    if (event instanceof MediaEvent.FirstPacket) {
      // Nobody reads a record for that.
      calls(event.call()).offer(event.call(), new Input.MediaHappened(event));
    } else {
      calls(event.call()).mediaHappened(event);
    }
  }

  /** The calls of all loops, from this one on, that are this node's own and on a media node. */
  private void owned(NodeId node, int index, List<CallKey> found, Consumer<List<CallKey>> answer) {
    if (index == edges.size()) {
      answer.accept(found);
      return;
    }
    loops
        .all()
        .get(index)
        .execute(
            () -> {
              var all = new ArrayList<>(found);
              all.addAll(edges.get(index).calls().ownedOn(node));
              owned(node, index + 1, all, answer);
            });
  }

  /** What is done for the calls on media nodes. */
  public MediaRounds mediaRounds() {
    return mediaRounds;
  }

  /** This node's part in the cluster. */
  public Participation cluster() {
    return cluster;
  }

  /** What became of calls and messages between nodes. */
  public RoutingCounters routing() {
    return routing;
  }

  /** Calls that are being set up or are up. */
  public int activeCalls() {
    return active.size();
  }

  /** The leases of the cluster's limit, for metrics. */
  public CallLeases leases() {
    return leases;
  }

  /** The edges of the loops, for counters. */
  public List<Edge> edges() {
    return List.copyOf(edges);
  }

  /** What the edge has done. */
  public EdgeCounters counters() {
    return counters;
  }

  /** Addresses-of-record with a binding, as they were when this was asked the last time. */
  public long registeredAddresses() {
    registrations.count(
        counted -> {
          if (counted instanceof RegistrationStore.CountAnswer.Counts counts) {
            registered = counts.registered();
          }
        });
    return registered;
  }

  /** Takes no new calls from now on: 503 with Retry-After. */
  public void drain() {
    drain(true);
  }

  /** Takes no new calls from now on, or takes them again. */
  public void drain(boolean drain) {
    draining = drain || gone;
  }

  /** Ends a call that this node has in hand, or that nobody has. */
  public void hangUp(CallKey call, Reason reason) {
    calls(call).hangUp(call, reason);
  }

  /** Whether new calls are refused. */
  public boolean isDraining() {
    return draining;
  }

  /** Ends every call with BYE, or 503 in set-up. */
  public void hangUpAll() {
    for (int i = 0; i < edges.size(); i++) {
      Edge edge = edges.get(i);
      loops.all().get(i).execute(() -> edge.calls().hangUpAll(Reason.SHUTDOWN));
    }
  }

  /**
   * Waits until no call has anything more to say to its peers: after {@link #hangUpAll}, until each
   * BYE is answered, since one that was lost is sent again only while this node is there.
   *
   * @param quiet runs once, on a loop of the node, if that comes about in time
   */
  public void whenQuiet(Duration atMost, Runnable quiet) {
    whenQuiet(0, loops.all().getFirst().nowNs() + atMost.toNanos(), quiet);
  }

  private void whenQuiet(int index, long deadlineNs, Runnable quiet) {
    if (index == edges.size()) {
      quiet.run();
      return;
    }
    Loop loop = loops.all().get(index);
    loop.execute(() -> lookForQuiet(index, loop, deadlineNs, quiet));
  }

  private void lookForQuiet(int index, Loop loop, long deadlineNs, Runnable quiet) {
    if (edges.get(index).calls().isQuiet()) {
      whenQuiet(index + 1, deadlineNs, quiet);
    } else if (loop.nowNs() - deadlineNs < 0) {
      loop.schedule(QUIET_LOOK, () -> lookForQuiet(index, loop, deadlineNs, quiet));
    }
  }

  /**
   * Hands over all that this node has: it takes no new calls, lets each call go once what is under
   * way is committed, and is no member any more, so that others go on with the calls at once, or
   * this node when it is started again. What is received yet is handed on.
   *
   * @param atMost for the commits; calls that are not done by then are taken over as they stand
   * @param done runs once, on a loop of the node, when the others can have seen that it is gone
   */
  public void handOver(Duration atMost, Runnable done) {
    drain();
    cluster.leave();
    for (int i = 0; i < edges.size(); i++) {
      loops.all().get(i).execute(edges.get(i).calls()::release);
    }
    Loop first = loops.all().getFirst();
    whenReleased(
        0,
        first.nowNs() + atMost.toNanos(),
        () -> {
          gone = true;
          for (int i = 0; i < edges.size(); i++) {
            loops.all().get(i).execute(edges.get(i).calls()::gone);
          }
          cluster.stop(() -> first.schedule(SEEN_WITHIN, done));
        });
  }

  private void whenReleased(int index, long deadlineNs, Runnable released) {
    if (index == edges.size()) {
      released.run();
      return;
    }
    loops.all().get(index).execute(() -> lookForCalls(index, deadlineNs, released));
  }

  private void lookForCalls(int index, long deadlineNs, Runnable released) {
    Loop loop = loops.all().get(index);
    if (!edges.get(index).calls().ownsCalls() || loop.nowNs() - deadlineNs >= 0) {
      whenReleased(index + 1, deadlineNs, released);
    } else {
      loop.schedule(QUIET_LOOK, () -> lookForCalls(index, deadlineNs, released));
    }
  }

  /** Takes no new calls and is no member any more; what carries its messages may close. */
  public void stop(Runnable done) {
    gone = true;
    drain();
    mediaRounds.stop();
    cluster.stop(done);
  }
}
