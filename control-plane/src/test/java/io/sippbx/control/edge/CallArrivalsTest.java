package io.sippbx.control.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.call.Alone;
import io.sippbx.control.call.Call;
import io.sippbx.control.call.CallDecider;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallRuntime;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.call.CallShared;
import io.sippbx.control.call.CallTag;
import io.sippbx.control.call.Ownership;
import io.sippbx.control.call.RoutingCounters;
import io.sippbx.control.call.Side;
import io.sippbx.control.call.Target;
import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.cluster.Roster;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.event.Termination.Result;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.mesh.Mesh;
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
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transaction.CancelRequest;
import io.sippbx.control.sip.transaction.StatelessResponder;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** One edge whose router answers when it is told to. */
class CallArrivalsTest {

  private static final Endpoint US = Endpoint.of("127.0.0.1", 5060);
  private static final Endpoint ME = Endpoint.of("127.0.0.9", 5060);
  private static final Endpoint BOB = Endpoint.of("127.0.0.3", 5060);
  private static final byte[] SECRET = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
  private static final int ROOM = 2;
  private static final Endpoint THEM = Endpoint.of("127.0.0.2", 5060);
  private static final Member SELF = new Member(new NodeId("edge-1"), new Incarnation(1));
  private static final Member OTHER = new Member(new NodeId("edge-2"), new Incarnation(1));

  private final VirtualLoops clock = VirtualLoops.shuffled(1);
  private final Loops loops = clock.loops("edge", 1);
  private final VirtualLoop loop = (VirtualLoop) loops.all().getFirst();
  private final Random random = new Random(1);
  private final VirtualNetwork network = new VirtualNetwork(clock.loop("wire"), random, 0);
  private final EdgeCounters counters = new EdgeCounters();
  private final ActiveCalls active = new ActiveCalls(100);
  private final FaultyLimitStore limits = new FaultyLimitStore(loops);
  private final CallLeases leases = new CallLeases(limits, loops, ROOM);
  private final List<Consumer<Router.Route>> routing = new ArrayList<>();
  private final List<Consumer<Location>> locating = new ArrayList<>();
  private final List<SipResponse> heard = new ArrayList<>();
  private final SipTransport me =
      network.attach(ME, (message, flow) -> heard.add((SipResponse) message));
  private final InMemoryCallStore<Call> store = new InMemoryCallStore<>(loops);
  private final List<Member> given = new ArrayList<>();
  private boolean draining;
  private boolean storeAway;
  private final Edge edge = edge(US, SELF, active);

