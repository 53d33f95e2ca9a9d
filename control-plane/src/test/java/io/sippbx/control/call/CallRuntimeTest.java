package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
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
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("commit, then act (law 2)")
class CallRuntimeTest {

  /** How the store treats a commit. */
  private enum Fate {
    APPLY,
    /** It is applied, and the answer is lost. */
    LOSE_ANSWER,
    /** It is lost. */
    LOSE
  }

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final InMemoryCallStore<Call> memory = new InMemoryCallStore<>(new Loops(List.of(loop)));
  private final Deque<Fate> fates = new ArrayDeque<>();
  private final List<CommitId> commits = new ArrayList<>();
  private final List<String> done = new ArrayList<>();
  private final List<SipRequest> requests = new ArrayList<>();
  private final List<String> seen = new ArrayList<>();
  private final Scene scene = new Scene();
  private final CallKey key = scene.key();
  private long nextCommit;

  private final CallStore<Call> store =
      new CallStore<>() {
        @Override
        public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
          memory.read(call, answer);
        }

        @Override
        public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
          commits.add(commit.id());
          Fate fate = fates.isEmpty() ? Fate.APPLY : fates.remove();
          switch (fate) {
            case APPLY -> memory.commit(commit, answer);
            case LOSE_ANSWER ->
                memory.commit(commit, applied -> answer.accept(new CommitAnswer.Unknown<>("lost")));
            case LOSE -> loop.execute(() -> answer.accept(new CommitAnswer.Unknown<>("lost")));
          }
        }

        @Override
        public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
          memory.restore(restore, answer);
        }
      };

  private final CallEffects effects =
      new CallEffects() {
        @Override
        public void placeMedia(
            MediaNeed need, List<NodeId> except, Consumer<Optional<NodeId>> answer) {
          loop.execute(() -> answer.accept(Optional.empty()));
        }

        @Override
        public void respond(ServerTransactionId transaction, SipResponse response) {
          done.add(response.status() + " " + response.cSeq().method());
        }

        @Override
        public void request(SipRequest request, Destination to) {
          done.add(request.method().name());
          requests.add(request);
        }

        @Override
        public void resumeServer(
            ServerTransactionId transaction, Flow flow, Optional<SipResponse> lastResponse) {
          done.add("resume " + lastResponse.map(SipResponse::status).orElse(0));
        }

        @Override
        public void resumeClient(SipRequest request, Destination to, Duration remaining) {
          done.add("resume " + request.method().name());
        }

        @Override
        public void ack(SipRequest ack, Destination to) {
          done.add("ACK");
        }

        @Override
        public void applyMedia(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
          done.add("apply " + spec.revision());
          var addresses = new ArrayList<StreamAddresses>();
          for (StreamSpec stream : spec.streams()) {
            Endpoint relay = Endpoint.of("198.51.100.2", 10_000);
            addresses.add(new StreamAddresses(stream.index(), relay, relay, relay, relay));
          }
          loop.execute(
              () -> answer.accept(new MediaAnswer.Held(spec.revision(), addresses, List.of())));
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

  private final ActiveCalls active = new ActiveCalls(10);

  private CallRuntime runtime(CallLimits limits) {
    return new CallRuntime(
        loop,
        store,
        effects,
        new CallShared(
            new Member(new NodeId("edge-1"), new Incarnation(1)),
            new CallDecider(Scene.SETTINGS, (protocol, peer) -> Optional.of(Scene.EDGE)),
            new CallEventEncoder(new NodeId("edge-1")),
            observer,
            active,
            limits,
            TimerSettings.RFC_3261,
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

  private CallRuntime begin(CallLimits limits) {
    CallRuntime runtime = runtime(limits);
    loop.execute(() -> runtime.begin(key, invite()));
    clock.runReady();
    return runtime;
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
    CallRuntime survivor = runtime(CallLimits.DEFAULT);
    survivor.takeOver(key);
    survivor.takeOver(key);
    clock.runReady();
    assertThat(done).containsExactly("resume 100", "resume INVITE", "apply 2");
    assertThat(survivor.holds(key)).isTrue();
    assertThat(active.size()).isEqualTo(1);
  }

  @Test
  void whatComesForACallInFlightElsewhereComesAfterItIsTakenOver() {
    begin(CallLimits.DEFAULT);
    done.clear();
    CallRuntime survivor = runtime(CallLimits.DEFAULT);
    var absent = new ArrayList<Input>();
    loop.execute(() -> survivor.offerOrRead(key, invite(), absent::add));
    clock.runReady();
    assertThat(done).startsWith("resume 100", "resume INVITE", "apply 2");
    assertThat(absent).isEmpty();
    assertThat(seen).as("it has started once").containsExactly("1 STARTED");
  }

  @Test
  void aCallThatIsNotThereIsNotTakenOver() {
    CallRuntime survivor = runtime(CallLimits.DEFAULT);
    survivor.takeOver(key);
    clock.runReady();
    assertThat(survivor.size()).isZero();
    assertThat(done).isEmpty();
  }

  @Test
  void isQuietWhenNoPeerIsWaitedForAnyMore() {
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    assertThat(runtime.isQuiet()).isFalse();
    loop.execute(() -> runtime.hangUpAll(Reason.SHUTDOWN));
    clock.runReady();
    assertThat(seen).as("the end is told").anyMatch(event -> event.endsWith("ENDED"));
    assertThat(runtime.isQuiet()).as("the callee may yet ring, and has to be cancelled").isFalse();
    SipRequest invite = requests.getFirst();
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.RequestFailed(
                    invite.topVia().branch().orElseThrow(), Method.INVITE, true)));
    clock.runReady();
    assertThat(runtime.isQuiet()).isTrue();
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
    for (int i = 0; i < CallLimits.DEFAULT.commitAttempts(); i++) {
      fates.add(Fate.LOSE);
    }
    CallRuntime runtime = begin(CallLimits.DEFAULT);
    clock.advance(Duration.ofMillis(500));
    assertThat(done).containsExactly("apply 1", "503 INVITE");
    assertThat(seen).containsExactly("dropped STORE_UNAVAILABLE");
    assertThat(runtime.size()).isZero();
    assertThat(active.size()).isZero();
  }

  @Test
  void aConflictIsDecidedAgainOnTheRecordThatStands() {
    // Another node has set the call up already: this INVITE is found to be the same one.
    Call theirs = scene.begin().call.orElseThrow();
    memory.commit(
        new CallCommit<>(key, Optional.empty(), new CommitId(99), Optional.of(theirs), List.of()),
        answer -> {});
    begin(CallLimits.DEFAULT);
    assertThat(done).containsExactly("apply 1", "100 INVITE", "INVITE", "apply 2");
    assertThat(seen).as("it has started once").isEmpty();
  }

  @Test
  void inputsThatWaitForACommitAreBounded() {
    fates.add(Fate.LOSE);
    CallRuntime runtime = begin(new CallLimits(2, 3, Duration.ofSeconds(1)));
    loop.execute(
        () -> {
          for (int i = 0; i < 5; i++) {
            runtime.offer(key, new Input.TimerFired(TimerId.of(TimerId.Kind.TOMBSTONE)));
          }
        });
    clock.runReady();
    // The answer of the media node waits too.
    assertThat(seen.stream().filter("dropped MAILBOX_FULL"::equals)).hasSize(4);
  }

  /** The callee of the call that {@code runtime} holds answers. */
  private void answer(CallRuntime runtime) {
    SipRequest sent = runtime.call(key).orElseThrow().callees().getFirst().invite();
    SipResponse ok =
        Scene.answer(
            sent,
            200,
            "bob",
            Scene.offer("192.0.2.20", 50000),
            b -> b.contact(NameAddr.of(SipUri.of("1008", Scene.callee(0)))));
    loop.execute(
        () ->
            runtime.offer(
                key,
                new Input.ResponseArrived(
                    sent.topVia().branch().orElseThrow(),
                    ok,
                    Destination.to(TransportProtocol.UDP, Scene.callee(0)),
                    List.of())));
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
    done.clear();
    loop.execute(() -> runtime.offer(key, new Input.AckArrived(ack)));
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
    loop.execute(
        () ->
            runtime.offerOrRead(
                key,
                new Input.RequestArrived(
                    Scene.transaction(bye),
                    bye,
                    Scene.CALLER_FLOW,
                    Destination.over(Scene.CALLER_FLOW)),
                absent -> done.add("absent")));
    clock.runReady();
    assertThat(done).containsExactly("200 BYE", "BYE", "release");
  }

  @Test
  void anInputForNoCallIsGivenBack() {
    CallRuntime runtime = runtime(CallLimits.DEFAULT);
    loop.execute(
        () ->
            runtime.offerOrRead(
                key, new Input.AckArrived(scene.invite), absent -> done.add("absent")));
    clock.runReady();
    assertThat(done).containsExactly("absent");
    assertThat(runtime.size()).isZero();
  }
}
