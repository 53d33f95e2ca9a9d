package io.sippbx.control;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallShared;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Recovery;
import io.sippbx.control.edge.CallLeases;
import io.sippbx.control.edge.Dispatcher;
import io.sippbx.control.edge.Edge;
import io.sippbx.control.edge.EdgeCounters;
import io.sippbx.control.edge.EdgeServices;
import io.sippbx.control.edge.EdgeShared;
import io.sippbx.control.edge.TransactionEffects;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.RegistrarService;
import io.sippbx.control.registrar.RequestAuthenticator;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.routing.NextHops;
import io.sippbx.control.routing.UserRouter;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.auth.NonceMemory;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.transaction.StatelessResponder;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transport.SipReceiver;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * A control node on whatever carries its messages and keeps its state: transactions, registrar,
 * calls, and its part in the cluster. What it needs of the world comes through {@link World}, so
 * that it runs on virtual time too. All methods may be called from any thread.
 */
public final class ControlNode {

  private static final Duration QUIET_LOOK = Duration.ofMillis(5);

  private final Loops loops;
  private final List<Edge> edges = new ArrayList<>();
  private final ActiveCalls active;
  private final Recovery recovery;
  private final RegistrationStore registrations;
  private final EdgeCounters counters = new EdgeCounters();
  private final CallLeases leases;
  private final SipReceiver receiver;
  private volatile boolean draining;
  private volatile boolean stopped;
  private volatile long registered;

  /**
   * What a node needs of the world.
   *
   * @param loops of the node; each part of {@code stores} answers as it says
   * @param random 64 random bits each time; any thread
   */
  public record World(
      Loops loops,
      SipTransport transport,
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
    EdgeShared shared = shared(settings, world);
    var calls =
        new CallShared(
            new Member(settings.calls().node(), settings.calls().incarnation()),
            new CallDecider(settings.calls(), world.transport()::advertised),
            new CallEventEncoder(settings.calls().node()),
            listeners.calls(),
            active,
            settings.limits().call(),
            settings.calls().timers(),
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
                      world.transport(),
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
    this.receiver =
        new Dispatcher(
            loops,
            edges,
            settings.clusterSecret().value(),
            settings.limits().messagesWaiting(),
            counters);
    this.recovery =
        new Recovery(
            loops.all().getFirst(),
            world.stores().partitions(),
            settings.calls().node(),
            call -> edges.get(Math.floorMod(call.hashCode(), edges.size())).calls());
  }

  private EdgeShared shared(ControlNodeSettings settings, World world) {
    return new EdgeShared(
        new StatelessResponder(world.transport(), AccessResponses::tag),
        counters,
        active,
        leases,
        world.media(),
        () -> draining,
        settings.limits().retryAfter(),
        settings.limits().arrivals(),
        settings.calls().serverName());
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
            listener);
    return new EdgeServices(
        new CallKeys(settings.clusterSecret().value()),
        registrar,
        new RequestAuthenticator(loop, bindings, policy, access.domains(), nonces, listener),
        new UserRouter(loop, access.domains(), registrar, world.locator()),
        new NextHops(world.locator(), loop),
        world.locator());
  }

  /** Goes on with what it had in flight, and looks after what falls to it from now on. */
  public void start() {
    recovery.start();
  }

  /** To whom received messages are given. */
  public SipReceiver receiver() {
    return receiver;
  }

  private void mediaHappened(MediaEvent event) {
    int index = Math.floorMod(event.call().hashCode(), edges.size());
    edges.get(index).calls().offer(event.call(), new Input.MediaHappened(event));
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
    draining = drain || stopped;
  }

  /** Ends a call that this node has in hand, or that nobody has. */
  public void hangUp(CallKey call, Reason reason) {
    Edge edge = edges.get(Math.floorMod(call.hashCode(), edges.size()));
    loops
        .of(call.hashCode())
        .execute(() -> edge.calls().offerOrRead(call, new Input.HangUp(reason), absent -> {}));
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

  /** Takes no new calls and looks after nothing any more; what carries its messages may close. */
  public void stop() {
    stopped = true;
    drain();
    recovery.stop();
  }
}
