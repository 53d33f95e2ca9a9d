package io.sippbx.control.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.call.Call;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.call.CallShared;
import io.sippbx.control.call.Input;
import io.sippbx.control.call.Lease;
import io.sippbx.control.call.Ownership;
import io.sippbx.control.call.RoutingCounters;
import io.sippbx.control.call.Target;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.cluster.InMemoryClusterStore;
import io.sippbx.control.cluster.KeeperRounds;
import io.sippbx.control.cluster.KeeperSettings;
import io.sippbx.control.cluster.LeaseSettings;
import io.sippbx.control.cluster.Participation;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.event.Termination;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.mesh.MeshAlone;
import io.sippbx.control.registrar.RegisterResult;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.RegistrarService;
import io.sippbx.control.registrar.RequestAuthenticator;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.routing.NextHops;
import io.sippbx.control.routing.Router;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.auth.NonceMemory;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transaction.StatelessResponder;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryLimitStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A node, its phones, and what was seen. */
final class World implements CallObserver, RegistrarListener {

  /** The ways in which a call may go. */
  enum Kind {
    CALLER_HANGS_UP(VirtualPhone.Answering.ANSWER),
    CALLEE_HANGS_UP(VirtualPhone.Answering.ANSWER_THEN_BYE),
    DELAYED_OFFER(VirtualPhone.Answering.ANSWER),
    REINVITED(VirtualPhone.Answering.ANSWER),
    CANCELLED_AT_ONCE(VirtualPhone.Answering.ANSWER),
    CANCELLED_SOMETIME(VirtualPhone.Answering.ANSWER),
    BUSY(VirtualPhone.Answering.BUSY),
    DECLINED(VirtualPhone.Answering.DECLINE),
    RINGS_LONG(VirtualPhone.Answering.ANSWER),
    FAIL_OVER(VirtualPhone.Answering.ANSWER),
    NO_ANSWER(VirtualPhone.Answering.RING_ON),
    DEAD_CALLEE(VirtualPhone.Answering.SILENT),
    NO_ACK(VirtualPhone.Answering.ANSWER),
    MEDIA_TIMEOUT(VirtualPhone.Answering.ANSWER),
    MEDIA_LOST(VirtualPhone.Answering.ANSWER),
    MEDIA_LOST_WHILE_RINGING(VirtualPhone.Answering.RING_ON),
    NO_MEDIA(VirtualPhone.Answering.ANSWER),
    NOT_REGISTERED(VirtualPhone.Answering.ANSWER),
    NO_SESSION(VirtualPhone.Answering.ANSWER),
    REDIRECTED(VirtualPhone.Answering.REDIRECT),
    OVERLOADED(VirtualPhone.Answering.OVERLOADED),
    FAILS(VirtualPhone.Answering.FAIL),
    FORKED(VirtualPhone.Answering.ANSWER_TWICE),
    DIALOG_LOST(VirtualPhone.Answering.ANSWER_AND_FORGET),
    BYE_WHILE_RINGING(VirtualPhone.Answering.RING_ON),
    NOBODY_HANGS_UP(VirtualPhone.Answering.ANSWER);

    final VirtualPhone.Answering answering;

    Kind(VirtualPhone.Answering answering) {
      this.answering = answering;
    }
  }

  private static final NodeId NODE = new NodeId("edge-1");

  /** Looks rarely, as it looks for as long as the longest call. */
  private static final ClusterSettings CLUSTER =
      new ClusterSettings(
          LeaseSettings.DEFAULT,
          new KeeperSettings(
              Duration.ofMillis(500),
              Duration.ofSeconds(2),
              100,
              2_000,
              50,
              1_000,
              500,
              Duration.ofSeconds(5),
              Duration.ofSeconds(1),
              8));

