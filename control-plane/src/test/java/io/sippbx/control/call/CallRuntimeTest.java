package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.FailureDetector;
import io.sippbx.control.cluster.LeaseSettings;
import io.sippbx.control.cluster.Roster;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.cluster.TakeOver;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("commit, then act (law 2)")
class CallRuntimeTest {

  /** How the store treats a commit. */
  private enum Fate {
    APPLY,
    /** It is applied, and the answer is lost. */
    LOSE_ANSWER,
    /** It is lost. */
    LOSE,
    /** It is applied, and answered by {@link #late} only. */
    ANSWER_LATE,
    /** The outbox has no room for its events. */
    FULL
  }

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final InMemoryCallStore<Call> memory = new InMemoryCallStore<>(new Loops(List.of(loop)));
  private boolean away;
  private boolean unreadable;
  private boolean mediaFails;
  private boolean mediaIsSlow;
  private boolean mediaRefuses;
  private int reads;
  private Optional<NodeId> otherMediaNode = Optional.empty();
  private final Deque<Fate> fates = new ArrayDeque<>();
  private final Deque<Runnable> late = new ArrayDeque<>();
  private final List<CommitId> commits = new ArrayList<>();
  private final List<String> done = new ArrayList<>();
  private final List<SipRequest> requests = new ArrayList<>();
  private final List<Supplier<Call>> folded = new ArrayList<>();
  private final List<ServerTransactionId> forgotten = new ArrayList<>();
  private final List<Branch> resumed = new ArrayList<>();
  private final List<String> seen = new ArrayList<>();
  private final Scene scene = new Scene();
  private final CallKey key = scene.key();
  private long nextCommit;

  private final CallStore<Call> store =
      new CallStore<>() {
        @Override
        public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
          reads++;
          if (unreadable) {
            loop.execute(() -> answer.accept(new ReadAnswer.Unavailable<>("away")));
          } else {
            memory.read(call, answer);
          }
        }