  private Edge edge(Endpoint address, Member self, ActiveCalls active) {
    var edges = new ArrayList<Edge>();
    SipTransport transport =
        network.attach(
            address,
            (message, flow) -> loop.execute(() -> edges.getFirst().receive(message, flow, 0)));
    var roster = new Roster(self);
    List<NodeId> nodes = List.of(SELF.node(), OTHER.node());
    roster.follow(
        new Verdict(nodes, nodes, List.of(), false, true),
        new Census(
            Stream.of(SELF, OTHER)
                .map(each -> new Beat(each.node(), each.incarnation(), 1, false))
                .toList(),
            List.of(),
            List.of()));
    var media = new LedgerMediaPlane(clock.loop("media"), random);
    var observer = new Silent();
    var settings =
        new CallSettings(
            self.node(),
            self.incarnation(),
            TimerSettings.RFC_3261,
            Duration.ofSeconds(60),
            Duration.ofMinutes(10),
            true,
            10,
            Duration.ofSeconds(60),
            List.of(),
            "sip-pbx");
    var domains = new OwnDomains(List.of(), "test");
    var policy =
        new AccessPolicy(
            AuthSettings.of("test"), new ConfiguredUsers("test", List.of()), SECRET, domains::own);
    var bindings = new InMemoryRegistrationStore(100, loop);
    Locator later = (uri, home, answer) -> locating.add(answer);
    var services =
        new EdgeServices(
            new CallKeys(SECRET),
            new RegistrarService(
                loop,
                bindings,
                policy,
                domains,
                new Registrar(RegistrarSettings.DEFAULT),
                RegistrarLimits.DEFAULT,
                random::nextLong,
                observer,
                new RegistrarService.Events(
                    new RegistrationEventEncoder(self.node()), events -> {})),
            new RequestAuthenticator(
                loop, bindings, policy, domains, new NonceMemory(10), observer),
            (invite, answer) -> routing.add(answer),
            new NextHops(later, loop),
            later);
    var shared =
        new EdgeShared(
            new StatelessResponder(transport, AccessResponses::tag),
            counters,
            active,
            leases,
            media,
            () -> draining,
            Duration.ofSeconds(10),
            ROOM,
            "sip-pbx");
    var calls =
        new CallShared(
            new Ownership(self, roster, Alone.lease(loop), new Recorder()),
            new CallDecider(
                settings, (protocol, peer) -> transport.advertised(protocol, peer.isV6())),
            new CallEventEncoder(self.node()),
            observer,
            active,
            new RoutingCounters(),
            CallLimits.DEFAULT,
            TimerSettings.RFC_3261,
            new CallCodec(),
            random::nextLong);
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
                    new LeavableStore(),
                    new TransactionEffects(loop, transactions, media, leases, events -> {}),
                    calls)));
    return edges.getFirst();
  }

  private SipRequest invite(int number, String contact) {
    return SipRequest.builder(Method.INVITE, SipUri.of("bob", US))
        .via(Via.of(TransportProtocol.UDP, ME, new Branch("z9hG4bK-" + number)))
        .maxForwards(70)
        .from(NameAddr.of(SipUri.of("me", ME)).withTag(new Tag("me")))
        .to(NameAddr.of(SipUri.of("bob", US)))
        .callId(new CallId("me-" + number))
        .cSeq(1)
        .contact(NameAddr.of(Uri.of(contact)))
        .build();
  }

  private void invite(int number) {
    send(invite(number, "sip:me@127.0.0.9"));
  }

  private void send(SipRequest request) {
    me.send(request, Destination.to(TransportProtocol.UDP, US), failure -> {});
    clock.advance(Duration.ofMillis(10));
  }

  private void later(Runnable answer) {
    loop.execute(answer);
    clock.advance(Duration.ofMillis(10));
  }

  @Test
  void areRefusedAboveTheirLimit() {
    invite(1);
    invite(2);
    assertThat(heard).isEmpty();
    assertThat(edge.arriving()).isEqualTo(ROOM);

    invite(3);

    SipResponse refusal = heard.getLast();
    assertThat(refusal.status()).isEqualTo(503);
    assertThat(refusal.header(HeaderName.RETRY_AFTER)).contains("10");
    assertThat(counters.overArrivalLimit.sum()).isOne();
    assertThat(edge.transactions().counts().live().inviteServer()).isEqualTo(ROOM);

    // Room again when one has been routed.
    later(() -> routing.removeFirst().accept(new Router.Route.Unavailable("slow")));
    invite(4);
    assertThat(routing).hasSize(2);
    assertThat(edge.arriving()).isEqualTo(ROOM);
    assertThat(active.size()).isEqualTo(ROOM);
  }

  @Test
  void becomeNoCallsWhereTheyAreCancelledWhileTheCallersNameIsLookedUp() {
    SipRequest invite = invite(1, "sip:me@caller.example");
    send(invite);
    later(
        () ->
            routing
                .removeFirst()
                .accept(
                    new Router.Route.Found(
                        List.of(
                            List.of(
                                new Target(
                                    SipUri.of("bob", BOB),
                                    List.of(),
                                    List.of(Destination.to(TransportProtocol.UDP, BOB))))))));
    assertThat(locating).hasSize(1);

    send(CancelRequest.of(invite));
    assertThat(heard).extracting(SipResponse::status).containsExactly(200, 487);
    later(
        () ->
            locating
                .removeFirst()
                .accept(new Location.NotFound(Location.Reason.NO_SUCH_NAME, "no names")));

    assertThat(edge.calls().size()).isZero();
    assertThat(network.lastTo(BOB)).isEmpty();
    assertThat(active.size()).isZero();
  }

  @Test
  void areRoutedThoughTheRecordIsBeingReadForACancelThatOvertookThem() {
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    Flow flow = Flow.udp(US, ME);
    later(
        () -> {
          edge.receive(CancelRequest.of(invite), flow, 0);
          edge.receive(invite, flow, 0);
        });

    assertThat(heard).extracting(SipResponse::status).containsExactly(481);
    assertThat(routing).as("whom it calls is asked").hasSize(1);
  }

  @Test
  void thatWereRefusedBeginNoCallWhereACopyComesAMomentLater() {
    limits.away = true;
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    send(invite);
    assertThat(heard).extracting(SipResponse::status).containsExactly(503);
    limits.away = false;
    send(invite);
    assertThat(heard).extracting(SipResponse::status).containsExactly(503, 503);
    assertThat(routing).as("to the caller it is over").isEmpty();
    assertThat(active.size()).isZero();

    clock.advance(RefusedInvites.KEEP);
    send(invite);
    assertThat(routing).as("by then it is another try").hasSize(1);
  }

  /** Of the caller, for a refusal that no node has in a record. */
  private static SipRequest ackOfARefusal(SipRequest invite) {
    return SipRequest.builder(Method.ACK, invite.uri())
        .via(invite.topVia())
        .maxForwards(70)
        .from(invite.from())
        .to(invite.to().withTag(new Tag("0123456789abcdef")))
        .callId(invite.callId())
        .cSeq(1)
        .build();
  }

  @Test
  void becomeNoCallsOnceTheCallerHasAcknowledgedARefusalOfAnotherNode() {
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    send(invite);
    send(ackOfARefusal(invite));
    assertThat(edge.arriving()).isZero();
    later(() -> routing.removeFirst().accept(toBob()));
    assertThat(edge.calls().size()).isZero();
    assertThat(active.size()).isZero();
    assertThat(edge.transactions().counts().live().total()).isZero();
    assertThat(heard).isEmpty();
  }

  @Test
  void thatBecameCallsEndWhenTheCallerAcknowledgesARefusalOfAnotherNode() {
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    send(invite);
    later(() -> routing.removeFirst().accept(toBob()));
    CallKey key = new CallKeys(SECRET).derive(invite);
    assertThat(edge.calls().call(key).orElseThrow().termination()).isEmpty();
    send(ackOfARefusal(invite));
    assertThat(edge.calls().call(key).orElseThrow().termination())
        .contains(new Termination(Result.FAILED, Reason.REFUSED, 503));
    assertThat(edge.transactions().counts().live().inviteServer()).isZero();
  }

  @Test
  void thatBecameCallsEndWhenAnotherNodeSaysThatItHasRefusedTheCaller() {
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    send(invite);
    later(() -> routing.removeFirst().accept(toBob()));
    CallKey key = new CallKeys(SECRET).derive(invite);
    SipResponse refusal =
        SipResponse.to(invite, 487).toTag(new CallTag(key, Side.CALLER, 0).tag()).build();
    later(() -> edge.receive(refusal, Flow.udp(US, ME), 0));
    assertThat(edge.calls().call(key).orElseThrow().termination()).as("anybody").isEmpty();
    later(() -> edge.receive(refusal, Flow.udp(US, ME), 1));
    assertThat(edge.calls().call(key).orElseThrow().termination())
        .contains(new Termination(Result.CANCELLED, Reason.CANCELLED, 487));
  }

  private static Router.Route toBob() {
    return new Router.Route.Found(
        List.of(
            List.of(
                new Target(
                    SipUri.of("bob", BOB),
                    List.of(),
                    List.of(Destination.to(TransportProtocol.UDP, BOB))))));
  }

  /** Another node has taken the call, and this one a copy of its INVITE. */
  private SipRequest acceptedElsewhere() {
    Edge other = edge(THEM, OTHER, new ActiveCalls(100));
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    me.send(invite, Destination.to(TransportProtocol.UDP, THEM), failure -> {});
    clock.advance(Duration.ofMillis(10));
    later(() -> routing.removeFirst().accept(toBob()));
    assertThat(other.calls().size()).isOne();
    assertThat(heard).extracting(SipResponse::status).containsExactly(100);
    heard.clear();
    return invite;
  }

  @Test
  void ofACallThatAnotherNodeHasAreGivenToItByANodeThatTakesNone() {
    SipRequest invite = acceptedElsewhere();
    draining = true;

    send(invite);

    assertThat(given).containsExactly(OTHER);
    assertThat(heard).as("what its owner says counts").isEmpty();
    assertThat(edge.arriving()).isZero();
    assertThat(edge.calls().size()).isZero();
    assertThat(edge.transactions().counts().live().inviteServer()).isZero();
    assertThat(counters.whileDraining.sum()).isZero();
  }

  @Test
  void ofACallThatAnotherNodeHasAreGivenToItByANodeThatHasNoRoom() {
    SipRequest invite = acceptedElsewhere();
    for (byte i = 0; i < 100; i++) {
      var octets = new byte[16];
      octets[0] = i;
      assertThat(active.tryTake(CallKey.ofBytes(octets))).isTrue();
    }

    send(invite);

    assertThat(given).containsExactly(OTHER);
    assertThat(heard).isEmpty();
    assertThat(counters.overCallLimit.sum()).isZero();
  }

  /** Its 487 would be the end of the call for its caller, while its callee rings on. */
  @Test
  void ofACallThatAnotherNodeHasAreNotCancelledHereButThere() {
    SipRequest invite = acceptedElsewhere();
    send(invite);
    assertThat(edge.arriving()).isOne();

    send(CancelRequest.of(invite));
    assertThat(given).as("the CANCEL").containsExactly(OTHER);
    assertThat(heard).isEmpty();

    later(() -> routing.removeFirst().accept(toBob()));
    assertThat(given).as("and the copy").containsExactly(OTHER, OTHER);
    assertThat(heard).as("what its owner says counts").isEmpty();
    assertThat(edge.calls().size()).isZero();
    assertThat(edge.transactions().counts().live().total()).isZero();
    assertThat(limits.held()).as("that of the call").isOne();
  }

  @Test
  void areCancelledOnceItCanBeToldWhetherAnotherNodeHasTheCall() {
    SipRequest invite = invite(1, "sip:me@127.0.0.9");
    send(invite);
    storeAway = true;
    SipRequest cancel = CancelRequest.of(invite);
    send(cancel);
    assertThat(heard).isEmpty();

    storeAway = false;
    send(cancel);
    assertThat(heard).as("to its repeat").extracting(SipResponse::status).containsExactly(200, 487);
    assertThat(edge.arriving()).isZero();
  }

  @Test
  void ofACallThatAnotherNodeHasAreNotRefusedThoughWhomItCallsIsNotThereAnyMore() {
    SipRequest invite = acceptedElsewhere();
    send(invite);

    later(() -> routing.removeFirst().accept(new Router.Route.Refused(404)));

    assertThat(given).containsExactly(OTHER);
    assertThat(heard).isEmpty();
    assertThat(edge.arriving()).isZero();
    assertThat(limits.held()).as("that of the call").isOne();
  }

  @Test
  void areRefusedByANodeThatTakesNoneWhereThereIsNoSuchCallOrTheStoreDoesNotSay() {
    draining = true;
    invite(1);
    assertThat(heard).extracting(SipResponse::status).containsExactly(503);
    assertThat(counters.whileDraining.sum()).isOne();

    storeAway = true;
    invite(2);
    assertThat(heard).extracting(SipResponse::status).containsExactly(503, 503);
    assertThat(heard.getLast().header(HeaderName.RETRY_AFTER)).contains("10");
    assertThat(given).isEmpty();
    assertThat(edge.arriving()).isZero();
    assertThat(edge.calls().size()).isZero();
  }

  /** Other nodes hold all of the leases. */
  private void occupy() {
    var taken = new ArrayList<CallLeases.Taken>();
    for (byte i = 0; i < ROOM; i++) {
      var octets = new byte[16];
      octets[0] = i;
      leases.take(CallKey.ofBytes(octets), taken::add);
    }
    clock.runReady();
    assertThat(taken).hasSize(ROOM).containsOnly(CallLeases.Taken.HELD);
  }

  @Test
  void areRefusedAboveTheLimitOfTheCluster() {
    occupy();

    invite(1);

    SipResponse refusal = heard.getLast();
    assertThat(refusal.status()).isEqualTo(503);
    assertThat(refusal.header(HeaderName.RETRY_AFTER)).contains("10");
    assertThat(counters.overClusterLimit.sum()).isOne();
    assertThat(routing).isEmpty();
    assertThat(active.size()).isZero();
    assertThat(edge.arriving()).isZero();
    assertThat(edge.transactions().counts().live().inviteServer()).isZero();
    assertThat(leases.held()).isEqualTo(ROOM);
  }

  @Test
  void areRefusedWhileTheStoreOfTheLimitIsAway() {
    limits.away = true;

    invite(1);

    assertThat(heard.getLast().status()).isEqualTo(503);
    assertThat(active.size()).isZero();
    assertThat(counters.overClusterLimit.sum()).isZero();
  }

  @Test
  void giveTheirPlaceInTheClusterBackWhereTheyBecomeNoCall() {
    invite(1);
    assertThat(limits.held()).isOne();
    later(() -> routing.removeFirst().accept(new Router.Route.Refused(404)));
    assertThat(limits.held()).isZero();

    SipRequest second = invite(2, "sip:me@127.0.0.9");
    send(second);
    assertThat(limits.held()).isOne();
    send(CancelRequest.of(second));
    later(() -> routing.removeFirst().accept(new Router.Route.Refused(404)));
    assertThat(limits.held()).isZero();
    assertThat(active.size()).isZero();
  }

  @Test
  void giveBackUntilTheStoreIsThereAgainAndWithinABound() {
    invite(1);
    limits.away = true;
    later(() -> routing.removeFirst().accept(new Router.Route.Refused(404)));
    clock.advance(CallLeases.RETRY);
    limits.away = false;
    clock.advance(CallLeases.RETRY);
    assertThat(limits.held()).isZero();
    assertThat(leases.leftToEnd()).isZero();

    invite(2);
    limits.away = true;
    limits.releases = 0;
    later(() -> routing.removeFirst().accept(new Router.Route.Refused(404)));
    clock.advance(Duration.ofMinutes(1));
    assertThat(limits.releases).isEqualTo(CallLeases.ATTEMPTS);
    assertThat(leases.leftToEnd()).isOne();
  }

  /** All is delivered, and remembered. */
  private final class Recorder implements Mesh {
    @Override
    public void deliver(
        Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told) {
      given.add(to);
      loop.execute(() -> told.accept(Delivery.DELIVERED));
    }

    @Override
    public void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told) {
      loop.execute(() -> told.accept(Delivery.FAILED));
    }

    @Override
    public boolean isUp(Member member) {
      return true;
    }
  }

  /** The store, which may be away. */
  private final class LeavableStore implements CallStore<Call> {
    @Override
    public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
      if (storeAway) {
        loop.execute(() -> answer.accept(new ReadAnswer.Unavailable<>("away")));
      } else {
        store.read(call, answer);
      }
    }

    @Override
    public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
      store.commit(commit, answer);
    }

    @Override
    public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
      store.restore(restore, answer);
    }
  }

  private static final class Silent implements CallObserver, RegistrarListener {
    @Override
    public void happened(CallKey call, CallHappening happening) {}

    @Override
    public void defect(CallKey call, String where, RuntimeException defect) {
      throw defect;
    }

    @Override
    public void dropped(CallKey call, Drop why) {}

    @Override
    public void changed(BindingChange change) {}

    @Override
    public void answered(RegisterResult result, Flow flow) {}

    @Override
    public void decided(Method method, AccessDecision decision, Flow flow) {}
  }
}