  private static final int OUTBOX = 1_000_000;
  static final Endpoint EDGE = Endpoint.of("127.0.0.1", 5060);
  private static final Endpoint BOB = Endpoint.of("127.0.0.3", 5060);
  private static final Endpoint NOBODY = Endpoint.of("127.0.0.4", 5060);
  private static final Endpoint CAROL = Endpoint.of("127.0.0.5", 5060);
  private static final byte[] SECRET = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  final VirtualLoops clock;
  final Random random;
  final VirtualNetwork network;
  final LedgerMediaPlane media;
  private InMemoryCallStore<Call> store;
  private InMemoryLimitStore limits;
  private ActiveCalls active;
  private Loops loops;
  private SipTransport transport;
  private int incarnation = 1;
  private @Nullable Participation cluster;
  private final InMemoryClusterStore members;
  private final int callLimit;
  final List<Edge> edges = new ArrayList<>();
  private final VirtualPhone alice;
  private final VirtualPhone bob;
  private final VirtualPhone carol;
  private final Map<String, Integer> endsPerCall = new LinkedHashMap<>();
  private final Map<String, Integer> lastSeq = new LinkedHashMap<>();
  private final List<String> defects = new ArrayList<>();
  final List<CallHappening.Ended> ended = new ArrayList<>();
  int started;

  World(long seed, double loss) {
    this(seed, loss, 10_000);
  }

  World(long seed, double loss, int callLimit) {
    this(seed, loss, callLimit, 1);
  }

  World(long seed, double loss, int callLimit, int mediaNodes) {
    this.callLimit = callLimit;
    active = new ActiveCalls(callLimit);
    clock = VirtualLoops.shuffled(seed);
    random = new Random(seed);
    network = new VirtualNetwork(clock.loop("wire"), random, loss);
    media = new LedgerMediaPlane(clock.loop("media"), random, mediaNodes);
    loops = clock.loops("edge", 2);
    store = new InMemoryCallStore<>(loops, OUTBOX);
    limits = new InMemoryLimitStore(loops);
    members = new InMemoryClusterStore(loops.all().getFirst(), store::setEpoch);
    transport = network.attach(EDGE, (message, flow) -> {});
    startNode();
    media.onEvent(
        event -> edge(event.call()).calls().offer(event.call(), new Input.MediaHappened(event)));
    alice = phone("alice", Endpoint.of("127.0.0.2", 5060));
    bob = phone("bob", BOB);
    carol = phone("carol", CAROL);
  }

  private void startNode() {
    Dispatcher[] dispatcher = new Dispatcher[1];
    transport = network.attach(EDGE, (message, flow) -> dispatcher[0].received(message, flow));
    edges.clear();
    build();
    dispatcher[0] = new Dispatcher(loops, edges, SECRET, 10_000, new EdgeCounters());
  }

  /**
   * The node is killed between two of its steps and started again: what was in its memory is gone,
   * what it had sent is on its way.
   */
  void killAndStartAgain(Duration after) {
    for (Loop loop : loops.all()) {
      ((VirtualLoop) loop).stop();
    }
    network.detach(EDGE);
    clock.advance(after);
    incarnation++;
    active = new ActiveCalls(callLimit);
    loops = clock.loops("edge-" + incarnation, 2);
    store = store.on(loops);
    startNode();
  }

  private Edge edge(CallKey call) {
    return edges.get(Math.floorMod(call.hashCode(), edges.size()));
  }

  /**
   * Lets all that was begun come to its end. The node's part in the cluster goes on for ever, and
   * is ended when there is nothing left for it.
   */
  private void runToTheEnd() {
    clock.runReady();
    clock.runUntil(() -> store.size() == 0 && isIdle(), Duration.ofHours(1));
    if (cluster != null) {
      cluster.stop(() -> {});
    }
    clock.runAll();
  }

  private boolean isIdle() {
    long live = alice.transactions().counts().live().total();
    live += bob.transactions().counts().live().total();
    live += carol.transactions().counts().live().total();
    for (Edge edge : edges) {
      live += edge.transactions().counts().live().total();
    }
    return live == 0;
  }

