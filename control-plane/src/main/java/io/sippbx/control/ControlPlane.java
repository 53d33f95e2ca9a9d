package io.sippbx.control;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallShared;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Recovery;
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
import io.sippbx.control.sip.locate.AddressFamily;
import io.sippbx.control.sip.locate.LocateSettings;
import io.sippbx.control.sip.locate.NettyDns;
import io.sippbx.control.sip.locate.Rfc3263Locator;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transaction.StatelessResponder;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transport.ListenException;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.sip.transport.NettySipTransport;
import io.sippbx.control.store.RegistrationStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A control node: wires transport, transactions, registrar and calls, starts and stops them. All
 * methods may be called from any thread that is not one of the node's loops.
 */
public final class ControlPlane implements AutoCloseable {

  private static final Duration QUIET_LOOK = Duration.ofMillis(5);
  private static final Duration DNS_QUERY_TIMEOUT = Duration.ofSeconds(2);

  private final NettyLoops loops;
  private final NettySipTransport transport;
  private final NettyDns dns;
  private final List<Edge> edges = new ArrayList<>();
  private final ActiveCalls active;
  private final Recovery recovery;
  private final RegistrationStore registrations;
  private final EdgeCounters counters = new EdgeCounters();
  private volatile boolean draining;
  private volatile long registered;

  private ControlPlane(
      ControlPlaneSettings settings,
      NettyLoops loops,
      NettySipTransport transport,
      Stores stores,
      MediaPlane media,
      EventSink events,
      CallObserver observer,
      RegistrarListener registrarListener) {
    this.loops = loops;
    this.transport = transport;
    this.active = new ActiveCalls(settings.limits().calls());
    Loop first = loops.loops().all().getFirst();
    this.registrations = stores.registrations().apply(first);
    this.dns = NettyDns.open(loops, first, List.of(), DNS_QUERY_TIMEOUT);
    var random = new SecureRandom();
    var locator =
        new Rfc3263Locator(first, dns, locateSettings(transport.listeners()), random::nextInt);
    var shared =
        new EdgeShared(
            new StatelessResponder(transport, AccessResponses::tag),
            counters,
            active,
            media,
            () -> draining,
            settings.limits().retryAfter(),
            settings.limits().arrivals(),
            settings.calls().serverName());
    var calls =
        new CallShared(
            settings.calls().node(),
            new CallDecider(settings.calls(), transport::advertised),
            new CallEventEncoder(settings.calls().node()),
            observer,
            active,
            settings.limits().call(),
            settings.calls().timers(),
            random::nextLong);
    var policy =
        new AccessPolicy(
            settings.access().auth(),
            settings.access().users(),
            settings.clusterSecret().value(),
            settings.access().domains()::own);
    var nonces = new NonceMemory(settings.access().auth().noncesRemembered());
    for (Loop loop : loops.loops().all()) {
      RegistrationStore bindings = stores.registrations().apply(loop);
      var registrar =
          new RegistrarService(
              loop,
              bindings,
              policy,
              settings.access().domains(),
              new Registrar(settings.registrar()),
              settings.limits().registrar(),
              random::nextLong,
              registrarListener);
      var services =
          new EdgeServices(
              new CallKeys(settings.clusterSecret().value()),
              registrar,
              new RequestAuthenticator(
                  loop, bindings, policy, settings.access().domains(), nonces, registrarListener),
              new UserRouter(loop, settings.access().domains(), registrar, locator),
              new NextHops(locator, loop),
              locator);
      edges.add(
          new Edge(
              loop,
              shared,
              services,
              user ->
                  new TransactionLayer(
                      loop,
                      transport,
                      user,
                      settings.calls().timers(),
                      settings.limits().transactions()),
              transactions ->
                  new CallRuntime(
                      loop,
                      stores.calls(),
                      new TransactionEffects(loop, transactions, media, events),
                      calls)));
    }
    media.onEvent(this::mediaHappened);
    transport.start(
        new Dispatcher(
            loops.loops(),
            edges,
            settings.clusterSecret().value(),
            settings.limits().messagesWaiting(),
            counters));
    this.recovery =
        new Recovery(
            first,
            stores.partitions(),
            settings.calls().node(),
            call -> edges.get(Math.floorMod(call.hashCode(), edges.size())).calls());
    recovery.start();
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
    NettySipTransport transport = NettySipTransport.bind(loops, settings.transport());
    return new ControlPlane(
        settings, loops, transport, stores, media, events, observer, registrarListener);
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

  private void mediaHappened(MediaEvent event) {
    int index = Math.floorMod(event.call().hashCode(), edges.size());
    edges.get(index).calls().offer(event.call(), new Input.MediaHappened(event));
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
    return active.size();
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
    draining = true;
  }

  /** Whether new calls are refused. */
  public boolean isDraining() {
    return draining;
  }

  /** Ends every call with BYE, or 503 in set-up. */
  public void hangUpAll() {
    for (int i = 0; i < edges.size(); i++) {
      Edge edge = edges.get(i);
      loops.loops().all().get(i).execute(() -> edge.calls().hangUpAll(Reason.SHUTDOWN));
    }
  }

  /**
   * Waits until no call has anything more to say to its peers: after {@link #hangUpAll}, until each
   * BYE is answered, since one that was lost is sent again only while this node is there.
   *
   * @return false if {@code atMost} was not enough
   */
  public boolean awaitQuiet(Duration atMost) throws InterruptedException {
    long deadlineNs = System.nanoTime() + atMost.toNanos();
    for (int i = 0; i < edges.size(); i++) {
      Edge edge = edges.get(i);
      Loop loop = loops.loops().all().get(i);
      var quiet = new CountDownLatch(1);
      loop.execute(() -> lookForQuiet(edge, loop, deadlineNs, quiet));
      if (!quiet.await(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return false;
      }
    }
    return true;
  }

  private static void lookForQuiet(Edge edge, Loop loop, long deadlineNs, CountDownLatch quiet) {
    if (edge.calls().isQuiet()) {
      quiet.countDown();
    } else if (loop.nowNs() - deadlineNs < 0) {
      loop.schedule(QUIET_LOOK, () -> lookForQuiet(edge, loop, deadlineNs, quiet));
    }
  }

  /** Closes the listeners, once what is being sent is sent. The loops are the caller's to close. */
  @Override
  public void close() {
    drain();
    recovery.stop();
    transport.close();
    dns.close();
  }
}