        @Override
        public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
          commits.add(commit.id());
          Fate fate = !fates.isEmpty() ? fates.remove() : away ? Fate.LOSE : Fate.APPLY;
          switch (fate) {
            case APPLY -> memory.commit(commit, answer);
            case LOSE_ANSWER ->
                memory.commit(commit, applied -> answer.accept(new CommitAnswer.Unknown<>("lost")));
            case ANSWER_LATE ->
                memory.commit(commit, applied -> late.add(() -> answer.accept(applied)));
            case FULL -> loop.execute(() -> answer.accept(new CommitAnswer.Full<>(7)));
            case LOSE -> loop.execute(() -> answer.accept(new CommitAnswer.Unknown<>("lost")));
          }
        }

        @Override
        public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
          memory.restore(restore, answer);
        }

        @Override
        public void fold(CallKey call, CommitId commit, Supplier<Call> again) {
          folded.add(again);
        }
      };

  private final CallEffects effects =
      new CallEffects() {
        @Override
        public void placeMedia(
            MediaNeed need, List<NodeId> except, Consumer<Optional<NodeId>> answer) {
          loop.execute(() -> answer.accept(otherMediaNode));
        }

        @Override
        public void respond(
            ServerTransactionId transaction, SipResponse response, SendPermit permit) {
          done.add(response.status() + " " + response.cSeq().method());
        }

        @Override
        public void request(SipRequest request, Destination to, SendPermit permit) {
          done.add(request.method().name());
          requests.add(request);
          permits.add(permit);
        }

        @Override
        public void resumeServer(
            ServerTransactionId transaction,
            Flow flow,
            Optional<SipResponse> lastResponse,
            SendPermit permit) {
          done.add("resume " + lastResponse.map(SipResponse::status).orElse(0));
        }

        @Override
        public void resumeClient(
            SipRequest request, Destination to, Duration remaining, SendPermit permit) {
          done.add("resume " + request.method().name());
          resumed.add(request.topVia().branch().orElseThrow());
        }

        @Override
        public boolean receiveAgain(SipResponse response, Flow flow) {
          boolean waits = resumed.contains(response.topVia().branch().orElseThrow());
          if (waits) {
            done.add("again " + response.status());
          }
          return waits;
        }

        @Override
        public void awaitFinal(SipRequest invite, Destination to, SendPermit permit) {
          done.add("await " + invite.method());
        }

        @Override
        public void forget(ServerTransactionId transaction) {
          done.add("forget");
          forgotten.add(transaction);
        }

        @Override
        public void forgetAll(SendPermit permit) {
          done.add("forget all");
        }

        @Override
        public void abandon(SipRequest request) {
          done.add("abandon " + request.method());
        }

        @Override
        public void ack(SipRequest ack, Destination to) {
          done.add("ACK");
        }

        @Override
        public void ackFailure(SipResponse response, Optional<SipRequest> invite, Destination to) {
          done.add("ACK of " + response.status());
        }

        @Override
        public void applyMedia(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
          if (mediaFails) {
            throw new IllegalStateException("planted");
          }
          done.add("apply " + spec.revision());
          var addresses = new ArrayList<StreamAddresses>();
          for (StreamSpec stream : spec.streams()) {
            String host = node.equals(Scene.MEDIA_NODE) ? "198.51.100.2" : "198.51.100.3";
            Endpoint relay = Endpoint.of(host, 10_000);
            addresses.add(new StreamAddresses(stream.index(), relay, relay, relay, relay));
          }
          loop.execute(
              () -> {
                MediaAnswer told =
                    mediaRefuses
                        ? new MediaAnswer.Refused(
                            MediaAnswer.Refusal.PORTS_EXHAUSTED, "no port is free", 0)
                        : new MediaAnswer.Held(spec.revision(), addresses, List.of());
                Runnable held = () -> answer.accept(told);
                if (mediaIsSlow) {
                  late.add(held);
                } else {
                  held.run();
                }
              });
        }

        @Override
        public void releaseMedia(
            NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
          done.add("release");
          loop.execute(() -> answer.accept(new MediaAnswer.Held(revision, List.of(), List.of())));
        }

        @Override
        public void renewLease(CallKey call, Duration lasting) {
          done.add("renew");
        }

        @Override
        public void giveLeaseBack(CallKey call, Runnable answer) {
          done.add("give back");
          loop.execute(answer);
        }

        @Override
        public void publish(List<CallEvent> events) {
          events.forEach(event -> seen.add(event.getSeq() + " " + event.getEventCase()));
        }
      };

  private final CallObserver observer =
      new CallObserver() {
        @Override
        public void happened(CallKey call, CallHappening happening) {}

        @Override
        public void defect(CallKey call, String where, RuntimeException defect) {
          seen.add("defect");
        }

        @Override
        public void dropped(CallKey call, Drop why) {
          seen.add("dropped " + why);
        }
      };

  private ActiveCalls active = new ActiveCalls(10);
  private final RoutingCounters counters = new RoutingCounters();

  private static final Member SELF = new Member(new NodeId("edge-1"), new Incarnation(1));
  private static final Member OTHER = new Member(new NodeId("edge-2"), new Incarnation(2));

  private final Roster rosterOfSelf = new Roster(SELF);
  private SendLease lease = Alone.lease(loop);
  private final List<SendPermit> permits = new ArrayList<>();
  private final List<String> meshed = new ArrayList<>();
  private @Nullable SipMessage toldByMesh;
  private boolean meshIsUp = true;

  /** Says what it was given, and has it if it is up. */
  private final Mesh mesh =
      new Mesh() {
        @Override
        public void deliver(
            Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told) {
          meshed.add(message.cSeq().method() + " to " + to + " hops " + hops);
          toldByMesh = message instanceof SipResponse ? message : toldByMesh;
          Delivery delivery = meshIsUp ? Delivery.DELIVERED : Delivery.FAILED;
          loop.execute(() -> told.accept(delivery));
        }

        @Override
        public void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told) {
          throw new UnsupportedOperationException();
        }

        @Override
        public boolean isUp(Member member) {
          return meshIsUp;
        }
      };

  /** This node, who has seen {@link #OTHER} beat. */
  private CallRuntime runtime(CallLimits limits) {
    return runtime(SELF, rosterOfSelf, limits);
  }

  private static void sees(Roster roster, List<Member> beating, List<Member> dead) {
    roster.follow(
        new FailureDetector.Verdict(
            beating.stream().map(Member::node).toList(),
            beating.stream().map(Member::node).toList(),
            dead,
            false,
            true),
        new Census(
            beating.stream()
                .map(each -> new Beat(each.node(), each.incarnation(), 1, false))
                .toList(),
            dead,
            List.of()));
  }

  private CallRuntime runtime(Member self, Roster roster, CallLimits limits) {
    return runtime(self, roster, limits, store);
  }

  private CallRuntime runtime(
      Member self, Roster roster, CallLimits limits, CallStore<Call> reached) {
    return new CallRuntime(
        loop,
        reached,
        effects,
        new CallShared(
            new Ownership(self, roster, lease, mesh),
            new CallDecider(Scene.SETTINGS, (protocol, peer) -> Optional.of(Scene.EDGE)),
            new CallEventEncoder(new NodeId("edge-1")),
            observer,
            active,
            counters,
            limits,
            TimerSettings.RFC_3261,
            new CallCodec(),
            () -> ++nextCommit));
  }

  private Input.InviteArrived invite() {
    return new Input.InviteArrived(
        Scene.transaction(scene.invite),
        scene.invite,
        Scene.CALLER_FLOW,
        Destination.over(Scene.CALLER_FLOW),
        List.of(List.of(Scene.target(0))),
        Optional.of(Scene.MEDIA_NODE));
  }

  private Received received(SipMessage message) {
    return new Received(message, Scene.CALLER_FLOW, 0);
  }

  private CallRuntime begin(CallLimits limits) {
    return begin(runtime(limits));
  }

  private CallRuntime begin(CallRuntime runtime) {
    loop.execute(() -> runtime.begin(key, invite(), received(scene.invite)));
    clock.runReady();
    return runtime;
  }

  /** A node that knows what became of {@link #SELF}. */
  private CallRuntime survivor(boolean selfIsDead) {
    var roster = new Roster(OTHER);
    sees(
        roster,
        selfIsDead ? List.of(OTHER) : List.of(SELF, OTHER),
        selfIsDead ? List.of(SELF) : List.of());
    return runtime(OTHER, roster, CallLimits.DEFAULT);
  }

  private TakeOver.Outcome takeOver(CallRuntime survivor, Member from) {
    var outcomes = new ArrayList<TakeOver.Outcome>();
    survivor.takeOver(new TakeOver.Orphan(key, from, 0), outcomes::add);
    clock.runReady();
    assertThat(outcomes).hasSize(1);
    return outcomes.getFirst();
  }

  private Input.RequestArrived arrived(SipRequest request) {
    return new Input.RequestArrived(
        Scene.transaction(request),
        request,
        Scene.CALLER_FLOW,
        Destination.over(Scene.CALLER_FLOW));
  }

  private SipRequest cancel() {
    return Messages.cancel(scene.invite);
  }

  private void offer(CallRuntime runtime, SipRequest request) {
    loop.execute(
        () ->
            runtime.offerOrRead(
                key, arrived(request), received(request), absent -> done.add("absent")));
    clock.runReady();
  }

  @Test
  void nothingIsSentBeforeTheCommit() {
    fates.add(Fate.LOSE);
    begin(CallLimits.DEFAULT);
    assertThat(done).as("only what may run beside the commit").containsExactly("apply 1");
    assertThat(seen).isEmpty();
    clock.advance(Duration.ofMillis(100));
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE", "apply 2");
    assertThat(seen).containsExactly("1 STARTED");
  }

  @Test
  void aCallInFlightIsTakenOverFromItsRecordOnce() {
    begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime survivor = survivor(true);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.NOT_ITS);
    assertThat(done).containsExactly("resume 100", "resume INVITE", "apply 2");
    assertThat(survivor.holds(key)).isTrue();
    assertThat(active.size()).isEqualTo(1);
    assertThat(counters.takenOver.sum()).isEqualTo(1);
  }

  @Test
  void aKeeperWhoseEpochIsOverTakesNothing() {
    begin(CallLimits.DEFAULT);
    done.clear();
    memory.setEpoch(Partition.of(key), 8);
    CallRuntime survivor = survivor(true);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.FAILED);
    assertThat(done).isEmpty();
    assertThat(survivor.size()).isZero();
  }

  @Test
  void whatComesForACallOfADeadNodeComesAfterItIsTakenOver() {
    begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime survivor = survivor(true);
    var absent = new ArrayList<Input>();
    loop.execute(() -> survivor.offerOrRead(key, invite(), received(scene.invite), absent::add));
    clock.runReady();
    assertThat(done).startsWith("resume 100", "resume INVITE", "apply 2");
    assertThat(absent).isEmpty();
    assertThat(seen).as("it has started once").containsExactly("1 STARTED");
  }

  @Test
  void aResponseForWhichACallIsTakenOverIsForTheTransactionThatIsMadeAnew() {
    begin(CallLimits.DEFAULT);
    SipRequest sent = requests.getFirst();
    SipResponse answer = SipResponse.to(sent, 200).toTag(new Tag("bob")).build();
    var input =
        new Input.ResponseArrived(
            sent.topVia().branch().orElseThrow(),
            answer,
            Destination.over(Scene.CALLER_FLOW),
            List.of());
    done.clear();
    CallRuntime survivor = survivor(true);
    loop.execute(() -> survivor.offerStray(key, input, received(answer), absent -> {}));
    clock.runReady();
    assertThat(done)
        .as("it would send the INVITE again and again to a callee that has answered")
        .containsSubsequence("resume INVITE", "again 200")
        .doesNotContain("ACK");
    // Once the transaction has had it, it is the call's.
    loop.execute(() -> survivor.offerOrRead(key, input, received(answer), absent -> {}));
    clock.runReady();
    assertThat(done).contains("ACK");
  }

  @Test
  void aCalleesFailureIsAcknowledgedOnceItIsInTheRecord() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    SipRequest sent = requests.getFirst();
    SipResponse busy = SipResponse.to(sent, 486).toTag(new Tag("bob")).build();
    var input =
        new Input.ResponseArrived(
            sent.topVia().branch().orElseThrow(),
            busy,
            Destination.over(Scene.CALLER_FLOW),
            List.of());
    done.clear();
    away = true;
    loop.execute(() -> runtime.offerOrRead(key, input, received(busy), absent -> {}));
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).as("another may have to go on from the record").isEmpty();
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).startsWith("ACK of 486", "486 INVITE");
    // Its repeat, which waited for the store too.
    loop.execute(() -> runtime.offerOrRead(key, input, received(busy), absent -> {}));
    clock.runReady();
    assertThat(done.stream().filter("ACK of 486"::equals)).hasSize(2);
    assertThat(done.stream().filter("486 INVITE"::equals)).hasSize(1);
  }

  @Test
  void theAckOfARefusalFindsWhoRepeatsIt() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    offer(runtime, cancel());
    calleeAnswersItsEnd(runtime);
    assertThat(runtime.call(key).orElseThrow().isTombstone()).isTrue();
    SipResponse ended =
        SipResponse.to(scene.invite, 487).toTag(new CallTag(key, Side.CALLER, 0).tag()).build();
    SipRequest ack =
        SipRequest.builder(Method.ACK, scene.invite.uri())
            .via(scene.invite.topVia())
            .from(scene.invite.from())
            .to(ended.to())
            .callId(scene.invite.callId())
            .cSeq(new CSeq(scene.invite.cSeq().number(), Method.ACK))
            .build();
    CallRuntime survivor = survivor(false);
    meshed.clear();
    var input = new Input.AckArrived(ack);
    loop.execute(() -> survivor.offerOrRead(key, input, received(ack), absent -> {}));
    clock.runReady();
    assertThat(meshed).containsExactly("ACK to " + SELF + " hops 0");
  }

  /** The caller was refused, and its end told: how its record stands. */
  private Versioned<Call> stored() {
    var found = new ArrayList<Versioned<Call>>();
    memory.read(key, answer -> found.add(((ReadAnswer.Found<Call>) answer).current()));
    clock.runReady();
    return found.getFirst();
  }

  private void acknowledgeRefusal(CallRuntime runtime) {
    var ack = new Input.RefusalAcknowledged(Scene.transaction(scene.invite));
    loop.execute(() -> runtime.offer(key, ack));
    clock.runReady();
  }

  @Test
  void aRefusalThatWasAcknowledgedBeforeItsEndIsToldHasNoOwnerAndCostsNoCommit() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    offer(runtime, cancel());
    int before = commits.size();
    acknowledgeRefusal(runtime);
    assertThat(commits).as("the next commit says it").hasSize(before);
    calleeAnswersItsEnd(runtime);
    int ended = commits.size();
    assertThat(stored().record().isTombstone()).isTrue();
    assertThat(stored().owner()).isEmpty();

    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
    assertThat(commits).as("what nobody owns ends by itself").hasSize(ended);
  }

  @Test
  void aRefusalThatIsAcknowledgedAfterItsEndIsToldLosesItsOwnerWithOneCommit() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    offer(runtime, cancel());
    calleeAnswersItsEnd(runtime);
    int ended = commits.size();
    assertThat(stored().owner()).contains(SELF);

    acknowledgeRefusal(runtime);
    assertThat(stored().owner()).isEmpty();
    acknowledgeRefusal(runtime);
    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
    assertThat(commits).hasSize(ended + 1);
  }

  @Test
  void aRefusalThatIsNeverAcknowledgedIsTakenOutByItsOwner() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    offer(runtime, cancel());
    calleeAnswersItsEnd(runtime);
    int ended = commits.size();
    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
    assertThat(commits).hasSize(ended + 1);
    assertThat(memory.size()).isZero();
  }

  @Test
  void aCallIsInHandOnlyWhenItsRecordNamesThisNodeAndItsTransactionsAreOpen() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    assertThat(owner.isInHand(key)).isTrue();
    CallRuntime survivor = survivor(true);
    loop.execute(
        () -> {
          SipRequest cancel = cancel();
          survivor.offerOrRead(key, arrived(cancel), received(cancel), absent -> {});
          assertThat(survivor.holds(key)).as("it is asked for").isTrue();
          assertThat(survivor.isInHand(key)).as("a response would be lost").isFalse();
        });
    clock.runReady();
    assertThat(survivor.isInHand(key)).isTrue();
  }

  @Test
  void aCallThatIsNotThereOrAnothersIsNotTakenOver() {
    assertThat(takeOver(survivor(true), SELF)).isEqualTo(TakeOver.Outcome.NOT_ITS);
    CallRuntime owner = begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime survivor = survivor(false);
    Member former = new Member(SELF.node(), new Incarnation(77));
    assertThat(takeOver(survivor, former)).isEqualTo(TakeOver.Outcome.NOT_ITS);
    assertThat(survivor.size()).isZero();
    assertThat(owner.holds(key)).isTrue();
    assertThat(done).isEmpty();
  }

  @Test
  void aMessageOfACallThatAnotherHasIsHandedToIt() {
    begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime other = survivor(false);
    offer(other, cancel());
    assertThat(meshed).containsExactly("CANCEL to " + SELF + " hops 0");
    assertThat(done).as("its repeats are the owner's too").containsExactly("forget");
    assertThat(other.size()).isZero();
    assertThat(counters.handedOver.sum()).isEqualTo(1);
  }

  @Test
  void theLoserOfARaceHandsItsInviteToTheWinner() {
    begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime loser = begin(survivor(false));
    assertThat(meshed).containsExactly("INVITE to " + SELF + " hops 0");
    assertThat(done).containsExactly("apply 1", "forget");
    assertThat(loser.size()).isZero();
    assertThat(seen).as("it has started once").containsExactly("1 STARTED");
  }

  @Test
  void aMessageThatCannotBeHandedOverIsHeldUntilTheOwnerMayBeClaimed() {
    begin(CallLimits.DEFAULT);
    done.clear();
    meshIsUp = false;
    var roster = new Roster(OTHER);
    sees(roster, List.of(SELF, OTHER), List.of());
    CallRuntime other = runtime(OTHER, roster, CallLimits.DEFAULT);
    offer(other, cancel());
    clock.advance(Duration.ofSeconds(3));
    assertThat(meshed.size()).isBetween(10, 14);
    assertThat(done).as("neither answered nor dropped").isEmpty();
    sees(roster, List.of(OTHER), List.of(SELF));
    clock.advance(Duration.ofMillis(300));
    assertThat(done).containsSubsequence("resume 100", "resume INVITE", "200 CANCEL", "487 INVITE");
    assertThat(counters.waiting.sum()).isZero();
  }

  @Test
  void whatOnlyEndsAndIsHeldForTooLongIsForgotten() {
    begin(CallLimits.DEFAULT);
    done.clear();
    meshIsUp = false;
    offer(survivor(false), cancel());
    clock.advance(Duration.ofSeconds(11));
    assertThat(done).as("not answered: the next one of it is held anew").containsExactly("forget");
    assertThat(counters.heldInVain.sum()).isEqualTo(1);
    assertThat(counters.waiting.sum()).isZero();
  }

  @Test
  void anInviteOfACallThatAnotherHasIsNotRefusedWhereItIsHeldForTooLong() {
    begin(CallLimits.DEFAULT);
    done.clear();
    meshIsUp = false;
    CallRuntime other = survivor(false);
    loop.execute(
        () ->
            other.offerOrRead(key, invite(), received(scene.invite), absent -> done.add("absent")));
    clock.advance(Duration.ofSeconds(11));
    assertThat(done).as("a refusal would end the call that its owner has").contains("forget");
    assertThat(done).doesNotContain("503 INVITE", "500 INVITE");
    assertThat(counters.heldInVain.sum()).isEqualTo(1);
  }

  @Test
  void noMoreIsHeldThanTheLimitAllows() {
    begin(CallLimits.DEFAULT);
    done.clear();
    meshIsUp = false;
    CallLimits one =
        new CallLimits(
            256,
            5,
            Duration.ofMillis(100),
            Duration.ofSeconds(2),
            1,
            Duration.ofSeconds(10),
            9,
            9,
            1);
    var roster = new Roster(OTHER);
    sees(roster, List.of(SELF, OTHER), List.of());
    CallRuntime other = runtime(OTHER, roster, one);
    offer(other, cancel());
    offer(other, cancel());
    assertThat(done).containsExactly("forget");
  }

  @Test
  void whatGoesInACircleIsDropped() {
    begin(CallLimits.DEFAULT);
    done.clear();
    SipRequest cancel = cancel();
    CallRuntime other = survivor(false);
    loop.execute(
        () ->
            other.offerOrRead(
                key,
                arrived(cancel),
                new Received(cancel, Scene.CALLER_FLOW, Mesh.MAX_HOPS),
                absent -> {}));
    clock.runReady();
    assertThat(meshed).isEmpty();
    assertThat(done).containsExactly("forget");
    assertThat(counters.inCircles.sum()).isEqualTo(1);
  }

  @Test
  void anOwnerOfWhomNothingWasHeardMayHaveJustCome() {
    begin(CallLimits.DEFAULT);
    done.clear();
    var roster = new Roster(OTHER);
    sees(roster, List.of(OTHER), List.of());
    CallRuntime other = runtime(OTHER, roster, CallLimits.DEFAULT);
    offer(other, cancel());
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).isEmpty();
    for (int looks = 0; looks < 3; looks++) {
      sees(roster, List.of(OTHER), List.of());
    }
    clock.advance(Duration.ofMillis(300));
    assertThat(done).contains("resume INVITE", "200 CANCEL");
  }

  /** The lease ends, as that of a process that is paused does. */
  private void pause() {
    lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    clock.advance(Duration.ofSeconds(10));
  }

  /** The heartbeats after that, until the others must have seen it. */
  private void wake() {
    for (int i = 0; i < 3; i++) {
      if (i > 0) {
        clock.advance(Duration.ofMillis(500));
      }
      lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    }
  }

  /** Begins the call on this node, which sees the other and whose lease ends in a pause. */
  private CallRuntime ownerWithLease() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    var roster = new Roster(SELF);
    sees(roster, List.of(SELF, OTHER), List.of());
    return begin(runtime(SELF, roster, CallLimits.DEFAULT));
  }

  /** One who takes this node for dead, with a lease of its own. */
  private CallRuntime survivorWithLease() {
    SendLease held = lease;
    lease = Alone.lease(loop);
    CallRuntime survivor = survivor(true);
    lease = held;
    return survivor;
  }

  @Test
  void aPausedOwnerWhoseCallWasTakenAndCancelledSendsNothingWhenItWakes() {
    CallRuntime owner = ownerWithLease();
    CallRuntime survivor = survivorWithLease();
    pause();
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    offer(survivor, cancel());
    done.clear();
    SipRequest invite = requests.getFirst();
    // What lay in its queues while it stood still, a timer and an answer of the callee.
    loop.execute(
        () -> {
          owner.offer(key, new Input.TimerFired(TimerId.of(TimerId.Kind.NO_ANSWER)));
          owner.offer(
              key,
              new Input.RequestFailed(invite.topVia().branch().orElseThrow(), Method.INVITE, true));
        });
    clock.runReady();
    assertThat(done).as("dropped without a word").containsOnly("forget", "forget all");
    wake();
    clock.runReady();
    assertThat(done).containsOnly("forget", "forget all");
    assertThat(owner.size()).isZero();
    assertThat(counters.letGo.sum()).isEqualTo(1);
  }

  @Test
  void whoWasToBeAnsweredForACallThatWasTakenFromAPausedOwnerMayAskAnew() {
    CallRuntime owner = ownerWithLease();
    CallRuntime survivor = survivorWithLease();
    fates.add(Fate.ANSWER_LATE);
    offer(owner, cancel());
    pause();
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    done.clear();
    forgotten.clear();
    loop.execute(late.remove());
    clock.runReady();
    assertThat(done).as("not answered here").containsOnly("forget", "forget all");
    assertThat(forgotten)
        .as("else what repeats it is absorbed")
        .contains(Scene.transaction(cancel()));
    assertThat(owner.size()).isZero();
  }

  @Test
  void whatEndsACallThatWasTakenFromAPausedOwnerIsGivenToWhoHasIt() {
    CallRuntime owner = ownerWithLease();
    CallRuntime survivor = survivorWithLease();
    pause();
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    done.clear();
    offer(owner, cancel());
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).as("not answered here").containsOnly("forget", "forget all");
    assertThat(meshed).containsExactly("CANCEL to " + OTHER + " hops 0");
  }

  @Test
  void aPausedOwnerGoesOnWithWhatIsStillItsOwn() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    CallRuntime owner = begin(CallLimits.DEFAULT);
    done.clear();
    pause();
    assertThat(mayCalleeBeSentTo()).isFalse();
    SipRequest invite = requests.getFirst();
    loop.execute(
        () ->
            owner.offer(
                key,
                new Input.RequestFailed(
                    invite.topVia().branch().orElseThrow(), Method.INVITE, true)));
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).isEmpty();
    wake();
    clock.runReady();
    assertThat(done).startsWith("408 INVITE");
    assertThat(counters.frozen.sum()).isEqualTo(1);
  }

  private boolean mayCalleeBeSentTo() {
    return permits.getFirst().maySend();
  }

  @Test
  @DisplayName("what was committed and not done before the pause is done after it")
  void whatWasCommittedInATermThatIsOverIsDoneOnceTheRecordWasReadAgain() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime owner = runtime(CallLimits.of(10, 5, Duration.ofSeconds(4)));
    loop.execute(() -> owner.begin(key, invite(), received(scene.invite)));
    clock.runReady();
    done.clear();
    // Its second sending is answered, but the lease of the first has ended.
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).isEmpty();
    wake();
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("100 INVITE", "INVITE", "apply 2");
  }

  @Test
  void theTimersOfWhatWasCommittedInATermThatIsOverRunOnceTheRecordWasReadAgain() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    CallRuntime owner = begin(CallLimits.of(10, 5, Duration.ofSeconds(4)));
    offer(owner, cancel());
    fates.add(Fate.LOSE_ANSWER);
    calleeAnswersItsEnd(owner);
    clock.advance(Duration.ofSeconds(5));
    wake();
    clock.runReady();
    assertThat(owner.call(key).orElseThrow().isTombstone()).isTrue();
    for (int i = 0; i < 50; i++) {
      clock.advance(Duration.ofSeconds(1));
      lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    }
    assertThat(owner.size()).as("its tombstone has an end").isZero();
  }

  @Test
  void soTheyDoWhereTheRecordCouldNotBeReadAtFirst() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    CallRuntime owner = begin(CallLimits.of(10, 5, Duration.ofSeconds(4)));
    offer(owner, cancel());
    fates.add(Fate.LOSE_ANSWER);
    calleeAnswersItsEnd(owner);
    unreadable = true;
    done.clear();
    clock.advance(Duration.ofSeconds(5));
    wake();
    clock.runReady();
    assertThat(owner.call(key).orElseThrow().isTombstone()).isTrue();
    assertThat(done).as("it may be another's by now").isEmpty();
    unreadable = false;
    for (int i = 0; i < 50; i++) {
      clock.advance(Duration.ofSeconds(1));
      lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    }
    assertThat(owner.size()).as("its tombstone has an end").isZero();
  }

  @Test
  void withoutALeaseARequestIsRefusedButWhatEndsGoesAhead() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    CallRuntime owner = begin(CallLimits.DEFAULT);
    answer(owner);
    clock.advance(Duration.ofSeconds(3));
    done.clear();
    scene.up();
    loop.execute(
        () -> {
          for (SipRequest each :
              List.of(
                  scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)),
                  scene.callerRequest(Method.BYE, 3, ""))) {
            owner.offerOrRead(key, arrived(each), received(each), absent -> {});
          }
        });
    clock.advance(Duration.ofSeconds(3));
    assertThat(done).containsExactly("200 BYE", "BYE", "500 INVITE");
    wake();
    clock.runReady();
    calleeAnswersItsEnd(owner);
    assertThat(seen.getLast()).endsWith("ENDED");
  }

  @Test
  void aReleasedCallIsFreeAndItsNodeTakesNoOther() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    done.clear();
    loop.execute(owner::release);
    clock.runReady();
    assertThat(owner.size()).isZero();
    assertThat(owner.ownsCalls()).isFalse();
    assertThat(done).containsOnly("forget", "forget all");
    assertThat(counters.released.sum()).isEqualTo(1);
    CallRuntime survivor = survivor(true);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    offer(owner, cancel());
    assertThat(meshed).as("what comes yet is not its own").isEmpty();
    assertThat(owner.size()).isZero();
  }

  @Test
  @DisplayName("an ACK that no commit has written down yet is, before the call is released")
  void whatOnlyThisNodeHasHeardIsWrittenDownBeforeTheCallIsReleased() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    answer(owner);
    clock.advance(Duration.ofMillis(20));
    acknowledge(owner);
    int before = commits.size();
    loop.execute(owner::release);
    clock.runReady();
    assertThat(commits).hasSize(before + 1);
    assertThat(owner.size()).isZero();
    var answers = new ArrayList<ReadAnswer<Call>>();
    memory.read(key, answers::add);
    clock.runReady();
    assertThat(answers.getFirst()).isInstanceOf(ReadAnswer.Found.class);
    Versioned<Call> left = ((ReadAnswer.Found<Call>) answers.getFirst()).current();
    assertThat(left.record().isQuiescent()).isTrue();
    assertThat(left.owner()).isEmpty();
  }

  @Test
  @DisplayName(
      "law 5: a quiet call leaves the memory, is counted still, and is read when it is due")
  void aQuietCallLivesInTheStoreOnly() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    answer(owner);
    acknowledge(owner);
    clock.advance(Duration.ofSeconds(40));
    assertThat(owner.size()).as("kept for a while").isEqualTo(1);
    clock.advance(Duration.ofSeconds(30));
    assertThat(owner.size()).isZero();
    assertThat(active.size()).isEqualTo(1);
    done.clear();
    scene.up();
    offer(owner, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
    assertThat(active.size()).isZero();
  }

  /** A call that is up, and in the store only. */
  private CallRuntime quiet() {
    CallRuntime runtime = up();
    clock.advance(Duration.ofSeconds(70));
    assertThat(runtime.size()).isZero();
    done.clear();
    return runtime;
  }

  @Test
  void theSilenceOfAQuietCallEndsItThoughItIsInNoMemory() {
    CallRuntime runtime = quiet();
    long revision = storedCall().media().revision();
    runtime.mediaHappened(new MediaEvent.MediaTimeout(key, revision - 1));
    clock.runReady();
    assertThat(done).as("it was of a session that is another by now").isEmpty();
    runtime.mediaHappened(new MediaEvent.MediaTimeout(key, revision));
    clock.runReady();
    assertThat(done).containsExactly("BYE", "BYE", "release");
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.MEDIA_TIMEOUT);
    assertThat(active.size()).isZero();
  }

  @Test
  void aQuietCallIsMovedFromALostNodeThoughItIsInNoMemory() {
    CallRuntime runtime = quiet();
    otherMediaNode = Optional.of(new NodeId("media-2"));
    runtime.mediaHappened(new MediaEvent.NodeLost(key, Scene.MEDIA_NODE));
    clock.runReady();
    assertThat(done).hasSize(3).startsWith("apply 4").endsWith("INVITE", "INVITE");
    assertThat(storedCall().media().node()).isEqualTo(otherMediaNode);
    assertThat(storedCall().media().former()).containsExactly(Scene.MEDIA_NODE);
  }

  /** Another node has the call, which this one has in memory as quiet. */
  private CallRuntime reinvitedAtAnother(SipRequest reinvite) {
    CallRuntime other = survivor(false);
    offer(other, reinvite);
    assertThat(requests).last().extracting(SipRequest::method).isEqualTo(Method.INVITE);
    assertThat(other.ownsCalls()).isTrue();
    done.clear();
    return other;
  }

  private SipRequest reinvite() {
    return scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000));
  }

  private void offerAck(CallRuntime runtime, long cSeq) {
    SipRequest ack = scene.callerRequest(Method.ACK, cSeq, "");
    loop.execute(
        () ->
            runtime.offerOrRead(
                key, new Input.AckArrived(ack), received(ack), absent -> done.add("absent")));
    clock.runReady();
  }

  private Input.ResponseArrived response(SipRequest request, int status) {
    return new Input.ResponseArrived(
        request.topVia().branch().orElseThrow(),
        Scene.answer(request, status, "peer", Scene.offer("192.0.2.20", 50000), b -> b),
        Destination.to(TransportProtocol.UDP, Scene.callee(0)),
        List.of());
  }

  @Test
  void whatAQuietCallHasNoUseForIsForWhoeverHasTakenItUpSince() {
    CallRuntime former = up();
    clock.advance(Duration.ofSeconds(5));
    SipRequest reinvite = reinvite();
    reinvitedAtAnother(reinvite);
    sees(rosterOfSelf, List.of(SELF, OTHER), List.of());
    assertThat(former.call(key).orElseThrow().isQuiescent()).as("as far as it knows").isTrue();
    offerAck(former, 2);
    assertThat(meshed).containsExactly("ACK to " + OTHER + " hops 0");
    assertThat(former.size()).as("it is in no memory but its owner's").isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"CANCEL", "200", "488"})
  void soAreTheCancelAndTheResponsesOfAReinvite(String what) {
    CallRuntime former = up();
    clock.advance(Duration.ofSeconds(5));
    SipRequest reinvite = reinvite();
    reinvitedAtAnother(reinvite);
    sees(rosterOfSelf, List.of(SELF, OTHER), List.of());
    if (what.equals("CANCEL")) {
      offer(former, Messages.cancel(reinvite));
      assertThat(done).as("it is not refused").containsExactly("forget");
    } else {
      Input.ResponseArrived said = response(requests.getLast(), Integer.parseInt(what));
      loop.execute(
          () ->
              former.offerStray(
                  key, said, received(said.response()), absent -> done.add("absent")));
      clock.runReady();
      assertThat(done).as("who is not told waits for an ACK").isEmpty();
    }
    assertThat(meshed).hasSize(1).first().asString().endsWith(" to " + OTHER + " hops 0");
  }

  @Test
  void whatAQuietCallHasNoUseForCostsOneLookAtItsRecord() {
    CallRuntime runtime = up();
    clock.advance(Duration.ofSeconds(5));
    reads = 0;
    offerAck(runtime, 2);
    assertThat(reads).isEqualTo(1);
    assertThat(done).isEmpty();
    offer(runtime, scene.callerRequest(Method.OPTIONS, 2, ""));
    clock.advance(Duration.ofMillis(100));
    unreadable = true;
    offerAck(runtime, 2);
    assertThat(counters.waiting.sum()).as("until the store says whose it is").isEqualTo(1);
    offer(runtime, scene.callerRequest(Method.OPTIONS, 3, ""));
    assertThat(done)
        .as("and keeps nobody else waiting")
        .containsExactly("200 OPTIONS", "200 OPTIONS");
    clock.advance(Duration.ofSeconds(1));
    unreadable = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(counters.waiting.sum()).isZero();
    clock.advance(Duration.ofSeconds(2));
    assertThat(storedCall().legs().orElseThrow().caller().dialog().remoteCSeq())
        .as("what was not written down yet is known on")
        .isEqualTo(3);
    clock.advance(Duration.ofMinutes(2));
    assertThat(runtime.size()).isZero();
  }

  @Test
  void aNodeThatLeavesWaitsForNoLookAtTheRecordOfAQuietCall() {
    CallRuntime runtime = up();
    clock.advance(Duration.ofSeconds(5));
    unreadable = true;
    SipRequest ack = scene.callerRequest(Method.ACK, 2, "");
    loop.execute(
        () -> {
          runtime.offerOrRead(key, new Input.AckArrived(ack), received(ack), absent -> {});
          runtime.release();
        });
    clock.runReady();
    assertThat(runtime.size()).isZero();
  }

  @Test
  void aQuietCallThatAnotherHasMovedIsMovedFromWhereItIsNow() {
    CallRuntime former = up();
    otherMediaNode = Optional.of(new NodeId("media-2"));
    CallRuntime other = survivor(false);
    other.mediaHappened(new MediaEvent.NodeLost(key, Scene.MEDIA_NODE));
    clock.runReady();
    for (SipRequest asked : List.copyOf(requests.subList(requests.size() - 2, requests.size()))) {
      loop.execute(() -> other.offer(key, response(asked, 200)));
      clock.runReady();
    }
    clock.advance(Duration.ofSeconds(3));
    assertThat(storedCall().isQuiescent()).isTrue();
    otherMediaNode = Optional.of(new NodeId("media-3"));
    former.mediaHappened(new MediaEvent.NodeLost(key, new NodeId("media-2")));
    clock.runReady();
    assertThat(storedCall().media().node()).isEqualTo(otherMediaNode);
  }

  @Test
  void aCallIsToldByItsNodeOfALostMediaNodeWhileItIsThatNodesOwn() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    answer(owner);
    assertThat(owner.ownedOn(Scene.MEDIA_NODE)).containsExactly(key);
    assertThat(owner.ownedOn(new NodeId("media-2"))).isEmpty();
    acknowledge(owner);
    clock.advance(Duration.ofSeconds(3));
    assertThat(owner.call(key)).isPresent();
    assertThat(owner.ownedOn(Scene.MEDIA_NODE)).as("its keeper tells it now").isEmpty();
  }

  @Test
  void aCallThatWasEndedElsewhereIsCountedNoMore() {
    CallRuntime owner = begin(CallLimits.DEFAULT);
    answer(owner);
    acknowledge(owner);
    clock.advance(Duration.ofSeconds(70));
    ActiveCalls ours = active;
    active = new ActiveCalls(10);
    CallRuntime other = survivor(false);
    scene.up();
    offer(other, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(active.size()).as("by who has ended it").isZero();
    assertThat(ours.size()).as("nobody has told us").isEqualTo(1);
    clock.advance(Duration.ofSeconds(70));
    assertThat(ours.size()).isZero();
    assertThat(owner.size()).isZero();
  }

  @Test
  void aCallThatWasSettledWhileARepeatWaitedLeavesTheMemoryToo() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    acknowledge(runtime);
    loop.execute(() -> runtime.offer(key, new Input.TimerFired(TimerId.of(TimerId.Kind.SETTLE))));
    answer(runtime);
    assertThat(runtime.ownsCalls()).isFalse();
    clock.advance(Duration.ofMinutes(2));
    assertThat(runtime.size()).isZero();
    assertThat(storedCall().isUp()).isTrue();
  }

  @Test
  void noMoreQuietCallsStayInMemoryThanTheLimitAllows() {
    var evicted = new ArrayList<CallKey>();
    var quiet = new QuietCalls(loop, 1, evicted::add, call -> {});
    CallKey other = CallKey.ofBytes(new byte[16]);
    quiet.settled(key);
    quiet.settled(other);
    assertThat(evicted).containsExactly(key);
  }

  @Test
  void ofMoreEndedCallsThanTheLimitAllowsTheOldestIsInTheStoreOnly() {
    CallRuntime runtime = up();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    calleeAnswersItsEnd(runtime);
    Versioned<Call> tombstone = new Versioned<>(1, new CommitId(1), storedCall());
    var ended = new EndedCalls(loop, 2);
    List<CallKey> keys = new ArrayList<>();
    for (byte i = 0; i < 3; i++) {
      keys.add(CallKey.ofBytes(Arrays.copyOf(new byte[] {i}, 16)));
    }
    Instant until = loop.now().plusSeconds(1);
    for (CallKey each : keys) {
      ended.put(each, FoldedCall.fold(each, tombstone, new CallCodec(), store), until);
    }
    assertThat(keys.stream().filter(ended::contains)).containsExactlyElementsOf(keys.subList(1, 3));
    assertThat(ended.size()).isEqualTo(2);
  }

  @Test
  void aNodeThatLeavesBeginsNoCall() {
    CallRuntime owner = runtime(CallLimits.DEFAULT);
    loop.execute(owner::release);
    begin(owner);
    assertThat(done).containsExactly("503 INVITE");
    assertThat(owner.size()).isZero();
  }

  @Test
  void withoutALeaseAnInviteOfACallThatAnotherHasIsHandedToItAndOneOfNoCallIsRefused() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    CallRuntime asleep = survivor(false);
    lease = Alone.lease(loop);

    begin(asleep);
    assertThat(done).as("no such call").containsExactly("503 INVITE");
    assertThat(asleep.size()).isZero();
    done.clear();

    begin(CallLimits.DEFAULT);
    done.clear();
    begin(asleep);
    assertThat(meshed).containsExactly("INVITE to " + SELF + " hops 0");
    assertThat(done).containsExactly("forget");
    assertThat(asleep.size()).isZero();
  }

  @Test
  void withoutALeaseAnInviteThatBeginsNothingGivesItsPlaceInTheClusterBack() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    CallRuntime asleep = runtime(CallLimits.DEFAULT);
    Input.InviteArrived leased =
        new Input.InviteArrived(
            Scene.transaction(scene.invite),
            scene.invite,
            Scene.CALLER_FLOW,
            Destination.over(Scene.CALLER_FLOW),
            List.of(List.of(Scene.target(0))),
            Optional.of(Scene.MEDIA_NODE),
            true);
    assertThat(active.tryTake(key)).isTrue();
    unreadable = true;
    loop.execute(() -> asleep.begin(key, leased, received(scene.invite)));
    clock.runReady();
    assertThat(done).containsExactly("give back", "503 INVITE");
    assertThat(active.size()).isZero();
  }

  @Test
  void whatComesToANodeThatIsGoneIsHandedToItsHeir() {
    var roster = new Roster(SELF);
    CallRuntime owner = begin(runtime(SELF, roster, CallLimits.DEFAULT));
    sees(roster, List.of(OTHER), List.of());
    loop.execute(owner::release);
    loop.execute(owner::gone);
    clock.runReady();
    done.clear();
    offer(owner, cancel());
    assertThat(meshed).containsExactly("CANCEL to " + OTHER + " hops 0");
    assertThat(done).containsExactly("forget");
  }

  @Test
  void aCommitThatIsUnderWayIsDoneBeforeItsCallIsReleased() {
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime owner = begin(CallLimits.DEFAULT);
    loop.execute(owner::release);
    clock.runReady();
    assertThat(owner.size()).isEqualTo(1);
    clock.advance(Duration.ofMillis(200));
    assertThat(owner.size()).isZero();
    assertThat(done).containsSubsequence("100 INVITE", "forget all");
  }

  @Test
  void isQuietWhenNoPeerIsWaitedForAnyMore() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    assertThat(runtime.isQuiet()).isFalse();
    loop.execute(() -> runtime.hangUpAll(Reason.SHUTDOWN));
    clock.runReady();
    assertThat(runtime.isQuiet()).as("the callee may yet ring, and has to be cancelled").isFalse();
    assertThat(seen).as("the end is not told yet").noneMatch(event -> event.endsWith("ENDED"));
    SipRequest invite = requests.getFirst();
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.RequestFailed(
                    invite.topVia().branch().orElseThrow(), Method.INVITE, true)));
    clock.runReady();
    assertThat(seen).anyMatch(event -> event.endsWith("ENDED"));
    assertThat(runtime.isQuiet()).isTrue();
  }

  @Test
  void whatTheMediaNodesFirstAnswerLeadsToStandsInTheFirstCommit() {
    begin(CallLimits.DEFAULT);
    assertThat(commits).hasSize(1);
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE", "apply 2");
    assertThat(stored().version()).isEqualTo(1);
  }

  @Test
  void aCallFromInviteToItsEndIsFourCommits() {
    endedAfterRingingFor(Duration.ofMillis(10));
    assertThat(commits).hasSize(4);
  }

  @Test
  void aCallThatRingsForLongerThanABeatIsFiveCommits() {
    endedAfterRingingFor(Duration.ofSeconds(2));
    assertThat(commits).hasSize(5);
  }

  private void endedAfterRingingFor(Duration ringing) {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(10));
    responds(runtime, requests.getFirst(), 180);
    clock.advance(ringing);
    answer(runtime);
    clock.advance(Duration.ofMillis(20));
    acknowledge(runtime);
    scene.up();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    responds(runtime, requests.getLast(), 200);
    clock.advance(Duration.ofMillis(50));
    assertThat(storedCall().isTombstone()).isTrue();
    assertThat(seen)
        .containsExactly("1 STARTED", "2 RINGING", "3 ANSWERED", "4 QUALITY", "5 ENDED");
  }

  @Test
  void ringingIsPassedOnAtOnceAndWrittenDownOnTheBeat() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(10));
    responds(runtime, requests.getFirst(), 180);
    assertThat(done).endsWith("180 INVITE");
    assertThat(commits).hasSize(1);
    assertThat(seen).containsExactly("1 STARTED");
    clock.advance(Duration.ofMillis(40));
    assertThat(commits).hasSize(2);
    assertThat(seen).containsExactly("1 STARTED", "2 RINGING");
    assertThat(stored().record()).isEqualTo(runtime.call(key).orElseThrow());
  }

  @Test
  void ringingIsToldOnceWhereTheCommitThatTellsItIsRefused() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(10));
    responds(runtime, requests.getFirst(), 180);
    fates.add(Fate.FULL);
    clock.advance(Duration.ofSeconds(2));
    assertThat(seen).containsExactly("1 STARTED", "dropped OUTBOX_FULL", "2 RINGING");
  }

  @Test
  void whoTakesACallOverHearsAgainThatItRings() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(10));
    responds(runtime, requests.getFirst(), 180);
    CallRuntime survivor = survivor(true);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    assertThat(resumed).as("the INVITE goes out again").hasSize(1);
    responds(survivor, requests.getFirst(), 180);
    assertThat(done).endsWith("180 INVITE");
    clock.advance(Duration.ofMillis(50));
    assertThat(seen).containsExactly("1 STARTED", "2 RINGING");
  }

  /** Its media node is yet to be told that its session is kept. */
  private CallRuntime begunBetweenBeats() {
    clock.advance(Duration.ofMillis(10));
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE");
    return runtime;
  }

  @Test
  void onTheBeatTheMediaNodeIsToldThatTheSessionIsKept() {
    begunBetweenBeats();
    clock.advance(Duration.ofMillis(40));
    assertThat(done).endsWith("INVITE", "apply 2");
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).as("once").endsWith("INVITE", "apply 2");
  }

  @Test
  void whatAnAnswerChangesOfTheSessionSaysThatItIsKeptToo() {
    answer(begunBetweenBeats());
    clock.advance(Duration.ofMillis(100));
    assertThat(done).contains("apply 3").doesNotContain("apply 2");
  }

  @Test
  void theMediaNodeIsNotToldThatASessionIsKeptAfterItsEnd() {
    CallRuntime runtime = begunBetweenBeats();
    offer(runtime, cancel());
    clock.advance(Duration.ofMillis(100));
    assertThat(done).contains("release").doesNotContain("apply 2");
  }

  @Test
  void aDefectOnTheBeatEndsItsCall() {
    CallRuntime runtime = begunBetweenBeats();
    responds(runtime, requests.getFirst(), 180);
    mediaFails = true;
    clock.advance(Duration.ofMillis(40));
    assertThat(seen).contains("defect");
    assertThat(done).contains("CANCEL");
  }

  @Test
  void aNodeThatLeavesBeforeTheBeatLeavesItToItsHeirToSayThatTheSessionIsKept() {
    CallRuntime runtime = begunBetweenBeats();
    loop.execute(runtime::release);
    clock.advance(Duration.ofMillis(100));
    assertThat(done).doesNotContain("apply 2");
    assertThat(takeOver(survivor(true), SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    assertThat(done).containsOnlyOnce("apply 2");
  }

  @Test
  void whoseLeaseHasEndedBeforeTheBeatSaysThatTheSessionIsKeptOnceItFindsItsCallAsItWas() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    clock.advance(Duration.ofMillis(20));
    wake();
    Duration acts = LeaseSettings.DEFAULT.lease().minus(LeaseSettings.DEFAULT.margin());
    clock.advance(acts.minusMillis(10));
    var roster = new Roster(SELF);
    sees(roster, List.of(SELF, OTHER), List.of());
    begin(runtime(SELF, roster, CallLimits.DEFAULT));
    assertThat(done).endsWith("INVITE");
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).doesNotContain("apply 2");
    wake();
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).containsOnlyOnce("apply 2");
  }

  @Test
  void aCallThatLastsIsSixCommitsAndTwoRecordsAreMadeOfOctetsMeanwhile() {
    CallRuntime runtime = up();
    assertThat(commits).as("up, and settled").hasSize(3);
    assertThat(folded).hasSize(1);
    assertThat(folded.getFirst().get()).isEqualTo(storedCall());
    assertThat(runtime.holds(key)).isTrue();
    assertThat(runtime.size()).isEqualTo(1);
    assertThat(runtime.call(key)).contains(storedCall());
    assertThat(active.size()).as("it is up").isEqualTo(1);
    assertThat(runtime.isQuiet()).as("its peers have not heard of an end").isFalse();
    reads = 0;
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(reads).as("it is in memory").isZero();
    responds(runtime, requests.getLast(), 200);
    clock.advance(Duration.ofMillis(50));
    assertThat(commits).hasSize(5);
  }

  @Test
  void quietCallsAreHungUpWithAllOthers() {
    CallRuntime runtime = up();
    loop.execute(() -> runtime.hangUpAll(Reason.SHUTDOWN));
    clock.runReady();
    assertThat(done).contains("BYE");
  }

  @Test
  void aQuietCallThatAnotherHadTakenUpBeforeItDiedIsTakenFromThere() {
    CallRuntime former = up();
    CallRuntime other = survivor(false);
    offer(other, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(other.ownsCalls()).isTrue();
    sees(rosterOfSelf, List.of(SELF), List.of(OTHER));
    assertThat(takeOver(former, OTHER)).isEqualTo(TakeOver.Outcome.TAKEN);
    assertThat(former.ownsCalls()).isTrue();
  }

  @Test
  void aMediaNodeThatIsSlowHoldsTheFirstCommitUpFor20Ms() {
    mediaIsSlow = true;
    begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(19));
    assertThat(commits).isEmpty();
    clock.advance(Duration.ofMillis(1));
    assertThat(commits).hasSize(1);
    assertThat(done).containsExactly("apply 1", "100 INVITE");
    mediaIsSlow = false;
    loop.execute(late.remove());
    clock.runReady();
    assertThat(commits).hasSize(2);
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE");
  }

  @Test
  void aCallForWhichNoMediaNodeHasRoomIsRefusedOnceThatStandsInTheRecord() {
    mediaRefuses = true;
    fates.add(Fate.ANSWER_LATE);
    begin(CallLimits.DEFAULT);
    assertThat(stored().version()).isEqualTo(1);
    assertThat(done).as("no other node was looked for yet").containsExactly("apply 1");
    loop.execute(late.remove());
    clock.runReady();
    assertThat(done).contains("503 INVITE").doesNotContain("INVITE");
    assertThat(storedCall().termination()).isPresent();
    assertThat(seen).contains("1 STARTED");
  }

  /** Begins a call for whose media node it waits while its lease ends. */
  private CallRuntime beginAndPause() {
    mediaIsSlow = true;
    CallRuntime owner = ownerWithLease();
    mediaIsSlow = false;
    lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    return owner;
  }

  /** Not even timers run, as in a process that was stopped. */
  private void standStill() {
    loop.pause();
    clock.advance(Duration.ofSeconds(10));
  }

  @Test
  void aCallThatWasBegunElsewhereInAPauseBeforeItsFirstCommitIsLeftThere() {
    CallRuntime owner = beginAndPause();
    SendLease held = lease;
    lease = Alone.lease(loop);
    begin(survivor(false));
    lease = held;
    done.clear();
    standStill();
    loop.resume();
    clock.runReady();
    assertThat(commits).as("that of who has it").hasSize(1);
    assertThat(done).containsExactly("forget");
    assertThat(meshed).containsExactly("INVITE to " + OTHER + " hops 0");
    assertThat(owner.size()).isZero();
  }

  @Test
  void aCallThatNobodyHasAfterAPauseBeforeItsFirstCommitIsBegunAnew() {
    beginAndPause();
    standStill();
    wake();
    assertThat(commits).isEmpty();
    done.clear();
    loop.resume();
    clock.runReady();
    assertThat(commits).hasSize(1);
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE", "apply 2");
  }

  @Test
  void aCommitThatNobodyWaitsForIsMadeOnTheNextBeat() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    clock.advance(Duration.ofMillis(20));
    acknowledge(runtime);
    int before = commits.size();
    clock.advance(Duration.ofMillis(29));
    assertThat(commits).as("not by itself").hasSize(before);
    clock.advance(Duration.ofMillis(1));
    assertThat(commits).hasSize(before + 1);
    assertThat(storedCall().isQuiescent()).isTrue();
  }

  @Test
  void whatComesBeforeTheBeatIsNotKeptWaiting() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    clock.advance(Duration.ofMillis(20));
    acknowledge(runtime);
    clock.advance(Duration.ofMillis(10));
    int before = commits.size();
    done.clear();
    scene.up();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(commits).as("which settles it by itself").hasSize(before + 1);
    assertThat(done).startsWith("200 BYE");
  }

  @Test
  void aCallIsSettledAfterWhatCameBeforeTheBeatAndChangedNothing() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    clock.advance(Duration.ofMillis(20));
    acknowledge(runtime);
    clock.advance(Duration.ofMillis(10));
    int before = commits.size();
    acknowledge(runtime);
    assertThat(commits).hasSize(before);
    clock.advance(Duration.ofMillis(20));
    assertThat(commits).hasSize(before + 1);
    assertThat(storedCall().isQuiescent()).isTrue();
  }

  @Test
  void anUnknownOutcomeIsTheSameCommitSentAgain() {
    fates.add(Fate.LOSE_ANSWER);
    begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(100));
    assertThat(commits.get(1)).isEqualTo(commits.get(0));
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE", "apply 2");
    assertThat(seen).as("told once").containsExactly("1 STARTED");
  }

  @Test
  void aStoreThatNeverAnswersGets503WithinHalfASecond() {
    away = true;
    begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(500));
    assertThat(done).containsExactly("apply 1", "503 INVITE");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE");
  }

  @Test
  @DisplayName("a call that was refused as nobody knew, and stands in the store, is ended there")
  void aCallThatWasRefusedAndStandsIsEnded() {
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofSeconds(30));
    assertThat(done).containsExactly("apply 1", "503 INVITE");
    assertThat(memory.size()).isEqualTo(1);
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done)
        .as("nobody is called")
        .containsExactly("apply 1", "503 INVITE", "503 INVITE", "release");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE", "1 STARTED", "2 ENDED");
    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
    assertThat(memory.size()).isZero();
    assertThat(active.size()).isZero();
  }

  @Test
  void aCallWithoutOfferThatWasRefusedAndStandsIsEndedThoughItsInviteStandsInTheRecord() {
    scene.invite = Scene.invite("");
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofSeconds(30));
    assertThat(done).containsExactly("503 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).as("nobody is called").containsExactly("503 INVITE", "503 INVITE");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE", "1 STARTED", "2 ENDED");
    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
  }

  @Test
  void aCallToNobodyThatWasRefusedAndStandsGivesItsLeaseBack() {
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime runtime = runtime(CallLimits.DEFAULT);
    Input.InviteArrived first = invite();
    var leased =
        new Input.InviteArrived(
            first.transaction(),
            first.invite(),
            first.flow(),
            first.hop(),
            List.of(),
            first.mediaNode(),
            true);
    loop.execute(() -> runtime.begin(key, leased, received(scene.invite)));
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("503 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).as("nothing else is said").containsExactly("503 INVITE", "give back");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE", "1 STARTED", "2 ENDED");
    clock.advance(Duration.ofMinutes(1));
    assertThat(runtime.size()).isZero();
    assertThat(memory.size()).isZero();
  }

  /** The callee answers our BYE and CANCEL. */
  private void calleeAnswersItsEnd(CallRuntime runtime) {
    loop.execute(
        () -> {
          for (SipRequest each : List.copyOf(requests)) {
            int status = each.method().equals(Method.INVITE) ? 487 : 200;
            runtime.offer(
                key,
                new Input.ResponseArrived(
                    each.topVia().branch().orElseThrow(),
                    Scene.answer(each, status, "bob", "", b -> b),
                    Destination.to(TransportProtocol.UDP, Scene.callee(0)),
                    List.of()));
          }
        });
    clock.runReady();
  }

  /** The call as the store has it: a quiet one leaves the memory. */
  private Call storedCall() {
    var answers = new ArrayList<ReadAnswer<Call>>();
    memory.read(key, answers::add);
    clock.runReady();
    return ((ReadAnswer.Found<Call>) answers.getFirst()).current().record();
  }

  /** A call that is up and quiet, of which the scene has the caller's part. */
  private CallRuntime up() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    acknowledge(runtime);
    clock.advance(Duration.ofSeconds(3));
    assertThat(runtime.call(key).orElseThrow().isQuiescent()).isTrue();
    scene.up();
    done.clear();
    seen.clear();
    return runtime;
  }

  @Test
  void whileTheStoreIsAwayAByeIsAnsweredAndPassedOnAtOnceAndCommittedOnItsReturn() {
    CallRuntime runtime = up();
    away = true;
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).containsExactly("200 BYE", "BYE");
    clock.advance(Duration.ofSeconds(30));
    assertThat(done).as("once").containsExactly("200 BYE", "BYE");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    calleeAnswersItsEnd(runtime);
    assertThat(done).containsExactly("200 BYE", "BYE", "release", "ACK of 487");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE", "3 QUALITY", "4 ENDED");
  }

  /** Somebody else commits to the call as it stands, and leaves it quiet. */
  private void goOnElsewhere() {
    Versioned<Call> before = stored();
    Call quiet = before.record();
    memory.commit(
        new CallCommit<>(
            key,
            Optional.of(before),
            new CommitId(9_999),
            Optional.of(quiet),
            List.of(),
            CallPlaces.index(quiet, OTHER),
            CallCommit.LAST_RESORT,
            OptionalLong.empty()),
        answer -> assertThat(answer).isInstanceOf(CommitAnswer.Applied.class));
    clock.runReady();
  }

  @Test
  void anEndThatAFailOverHasLostIsMadeAnewWhereAnotherHasGoneOnWithTheCall() {
    CallRuntime runtime = up();
    Runnable failOver = memory.checkpoint();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).startsWith("200 BYE", "BYE");
    failOver.run();
    done.clear();
    goOnElsewhere();
    calleeAnswersItsEnd(runtime);
    clock.advance(Duration.ofSeconds(1));
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.NORMAL);
    assertThat(done).as("who may be up still").contains("BYE", "BYE");
    calleeAnswersItsEnd(runtime);
    clock.advance(Duration.ofSeconds(1));
    assertThat(seen).as("its end is told once").containsExactly("3 QUALITY", "4 ENDED");
  }

  /** Who acknowledges an answer has not heard that it was refused. */
  @Test
  void aCallThatAnotherHasAnsweredIsNotEndedByWhoRefusedItBeforeAFailOver() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    Runnable failOver = memory.checkpoint();
    offer(runtime, cancel());
    failOver.run();
    CallRuntime survivor = survivor(true);
    assertThat(takeOver(survivor, SELF)).isEqualTo(TakeOver.Outcome.TAKEN);
    answer(survivor);
    acknowledge(survivor);
    clock.advance(Duration.ofSeconds(3));
    assertThat(stored().owner()).isEmpty();
    done.clear();
    calleeAnswersItsEnd(runtime);
    clock.advance(Duration.ofSeconds(1));
    assertThat(runtime.size()).as("it is that node's no more").isZero();
    assertThat(storedCall().isQuiescent()).isTrue();
    assertThat(done).doesNotContain("BYE");
  }

  @Test
  void aCallWithWhichAnotherHasGoneOnIsNotEndedByWhoHadItOpen() {
    CallRuntime runtime = up();
    Runnable failOver = memory.checkpoint();
    offer(runtime, reinvite());
    failOver.run();
    goOnElsewhere();
    Input.ResponseArrived refused = response(requests.getLast(), 488);
    loop.execute(() -> runtime.offer(key, refused));
    clock.advance(Duration.ofSeconds(1));
    assertThat(storedCall().isQuiescent()).isTrue();
    assertThat(done).doesNotContain("BYE");
  }

  @Test
  void aCallThatHasEndedIsKeptAsOctetsAndAnswersRepeatsWithoutTheStore() {
    CallRuntime runtime = up();
    SipRequest bye = scene.callerRequest(Method.BYE, 2, "");
    folded.clear();
    offer(runtime, bye);
    assertThat(folded).as("its end is not told yet").isEmpty();
    calleeAnswersItsEnd(runtime);
    assertThat(folded).hasSize(1);
    assertThat(folded.getFirst().get()).isEqualTo(storedCall());
    assertThat(runtime.call(key)).contains(storedCall());
    assertThat(active.size()).isZero();
    unreadable = true;
    done.clear();
    commits.clear();
    clock.advance(Duration.ofSeconds(20));
    offer(runtime, bye);
    loop.execute(() -> runtime.begin(key, invite(), received(scene.invite)));
    clock.runReady();
    assertThat(done).startsWith("200 BYE").doesNotContain("absent", "apply 1", "INVITE");
    assertThat(commits).as("repeats change nothing").isEmpty();
    assertThat(folded).as("and it is put away again").hasSizeGreaterThan(1);
    clock.advance(Duration.ofSeconds(21));
    assertThat(runtime.holds(key)).isTrue();
    clock.advance(Duration.ofSeconds(2));
    assertThat(runtime.holds(key)).isFalse();
    assertThat(runtime.size()).isZero();
    assertThat(seen).doesNotContain("defect");
  }

  @Test
  void aCallThatHasEndedIsNotTakenOverAndGoesWithItsNode() {
    CallRuntime runtime = up();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    calleeAnswersItsEnd(runtime);
    assertThat(takeOver(runtime, OTHER)).isEqualTo(TakeOver.Outcome.NOT_ITS);
    assertThat(runtime.holds(key)).isTrue();
    runtime.release();
    assertThat(runtime.size()).isZero();
  }

  /** A survivor of the node that has done a BYE ahead of its commit, and has died before it. */
  private CallRuntime survivorOfAByeThatWasLost() {
    CallRuntime runtime = up();
    away = true;
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).containsExactly("200 BYE", "BYE");
    done.clear();
    var roster = new Roster(OTHER);
    sees(roster, List.of(OTHER), List.of(SELF));
    return runtime(OTHER, roster, CallLimits.DEFAULT, memory);
  }

  @Test
  void aByeThatWasDoneAheadAndLostWithItsNodeIsDoneWhenThePhoneRepeatsIt() {
    CallRuntime survivor = survivorOfAByeThatWasLost();
    offer(survivor, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).as("whoever has answered the first does so again").contains("200 BYE", "BYE");
    calleeAnswersItsEnd(survivor);
    assertThat(seen).last().asString().endsWith(" ENDED");
  }

  @Test
  void aByeThatWasDoneAheadAndLostWithItsNodeEndsTheCallWhenItsMediaIsSilent() {
    CallRuntime survivor = survivorOfAByeThatWasLost();
    var silent =
        new Input.MediaHappened(
            new MediaEvent.MediaTimeout(key, scene.call.orElseThrow().media().revision()));
    loop.execute(
        () ->
            survivor.offerOrRead(
                key, silent, received(scene.invite), absent -> done.add("absent")));
    clock.runReady();
    assertThat(done).as("both phones know of no such call").containsSubsequence("BYE", "BYE");
    calleeAnswersItsEnd(survivor);
    assertThat(seen).last().asString().endsWith(" ENDED");
  }

  @Test
  void whileTheStoreIsAwayAByeOfACallInNoMemoryIsHeldAndDoneOnItsReturn() {
    CallRuntime runtime = quiet();
    unreadable = true;
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    clock.advance(Duration.ofSeconds(8));
    assertThat(done).as("neither answered nor dropped").isEmpty();
    unreadable = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
    assertThat(counters.waiting.sum()).isZero();
  }

  @Test
  void whileTheStoreStaysAwayWhatMayBeAskedAgainIsRefusedAndAByeIsLeftToItsRepeats() {
    CallRuntime runtime = quiet();
    unreadable = true;
    offer(runtime, scene.callerRequest(Method.INFO, 2, ""));
    SipRequest bye = scene.callerRequest(Method.BYE, 3, "");
    offer(runtime, bye);
    clock.advance(Duration.ofSeconds(11));
    assertThat(done).containsExactlyInAnyOrder("503 INFO", "forget");
    offer(runtime, bye);
    unreadable = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).endsWith("200 BYE", "BYE", "release");
  }

  @Test
  void whileTheStoreIsAwayACancelIsAnsweredAndPassedOnAtOnce() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    SipRequest invite = requests.getFirst();
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.ResponseArrived(
                    invite.topVia().branch().orElseThrow(),
                    Scene.answer(invite, 180, "bob", "", b -> b),
                    Destination.to(TransportProtocol.UDP, Scene.callee(0)),
                    List.of())));
    clock.runReady();
    done.clear();
    away = true;
    offer(runtime, cancel());
    assertThat(done).containsExactly("200 CANCEL", "487 INVITE", "CANCEL");
    clock.advance(Duration.ofSeconds(20));
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("200 CANCEL", "487 INVITE", "CANCEL", "release");
    calleeAnswersItsEnd(runtime);
    assertThat(seen.getLast()).endsWith("ENDED");
  }

  @Test
  void aCancelThatWentAheadOfAnAnswerThatCouldNotBeCommittedEndsTheCall() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    answer(runtime);
    offer(runtime, cancel());
    done.clear();
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).containsExactly("200 CANCEL", "487 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(done).containsSubsequence("ACK", "BYE");
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.CANCELLED);
    calleeAnswersItsEnd(runtime);
    done.clear();
    clock.advance(Duration.ofSeconds(10));
    assertThat(done).as("the answer is not repeated").isEmpty();
    assertThat(seen.getLast()).endsWith("ENDED");
  }

  @Test
  void soItDoesWhereTheOutboxHasNoRoomForTheAnswerThen() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    answer(runtime);
    offer(runtime, cancel());
    done.clear();
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("200 CANCEL", "487 INVITE");
    fates.add(Fate.FULL);
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(done).as("the caller does not hear two answers").doesNotContain("200 INVITE");
    calleeAnswersItsEnd(runtime);
    assertThat(seen.getLast()).endsWith("ENDED");
    assertThat(seen).noneMatch(each -> each.endsWith("ANSWERED"));
  }

  /**
   * A CANCEL is done ahead by a node that cannot reach the store, while another that can takes the
   * call over, and answers it. The mesh between them is cut for longer than anything else is held.
   *
   * @return the other
   */
  private CallRuntime cancelledWhereItWasTakenFrom(boolean somethingIsUnderWay) {
    var known = new Roster(SELF);
    sees(known, List.of(SELF, OTHER), List.of());
    CallRuntime runtime = begin(runtime(SELF, known, CallLimits.DEFAULT));
    away = true;
    if (somethingIsUnderWay) {
      answer(runtime);
      clock.advance(Duration.ofSeconds(1));
    }
    done.clear();
    offer(runtime, cancel());
    assertThat(done).containsSubsequence("200 CANCEL", "487 INVITE");
    var roster = new Roster(OTHER);
    sees(roster, List.of(OTHER), List.of(SELF));
    CallRuntime survivor = runtime(OTHER, roster, CallLimits.DEFAULT, memory);
    takeOver(survivor, SELF);
    done.clear();
    answer(survivor);
    assertThat(done).contains("200 INVITE");
    meshIsUp = false;
    away = false;
    clock.advance(Duration.ofSeconds(20));
    meshIsUp = true;
    meshed.clear();
    clock.advance(Duration.ofSeconds(1));
    return survivor;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aCancelThatWentAheadIsToldToWhoHasTakenTheCallOver(boolean somethingIsUnderWay) {
    CallRuntime survivor = cancelledWhereItWasTakenFrom(somethingIsUnderWay);
    assertThat(meshed)
        .as("the CANCEL, which may be too late, and what the caller was told")
        .containsExactlyInAnyOrder(
            "CANCEL to " + OTHER + " hops 0", "INVITE to " + OTHER + " hops 0");
    SipResponse told = (SipResponse) Objects.requireNonNull(toldByMesh);
    assertThat(told.status()).isEqualTo(487);
    done.clear();
    loop.execute(
        () ->
            survivor.offerOrRead(key, new Input.RefusedAhead(told), received(told), absent -> {}));
    clock.runReady();
    assertThat(done).as("the callee is not left alone").containsSubsequence("ACK", "BYE");
  }

  @Test
  @DisplayName("who has taken the call over would answer a caller that has been told 487")
  void aCancelThatWentAheadIsToldBeforeTheAnswerThatWasUnderWay() {
    var known = new Roster(SELF);
    sees(known, List.of(SELF, OTHER), List.of());
    CallRuntime runtime = begin(runtime(SELF, known, CallLimits.DEFAULT));
    away = true;
    Input.ResponseArrived answer = answerTo(runtime);
    loop.execute(() -> runtime.offerOrRead(key, answer, received(answer.response()), absent -> {}));
    clock.advance(Duration.ofSeconds(1));
    offer(runtime, cancel());
    assertThat(done).endsWith("200 CANCEL", "487 INVITE");
    var roster = new Roster(OTHER);
    sees(roster, List.of(OTHER), List.of(SELF));
    takeOver(runtime(OTHER, roster, CallLimits.DEFAULT, memory), SELF);
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(meshed)
        .as("the CANCEL, what the caller was told, and the answer")
        .containsExactly(
            "CANCEL to " + OTHER + " hops 0",
            "INVITE to " + OTHER + " hops 0",
            "INVITE to " + OTHER + " hops 0");
    assertThat(toldByMesh).isEqualTo(answer.response());
  }

  @Test
  @DisplayName("whoever gets a call next cannot know that its caller has been told 487")
  void aCancelThatWentAheadIsWrittenDownBeforeItsCallIsReleased() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    answer(runtime);
    offer(runtime, cancel());
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).endsWith("200 CANCEL", "487 INVITE");
    loop.execute(runtime::release);
    clock.advance(Duration.ofSeconds(1));
    assertThat(runtime.ownsCalls()).as("its commit is under way").isTrue();
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(runtime.size()).isZero();
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.CANCELLED);
    assertThat(storedCall().caller().state()).isEqualTo(IncomingInvite.State.REJECTED);
  }

  @Test
  void soItIsWhereTheLeaseHasEndedWhileTheStoreWasAway() {
    lease = new SendLease(LeaseSettings.DEFAULT);
    wake();
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    answer(runtime);
    offer(runtime, cancel());
    clock.advance(Duration.ofSeconds(10));
    assertThat(done).endsWith("200 CANCEL", "487 INVITE");
    done.clear();
    loop.execute(runtime::release);
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(runtime.size()).isZero();
    assertThat(done).as("another may have it by now").doesNotContain("200 INVITE", "ACK", "BYE");
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.CANCELLED);
    assertThat(storedCall().caller().state()).isEqualTo(IncomingInvite.State.REJECTED);
  }

  @Test
  void aCallThatWasRefusedAndStandsIsEndedBeforeItIsReleased() {
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("apply 1", "503 INVITE");
    loop.execute(runtime::release);
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(runtime.size()).isZero();
    assertThat(storedCall().termination().orElseThrow().reason())
        .isEqualTo(Reason.STORE_UNAVAILABLE);
  }

  @Test
  void aCancelThatWentAheadAwaitsNoOutboxThatIsFullWhenItsCallIsReleased() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    answer(runtime);
    offer(runtime, cancel());
    clock.advance(Duration.ofSeconds(1));
    loop.execute(runtime::release);
    clock.runReady();
    fates.addAll(List.of(Fate.APPLY, Fate.FULL));
    clock.advance(Duration.ofSeconds(2));
    assertThat(runtime.size()).isZero();
    assertThat(fates).isEmpty();
  }

  @Test
  void aCancelThatWentAheadIsCommittedBeforeTheAnswerThatWaits() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    SipRequest invite = requests.getFirst();
    // Its commit has no answer, and what comes after waits for that.
    loop.execute(() -> runtime.offer(key, response(invite, 183, Scene.offer("192.0.2.20", 50000))));
    clock.runReady();
    answer(runtime);
    done.clear();
    offer(runtime, cancel());
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).containsExactly("200 CANCEL", "487 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(done).containsSubsequence("CANCEL", "ACK", "BYE");
    assertThat(storedCall().legs()).as("it was never answered").isEmpty();
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.CANCELLED);
  }

  @Test
  void aCancelThatWentAheadOfTheAnswersCommitEndsTheCall() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    away = true;
    responds(runtime, requests.getFirst(), 180);
    answer(runtime);
    done.clear();
    offer(runtime, cancel());
    clock.advance(Duration.ofSeconds(5));
    assertThat(done).startsWith("200 CANCEL", "487 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(2));
    assertThat(done).containsSubsequence("ACK", "BYE").doesNotContain("200 INVITE");
    assertThat(storedCall().termination().orElseThrow().reason()).isEqualTo(Reason.CANCELLED);
  }

  @Test
  @DisplayName("a re-INVITE gets 500, and is as if it had never been where its commit stands")
  void aReinviteThatWasRefusedChangesNothing() {
    CallRuntime runtime = up();
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    offer(runtime, scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    clock.advance(Duration.ofMillis(500));
    assertThat(done.stream().filter(each -> !each.startsWith("apply")))
        .containsExactly("500 INVITE");
    // Whoever asks later is told at once, and whoever ends is served at once.
    offer(runtime, scene.callerRequest(Method.INFO, 3, ""));
    assertThat(done).endsWith("500 INFO");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).doesNotContain("INVITE", "BYE");
    clock.advance(Duration.ofMinutes(2));
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE");
    Call call = storedCall();
    assertThat(call.isUp()).isTrue();
    assertThat(call.isQuiescent()).isTrue();
    assertThat(done).doesNotContain("INVITE", "BYE");
  }

  @Test
  @DisplayName(
      "a re-INVITE that is open when the end is told is not repeated while that is written")
  void aReinviteThatIsOpenIsAbandonedBeforeTheEndIsCommitted() {
    CallRuntime runtime = up();
    offer(runtime, scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));
    clock.runReady();
    assertThat(requests).last().extracting(SipRequest::method).isEqualTo(Method.INVITE);
    offer(runtime, scene.callerRequest(Method.BYE, 3, ""));
    assertThat(requests).last().extracting(SipRequest::method).isEqualTo(Method.BYE);
    assertThat(done).doesNotContain("abandon INVITE");
    SipRequest bye = requests.getLast();
    fates.add(Fate.LOSE_ANSWER);
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.ResponseArrived(
                    bye.topVia().branch().orElseThrow(),
                    Scene.answer(bye, 200, "bob", "", b -> b),
                    Destination.to(TransportProtocol.UDP, Scene.callee(0)),
                    List.of())));
    clock.runReady();
    assertThat(storedCall().isTombstone()).isTrue();
    assertThat(seen).as("nobody has heard that it stands").isEmpty();
    assertThat(done).endsWith("abandon INVITE");
  }

  @Test
  void aRequestWithinTheDialogThatWasRefusedIsNotPassedOn() {
    CallRuntime runtime = up();
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    offer(runtime, scene.callerRequest(Method.INFO, 2, ""));
    clock.advance(Duration.ofMillis(500));
    assertThat(done).containsExactly("500 INFO");
    away = false;
    clock.advance(Duration.ofMinutes(2));
    assertThat(storedCall().isQuiescent()).isTrue();
    assertThat(done).doesNotContain("INFO", "BYE");
  }

  @Test
  void whileTheStoreIsAwayAnAnswerIsNotPassedOnAndGoesThroughOnItsReturn() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    done.clear();
    away = true;
    answer(runtime);
    clock.advance(Duration.ofSeconds(20));
    assertThat(done).doesNotContain("200 INVITE");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).contains("200 INVITE");
    assertThat(runtime.call(key).orElseThrow().isUp()).isTrue();
  }

  @Test
  @DisplayName("a BYE that goes ahead takes no branch that a decision under way has taken")
  void aByeThatGoesAheadOfADiscardedForkIsNotTakenForItsBye() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    scene.up();
    SipRequest invite = requests.getFirst();
    away = true;
    fates.add(Fate.LOSE_ANSWER);
    // Another phone behind the same proxy has answered, too: it is to get ACK and BYE.
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.ResponseArrived(
                    invite.topVia().branch().orElseThrow(),
                    Scene.answer(invite, 200, "other", Scene.offer("192.0.2.21", 50000), b -> b),
                    Destination.to(TransportProtocol.UDP, Scene.callee(0)),
                    List.of())));
    clock.advance(Duration.ofSeconds(2));
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).endsWith("200 BYE", "BYE");
    away = false;
    clock.advance(Duration.ofSeconds(2));
    Map<Branch, Set<Optional<Tag>>> dialogs = new LinkedHashMap<>();
    for (SipRequest each : requests) {
      if (each.method().equals(Method.BYE)) {
        dialogs
            .computeIfAbsent(each.topVia().branch().orElseThrow(), b -> new LinkedHashSet<>())
            .add(each.toTag());
      }
    }
    assertThat(dialogs.values()).allSatisfy(tags -> assertThat(tags).hasSize(1));
    assertThat(dialogs.values().stream().flatMap(Set::stream).distinct()).hasSize(2);
  }

  @Test
  void aByeThatComesWhileAnotherCommitIsUnknownIsNotKeptWaiting() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    acknowledge(runtime);
    scene.up();
    away = true;
    // The commit that writes the ACK down finds the store away.
    clock.advance(Duration.ofSeconds(4));
    done.clear();
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    assertThat(done).containsExactly("200 BYE", "BYE");
    away = false;
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).endsWith("release");
    calleeAnswersItsEnd(runtime);
    assertThat(seen.getLast()).endsWith("ENDED");
  }

  @Test
  void aFullOutboxRefusesACallAndGivesBackWhatWasTakenForIt() {
    fates.add(Fate.FULL);
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofSeconds(1));
    assertThat(done).containsExactly("apply 1", "release", "503 INVITE");
    assertThat(seen).containsExactly("dropped OUTBOX_FULL");
    assertThat(commits).hasSize(1);
    assertThat(runtime.size()).isZero();
    assertThat(active.size()).isZero();
  }

  @Test
  void aConflictIsDecidedAgainOnTheRecordThatStands() {
    // Another node has set the call up, and died: this INVITE is found to be the same one.
    begin(survivor(false));
    done.clear();
    var roster = new Roster(SELF);
    sees(roster, List.of(SELF), List.of(OTHER));
    begin(runtime(SELF, roster, CallLimits.DEFAULT));
    assertThat(done).startsWith("apply 1", "resume 100", "resume INVITE", "apply 2");
    assertThat(seen).as("it has started once").containsExactly("1 STARTED");
  }

  @Test
  void inputsThatWaitForACommitAreBounded() {
    fates.add(Fate.LOSE);
    CallRuntime runtime = begin(CallLimits.of(2, 3, Duration.ofSeconds(1)));
    loop.execute(
        () -> {
          for (int i = 0; i < 5; i++) {
            runtime.offer(key, new Input.TimerFired(TimerId.of(TimerId.Kind.TOMBSTONE)));
          }
        });
    clock.runReady();
    assertThat(seen.stream().filter("dropped MAILBOX_FULL"::equals)).hasSize(3);
  }

  /** The callee of the call that {@code runtime} holds answers. */
  private void answer(CallRuntime runtime) {
    Input answer = answerTo(runtime);
    loop.execute(() -> runtime.offer(key, answer));
    clock.runReady();
  }

  private Input.ResponseArrived answerTo(CallRuntime runtime) {
    SipRequest sent = runtime.call(key).orElseThrow().callees().getFirst().invite();
    return response(sent, 200, Scene.offer("192.0.2.20", 50000));
  }

  private void responds(CallRuntime runtime, SipRequest sent, int status) {
    Input response = response(sent, status, "");
    loop.execute(() -> runtime.offer(key, response));
    clock.runReady();
  }

  private static Input.ResponseArrived response(SipRequest sent, int status, String sdp) {
    SipResponse response =
        Scene.answer(
            sent,
            status,
            "bob",
            sdp,
            b -> b.contact(NameAddr.of(SipUri.of("1008", Scene.callee(0)))));
    return new Input.ResponseArrived(
        sent.topVia().branch().orElseThrow(),
        response,
        Destination.to(TransportProtocol.UDP, Scene.callee(0)),
        List.of());
  }

  /** The caller acknowledges. */
  private void acknowledge(CallRuntime runtime) {
    Dialog dialog = runtime.call(key).orElseThrow().legs().orElseThrow().caller().dialog();
    SipRequest ack =
        SipRequest.builder(Method.ACK, dialog.contact().uri())
            .via(Via.of(TransportProtocol.UDP, Scene.CALLER, new Branch("z9hG4bK-ack")))
            .maxForwards(70)
            .from(dialog.remote())
            .to(dialog.local())
            .callId(dialog.callId())
            .cSeq(new CSeq(1, Method.ACK))
            .build();
    loop.execute(() -> runtime.offer(key, new Input.AckArrived(ack)));
    clock.runReady();
  }

  private List<Long> timesOf(String what, Duration until) {
    var times = new ArrayList<Long>();
    for (long ms = 0; ms <= until.toMillis(); ms += 100) {
      long now = ms;
      done.stream().filter(what::equals).forEach(each -> times.add(now));
      done.clear();
      clock.advance(Duration.ofMillis(100));
    }
    return times;
  }

  @Test
  @DisplayName("RFC 3261 13.3.1.4: a 2xx at T1, 2*T1 ... T2 until 64*T1, then BYE on both legs")
  void a2xxIsRepeatedUntilNoAckIsWaitedForAnyMore() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    assertThat(timesOf("200 INVITE", Duration.ofMillis(31_900)))
        .containsExactly(
            0L, 500L, 1_500L, 3_500L, 7_500L, 11_500L, 15_500L, 19_500L, 23_500L, 27_500L, 31_500L);
    assertThat(done.stream().filter(each -> !each.equals("release")))
        .containsExactly("BYE", "ACK", "BYE");
    done.clear();
    clock.advance(Duration.ofSeconds(20));
    assertThat(done).doesNotContain("200 INVITE");
  }

  @Test
  void a2xxIsNotRepeatedOnceItsAckHasCome() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    answer(runtime);
    clock.advance(Duration.ofMillis(600));
    done.clear();
    acknowledge(runtime);
    clock.advance(Duration.ofSeconds(40));
    assertThat(done).containsExactly("ACK");
  }

  @Test
  void anInputForACallOfAnotherNodeReadsItsRecord() {
    Call theirs = scene.up().call.orElseThrow();
    memory.commit(
        new CallCommit<>(key, Optional.empty(), new CommitId(99), Optional.of(theirs), List.of()),
        answer -> {});
    SipRequest bye = scene.callerRequest(Method.BYE, 2, "");
    CallRuntime runtime = runtime(CallLimits.DEFAULT);
    offer(runtime, bye);
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
  }

  /** The caller has hung up, right after that of another call. */
  private CallRuntime hungUpBesideAnother() {
    CallRuntime runtime = up();
    clock.advance(Duration.ofMillis(10));
    SipRequest bye = scene.callerRequest(Method.BYE, 9, "");
    loop.execute(
        () ->
            runtime.offerOrRead(
                CallKey.ofBytes(new byte[16]), arrived(bye), received(bye), absent -> {}));
    offer(runtime, scene.callerRequest(Method.BYE, 2, ""));
    return runtime;
  }

  @Test
  void aByeBesideThoseOfOtherCallsIsTakenUpOnTheBeat() {
    hungUpBesideAnother();
    assertThat(done).isEmpty();
    clock.advance(Duration.ofMillis(50));
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
  }

  @Test
  void whatComesForACallComesAfterItsByeThatWaits() {
    CallRuntime runtime = hungUpBesideAnother();
    offer(runtime, scene.callerRequest(Method.OPTIONS, 3, ""));
    assertThat(done).containsExactly("200 BYE", "BYE", "release", "481 OPTIONS");
  }

  @Test
  void aNodeThatLeavesTakesUpTheByeThatWaits() {
    CallRuntime runtime = hungUpBesideAnother();
    loop.execute(runtime::release);
    clock.runReady();
    assertThat(storedCall().termination()).isPresent();
  }

  @Test
  void aByeThatWaitsIsTakenUpBeforeAllIsHungUp() {
    CallRuntime runtime = hungUpBesideAnother();
    loop.execute(() -> runtime.hangUpAll(Reason.SHUTDOWN));
    clock.runReady();
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
    assertThat(storedCall().termination().orElseThrow().reason()).isNotEqualTo(Reason.SHUTDOWN);
  }

  @Test
  void anInputForNoCallIsGivenBack() {
    CallRuntime runtime = runtime(CallLimits.DEFAULT);
    loop.execute(
        () ->
            runtime.offerOrRead(
                key,
                new Input.AckArrived(scene.invite),
                received(scene.invite),
                absent -> done.add("absent")));
    clock.runReady();
    assertThat(done).containsExactly("absent");
    assertThat(runtime.size()).isZero();
  }
}