  /** All events that were committed, by their calls, as the outbox has them. */
  private Map<String, List<CallEvent>> outbox() {
    var events = new TreeMap<String, List<CallEvent>>();
    for (int number = 0; number < Partition.COUNT; number++) {
      store.outbox(
          new Partition(number),
          Optional.empty(),
          PartitionStore.MAX_BATCH,
          answer -> {
            if (answer instanceof PartitionStore.Batch<PartitionStore.OutboxEntry> batch) {
              for (PartitionStore.OutboxEntry entry : batch.entries()) {
                if (entry.event() instanceof OutboxEvent.OfCall(CallEvent event)) {
                  events.computeIfAbsent(event.getCallKey(), key -> new ArrayList<>()).add(event);
                }
              }
            }
          });
    }
    clock.runAll();
    return events;
  }

  private VirtualPhone phone(String name, Endpoint address) {
    return new VirtualPhone(clock.loop(name), address, EDGE, CAROL, network);
  }

  private void build() {
    var settings =
        new CallSettings(
            NODE,
            new Incarnation(incarnation),
            TimerSettings.RFC_3261,
            Duration.ofSeconds(180),
            Duration.ofMinutes(10),
            true,
            10,
            Duration.ofSeconds(60),
            List.of(),
            "sip-pbx");
    var self = new Member(NODE, new Incarnation(incarnation));
    Loop first = loops.all().getFirst();
    var participation =
        new Participation(
            first,
            self,
            CLUSTER,
            new KeeperRounds.Stores(store, members.on(first)),
            new KeeperRounds.Ports(
                (timer, epoch) -> edge(timer.call()).calls().timerDue(timer.call(), timer.name()),
                (orphan, told) -> edge(orphan.call()).calls().takeOver(orphan, told)));
    cluster = participation;
    var calls =
        new CallShared(
            new Ownership(
                self, participation.roster(), participation.lease(), new MeshAlone(first)),
            new CallDecider(
                settings, (protocol, peer) -> transport.advertised(protocol, peer.isV6())),
            new CallEventEncoder(NODE),
            this,
            active,
            new RoutingCounters(),
            CallLimits.DEFAULT,
            TimerSettings.RFC_3261,
            new CallCodec(),
            random::nextLong);
    var leases = new CallLeases(limits.on(loops), loops, 1_000);
    var shared =
        new EdgeShared(
            new StatelessResponder(transport, AccessResponses::tag),
            new EdgeCounters(),
            active,
            leases,
            media,
            () -> false,
            Duration.ofSeconds(10),
            1_000,
            "sip-pbx");
    var domains = new OwnDomains(List.of(), "test");
    var policy =
        new AccessPolicy(
            AuthSettings.of("test"), new ConfiguredUsers("test", List.of()), SECRET, domains::own);
    for (Loop loop : loops.all()) {
      var bindings = new InMemoryRegistrationStore(100, loop);
      var registrar =
          new RegistrarService(
              loop,
              bindings,
              policy,
              domains,
              new Registrar(RegistrarSettings.DEFAULT),
              RegistrarLimits.DEFAULT,
              random::nextLong,
              this,
              new RegistrarService.Events(new RegistrationEventEncoder(NODE), events -> {}));
      Locator locator = (uri, home, answer) -> home.execute(() -> answer.accept(located(uri)));
      Router router =
          (invite, answer) ->
              loop.execute(() -> answer.accept(new Router.Route.Found(route(invite))));
      var services =
          new EdgeServices(
              new CallKeys(SECRET),
              registrar,
              new RequestAuthenticator(loop, bindings, policy, domains, new NonceMemory(10), this),
              router,
              new NextHops(locator, loop),
              locator);
      edges.add(
          new Edge(
              loop,
              shared,
              services,
              user ->
                  new TransactionLayer(
                      loop, transport, user, TimerSettings.RFC_3261, TransactionLimits.DEFAULT),
              transactions ->
                  new CallRuntime(
                      loop,
                      store,
                      new TransactionEffects(loop, transactions, media, leases, this::published),
                      calls)));
    }
    participation.start(() -> {});
    clock.runReady();
  }

  /** Addresses are where they say; there are no names. */
  private static Location located(Uri uri) {
    Optional<IpAddress> ip = uri instanceof SipUri sip ? sip.hostIp() : Optional.empty();
    return ip.isPresent()
        ? new Location.Found(
            List.of(Destination.to(TransportProtocol.UDP, new Endpoint(ip.get(), 5060))))
        : new Location.NotFound(Location.Reason.NO_SUCH_NAME, "no names");
  }

  /** Where a user is: "bob" at his phone; "far" at an address of nobody and then at bob's. */
  private static List<List<Target>> route(SipRequest invite) {
    String user = invite.uri() instanceof SipUri uri ? uri.userText().orElse("") : "";
    var hops = new ArrayList<Destination>();
    if (user.equals("nobody")) {
      return List.of();
    }
    if (user.equals("far")) {
      hops.add(Destination.to(TransportProtocol.UDP, NOBODY));
    }
    hops.add(Destination.to(TransportProtocol.UDP, BOB));
    return List.of(List.of(new Target(SipUri.of("bob", BOB), List.of(), hops)));
  }

  private void published(List<CallEvent> events) {
    for (CallEvent event : events) {
      Integer before = lastSeq.put(event.getCallKey(), event.getSeq());
      if (event.getSeq() != (before == null ? 0 : before) + 1) {
        defects.add("seq " + event.getSeq() + " after " + before + " of " + event.getCallKey());
      }
      if (event.hasEnded()) {
        endsPerCall.merge(event.getCallKey(), 1, Integer::sum);
      }
    }
  }

  @Override
  public void happened(CallKey call, CallHappening happening) {
    if (happening instanceof CallHappening.Started) {
      started++;
    } else if (happening instanceof CallHappening.Ended end) {
      ended.add(end);
    }
  }

  @Override
  public void defect(CallKey call, String where, RuntimeException defect) {
    defects.add(where + " of " + call + ": " + defect);
    defect.printStackTrace();
  }

  @Override
  public void dropped(CallKey call, Drop why) {
    defects.add("dropped " + why + " of " + call);
  }

  @Override
  public void changed(BindingChange change) {}

  @Override
  public void answered(RegisterResult result, Flow flow) {}

  @Override
  public void decided(Method method, AccessDecision decision, Flow flow) {}

  /** What the called phone does from now on. */
  void plan(VirtualPhone.Answering how, Duration after) {
    bob.plan(how, after, Duration.ofSeconds(3));
  }

  /** Lets one call of this kind happen; what it starts goes on beside the next calls. */
  void startCall(Kind kind) {
    alice.loop().execute(() -> carryOut(kind));
  }

  private void carryOut(Kind kind) {
    Loop loop = alice.loop();
    Duration rings =
        kind == Kind.RINGS_LONG
            ? Duration.ofSeconds(170)
            : Duration.ofMillis(30 + random.nextInt(300));
    bob.plan(kind.answering, rings, Duration.ofSeconds(3));
    if (kind == Kind.NO_MEDIA) {
      media.refuseNext();
    }
    String user =
        switch (kind) {
          case FAIL_OVER -> "far";
          case NOT_REGISTERED -> "nobody";
          default -> "bob";
        };
    VirtualPhone.Offer offer =
        switch (kind) {
          case DELAYED_OFFER -> VirtualPhone.Offer.NONE;
          case NO_SESSION -> VirtualPhone.Offer.GARBAGE;
          default -> VirtualPhone.Offer.SESSION;
        };
    VirtualPhone.Dialog dialog = alice.call(user, offer);
    CallKey call = new CallKeys(SECRET).derive(dialog.invite);
    switch (kind) {
      case CALLER_HANGS_UP, DELAYED_OFFER, REDIRECTED, FORKED ->
          loop.schedule(Duration.ofSeconds(40), () -> alice.bye(dialog));
      case FAIL_OVER -> loop.schedule(Duration.ofSeconds(80), () -> alice.bye(dialog));
      case RINGS_LONG -> loop.schedule(Duration.ofSeconds(200), () -> alice.bye(dialog));
      case CANCELLED_AT_ONCE -> loop.schedule(Duration.ofMillis(1), () -> alice.cancel(dialog));
      case CANCELLED_SOMETIME ->
          loop.schedule(Duration.ofMillis(random.nextInt(500)), () -> alice.cancel(dialog));
      case BYE_WHILE_RINGING -> loop.schedule(Duration.ofSeconds(10), () -> alice.byeEarly(dialog));
      case NO_ACK -> dialog.acknowledges = false;
      case REINVITED -> {
        loop.schedule(Duration.ofSeconds(35), () -> alice.reinvite(dialog));
        loop.schedule(Duration.ofMillis(35_000 + random.nextInt(100)), () -> alice.bye(dialog));
      }
      case DIALOG_LOST -> loop.schedule(Duration.ofSeconds(35), () -> alice.reinvite(dialog));
      case MEDIA_TIMEOUT -> loop.schedule(Duration.ofSeconds(40), () -> media.timeOut(call));
      case MEDIA_LOST, MEDIA_LOST_WHILE_RINGING ->
          loop.schedule(Duration.ofSeconds(40), () -> media.lose(call));
      case CALLEE_HANGS_UP,
          BUSY,
          DECLINED,
          NO_ANSWER,
          DEAD_CALLEE,
          OVERLOADED,
          FAILS,
          NO_MEDIA,
          NOT_REGISTERED,
          NO_SESSION,
          NOBODY_HANGS_UP -> {}
    }
  }

  /** The node shuts down: what is still there is ended. */
  void shutDown() {
    for (Edge edge : edges) {
      edge.calls().hangUpAll(Termination.Reason.SHUTDOWN);
    }
  }

  void comesToRest(long seed, int calls) {
    runToTheEnd();
    String where = "seed " + seed;
    assertThat(started).as(where).isEqualTo(calls);
    assertThat(endsPerCall.values()).as(where).hasSize(calls).allMatch(ends -> ends == 1);
    nothingIsLeft(where);
  }

  /**
   * However the node fared: every call that was committed has one end, and nothing is left of it.
   */
  void comesToRestAfterAll(long seed) {
    runToTheEnd();
    String where = "seed " + seed;
    nothingIsLeft(where);
    outbox()
        .forEach(
            (call, events) -> {
              for (int i = 0; i < events.size(); i++) {
                assertThat(events.get(i).getSeq())
                    .as("seq of %s, %s", call, where)
                    .isEqualTo(i + 1);
              }
              assertThat(events.stream().filter(CallEvent::hasStarted)).as(where).hasSize(1);
              assertThat(events.stream().filter(CallEvent::hasEnded)).as(where).hasSize(1);
              assertThat(events.getLast().hasEnded()).as("%s, %s", call, where).isTrue();
            });
  }

  private void nothingIsLeft(String where) {
    assertThat(defects).as(where).isEmpty();
    assertThat(media.violations()).as(where).isEmpty();
    assertThat(active.size()).as("active calls, " + where).isZero();
    assertThat(store.size()).as("records, " + where).isZero();
    // One that was taken for a call whose first commit the node did not live to see ends by itself.
    clock.advance(Lease.FIRST);
    assertThat(limits.held(CallLeases.NAME)).as("leases, " + where).isZero();
    assertThat(media.sessions()).as("media sessions, " + where).isEmpty();
    for (Edge edge : edges) {
      assertThat(edge.calls().size()).as("mailboxes, " + where).isZero();
      assertThat(edge.transactions().counts().live().total()).as("transactions, " + where).isZero();
    }
    assertThat(alice.transactions().counts().live().total()).as(where).isZero();
    assertThat(bob.transactions().counts().live().total()).as(where).isZero();
    assertThat(carol.transactions().counts().live().total()).as(where).isZero();
    assertThat(clock.pending()).as("timers, " + where).isZero();
  }
}
