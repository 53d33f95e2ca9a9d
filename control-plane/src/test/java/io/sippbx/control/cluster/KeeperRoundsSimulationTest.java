package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole nodes as far as they are keepers, on one store, on virtual time. A record is the text of
 * the member that owns the call; who is handed an orphan reads it and makes itself the owner, as
 * the keeper of its epoch.
 */
@DisplayName("timers that are due, and calls of dead nodes")
class KeeperRoundsSimulationTest {

  private static final Duration HOUR = Duration.ofHours(1);

  private VirtualLoops time = VirtualLoops.inOrder();
  private InMemoryCallStore<String> calls = new InMemoryCallStore<>(loops());
  private InMemoryClusterStore shared =
      new InMemoryClusterStore(time.loop("cluster"), calls::setEpoch);
  private KeeperSettings settings = KeeperSettings.DEFAULT;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Handed> handed = new ArrayList<>();
  private final Map<String, Integer> fired = new TreeMap<>();
  private final Map<String, Member> keepers = new TreeMap<>();
  private boolean storeAway;
  private Duration storeDelay = Duration.ZERO;
  private boolean takingOver = true;
  private Optional<String> throwsAt = Optional.empty();
  private long commits;
  private long claims;

  private record Handed(CallKey call, Member by, Member from, long epoch, Instant at) {}

  private Loops loops() {
    return time.loops("store", 1);
  }

  private void begin(long seed) {
    time = VirtualLoops.shuffled(seed);
    calls = new InMemoryCallStore<>(loops());
    shared = new InMemoryClusterStore(time.loop("cluster"), calls::setEpoch);
  }

  private final class Node {
    final Member self;
    final VirtualLoop loop;
    final SendLease lease = new SendLease(LeaseSettings.DEFAULT);
    final Membership membership;
    final Keeperships keeperships;
    final KeeperRounds rounds;
    boolean paused;
    // Since it was paused for longer than its lease.
    boolean hasLooked = true;

    Node(String name, long incarnation) {
      self = new Member(new NodeId(name), new Incarnation(incarnation));
      loop = time.loop(name + incarnation);
      var cluster = new SlowClusterStore(shared.on(loop), loop);
      keeperships = new Keeperships(cluster, self);
      rounds =
          new KeeperRounds(
              loop,
              settings,
              lease,
              keeperships,
              new KeeperRounds.Stores(new SlowPartitionStore(loop), cluster),
              new KeeperRounds.Ports(this::due, this::takeOver));
      membership = new Membership(loop, cluster, self, LeaseSettings.DEFAULT, lease, this::told);
      membership.start();
      rounds.start();
      nodes.add(this);
    }

    private void told(FailureDetector.Verdict verdict) {
      hasLooked |= verdict.looking();
      keeperships.follow(verdict, membership.known());
      rounds.follow(verdict);
    }

    private void mayHandOut(Partition partition, long epoch) {
      assertThat(lease.holds(loop.nowNs(), loop.now())).as("%s holds its lease", self).isTrue();
      assertThat(hasLooked).as("%s has looked since it woke", self).isTrue();
      Member keeper = keepers.putIfAbsent(partition + "@" + epoch, self);
      assertThat(keeper == null || keeper.equals(self))
          .as("%s is the one keeper of %s under %d", self, partition, epoch)
          .isTrue();
    }

    private void due(PartitionStore.DueTimer timer, long epoch) {
      mayHandOut(Partition.of(timer.call()), epoch);
      if (throwsAt.equals(Optional.of(timer.name()))) {
        throwsAt = Optional.empty();
        throw new IllegalStateException("thrown at " + timer.name());
      }
      fired.merge(timer.call() + ":" + timer.name(), 1, Integer::sum);
      commit(timer.call(), epoch, CallIndex.NONE, told -> {});
    }

    private void takeOver(TakeOver.Orphan orphan, Consumer<TakeOver.Outcome> told) {
      mayHandOut(Partition.of(orphan.call()), orphan.epoch());
      handed.add(new Handed(orphan.call(), self, orphan.dead(), orphan.epoch(), loop.now()));
      if (!takingOver) {
        return;
      }
      calls.read(
          orphan.call(),
          answer -> {
            if (answer instanceof ReadAnswer.Found<String>(Versioned<String> found)
                && found.owner().equals(Optional.of(orphan.dead()))) {
              commit(
                  orphan.call(),
                  orphan.epoch(),
                  new CallIndex(Optional.of(self), List.of(), new TreeMap<>()),
                  told);
            } else {
              told.accept(
                  answer instanceof ReadAnswer.Unavailable
                      ? TakeOver.Outcome.FAILED
                      : TakeOver.Outcome.NOT_ITS);
            }
          });
    }

    /** Reads again and commits, as the keeper. */
    private void commit(
        CallKey call, long epoch, CallIndex index, Consumer<TakeOver.Outcome> told) {
      calls.read(
          call,
          read -> {
            if (read instanceof ReadAnswer.Found<String>(Versioned<String> found)) {
              calls.commit(
                  new CallCommit<>(
                      call,
                      Optional.of(found),
                      new CommitId(++commits),
                      Optional.of(self.toString()),
                      List.of(),
                      index,
                      HOUR,
                      OptionalLong.of(epoch)),
                  answer ->
                      told.accept(
                          answer instanceof CommitAnswer.Applied
                              ? TakeOver.Outcome.TAKEN
                              : TakeOver.Outcome.FAILED));
            }
          });
    }

    void kill() {
      loop.stop();
      nodes.remove(this);
    }

    void pause() {
      paused = true;
      loop.pause();
    }

    void resume() {
      paused = false;
      // Who wakes before its lease has ended was not away.
      hasLooked &= lease.holds(time.nowNs(), time.now());
      loop.resume();
    }
  }

  /** Answers after a delay, or not but that it is away after half a second. */
  private <T> void slowly(Loop loop, Consumer<Consumer<T>> question, T away, Consumer<T> answer) {
    if (storeAway) {
      loop.schedule(Duration.ofMillis(500), () -> answer.accept(away));
    } else {
      question.accept(
          said -> loop.execute(() -> loop.schedule(storeDelay, () -> answer.accept(said))));
    }
  }

  private final class SlowClusterStore implements ClusterStore {
    private final ClusterStore store;
    private final Loop loop;

    SlowClusterStore(ClusterStore store, Loop loop) {
      this.store = store;
      this.loop = loop;
    }

    @Override
    public void beat(Beat beat, Duration expiry, Consumer<Beating> answer) {
      KeeperRoundsSimulationTest.this.<Beating>slowly(
          loop, to -> store.beat(beat, expiry, to), new Beating.Unavailable("away"), answer);
    }

    @Override
    public void census(Consumer<ClusterStore.Answer<Census>> answer) {
      KeeperRoundsSimulationTest.this.<ClusterStore.Answer<Census>>slowly(
          loop, store::census, new ClusterStore.Answer.Unavailable<>("away"), answer);
    }

    @Override
    public void leave(Member member, Consumer<ClusterStore.Answer<Member>> answer) {
      KeeperRoundsSimulationTest.this.<ClusterStore.Answer<Member>>slowly(
          loop,
          to -> store.leave(member, to),
          new ClusterStore.Answer.Unavailable<>("away"),
          answer);
    }

    @Override
    public void swept(
        Member dead, List<Partition> partitions, Consumer<ClusterStore.Answer<Integer>> answer) {
      KeeperRoundsSimulationTest.this.<ClusterStore.Answer<Integer>>slowly(
          loop,
          to -> store.swept(dead, partitions, to),
          new ClusterStore.Answer.Unavailable<>("away"),
          answer);
    }

    @Override
    public void keep(
        Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
      KeeperRoundsSimulationTest.this.<Keeping>slowly(
          loop,
          to -> store.keep(partition, member, living, to),
          new Keeping.Unavailable("away"),
          answer);
    }

    @Override
    public void giveUp(Partition partition, Member member, Consumer<Keeping> answer) {
      KeeperRoundsSimulationTest.this.<Keeping>slowly(
          loop, to -> store.giveUp(partition, member, to), new Keeping.Unavailable("away"), answer);
    }
  }

  /** Only what a keeper asks. */
  private final class SlowPartitionStore implements PartitionStore {
    private final Loop loop;

    SlowPartitionStore(Loop loop) {
      this.loop = loop;
    }

    @Override
    public void claimTimers(
        Partition partition,
        OptionalLong epoch,
        int limit,
        Consumer<PartitionStore.Answer<DueTimer>> answer) {
      KeeperRoundsSimulationTest.this.<PartitionStore.Answer<DueTimer>>slowly(
          loop,
          to ->
              calls.claimTimers(
                  partition,
                  epoch,
                  limit,
                  said -> {
                    claims += said instanceof Batch<DueTimer> batch ? batch.entries().size() : 0;
                    to.accept(said);
                  }),
          new Unavailable<>("away"),
          answer);
    }

    @Override
    public void inFlight(
        Partition partition,
        NodeId node,
        Optional<CallKey> after,
        int limit,
        Consumer<PartitionStore.Answer<CallKey>> answer) {
      KeeperRoundsSimulationTest.this.<PartitionStore.Answer<CallKey>>slowly(
          loop,
          to -> calls.inFlight(partition, node, after, limit, to),
          new Unavailable<>("away"),
          answer);
    }

    @Override
    public void onMedia(
        Partition partition,
        NodeId node,
        Optional<CallKey> after,
        int limit,
        Consumer<PartitionStore.Answer<CallKey>> answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void calls(
        Partition partition,
        Optional<CallKey> after,
        int limit,
        Consumer<PartitionStore.Answer<CallKey>> answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void setAside(
        Partition partition, List<OutboxId> ids, Consumer<PartitionStore.Answer<OutboxId>> answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void outbox(
        Partition partition,
        Optional<OutboxId> after,
        int limit,
        Consumer<PartitionStore.Answer<OutboxEntry>> answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void acknowledge(
        Partition partition, List<OutboxId> ids, Consumer<PartitionStore.Answer<OutboxId>> answer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void outboxDepth(Partition partition, Consumer<PartitionStore.Answer<Long>> answer) {
      throw new UnsupportedOperationException();
    }
  }

  private void pass(double seconds) {
    time.advance(Duration.ofMillis((long) (seconds * 1000)));
  }

  private static CallKey call(int number) {
    var octets = new byte[16];
    octets[0] = (byte) (number << 2);
    octets[14] = (byte) (number >>> 8);
    octets[15] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  /** A call in flight on a member, made by it. */
  private void inFlight(CallKey call, Member member) {
    put(call, member, new CallIndex(Optional.of(member), List.of(), new TreeMap<>()));
  }

  private void timer(CallKey call, Instant at) {
    var timers = new TreeMap<String, Instant>();
    timers.put("t", at);
    put(call, new Member(new NodeId("x"), new Incarnation(9)), index(timers));
  }

  private static CallIndex index(SortedMap<String, Instant> timers) {
    return new CallIndex(Optional.empty(), List.of(), timers);
  }

  private void put(CallKey call, Member owner, CallIndex index) {
    calls.commit(
        new CallCommit<>(
            call,
            Optional.empty(),
            new CommitId(++commits),
            Optional.of(owner.toString()),
            List.of(),
            index,
            HOUR,
            OptionalLong.empty()),
        answer -> assertThat(answer).isInstanceOf(CommitAnswer.Applied.class));
  }

  private List<CallKey> handedCalls() {
    return handed.stream().map(Handed::call).sorted().toList();
  }

  private static List<CallKey> callsTo(int count) {
    var all = new ArrayList<CallKey>();
    for (int i = 0; i < count; i++) {
      all.add(call(i));
    }
    all.sort(null);
    return all;
  }

  private Node node(int index) {
    return nodes.get(index);
  }

  private void three() {
    new Node("a", 1);
    new Node("b", 1);
    new Node("c", 1);
    pass(5);
  }

  @Test
  void handsOutEachTimerOnceWhenItIsDueOnWhicheverNode() {
    three();
    Instant now = time.now();
    for (int i = 0; i < 200; i++) {
      timer(call(i), now.plusMillis(10L * i));
    }
    pass(1);
    assertThat(fired.size()).isBetween(45, 101);
    pass(3);
    assertThat(fired).hasSize(200);
    assertThat(fired.values()).allMatch(times -> times == 1);
    long claimed = 0;
    for (Node each : nodes) {
      assertThat(each.rounds.counts().claimedTimers()).isPositive();
      claimed += each.rounds.counts().claimedTimers();
    }
    assertThat(claimed).isEqualTo(200);
  }

  @Test
  void takesOverADeadNodesCallsOnceAndForgetsIt() {
    three();
    Node c = node(2);
    for (int i = 0; i < 300; i++) {
      inFlight(call(i), c.self);
    }
    Instant died = time.now();
    c.kill();
    pass(3);
    assertThat(handed).as("not before lease and margin").isEmpty();
    pass(4);
    assertThat(handedCalls()).isEqualTo(callsTo(300));
    assertThat(handed).allMatch(each -> each.from().equals(c.self));
    assertThat(handed.getLast().at()).isBefore(died.plusSeconds(6));
    pass(5);
    assertThat(handed).hasSize(300);
    for (Node each : nodes) {
      assertThat(each.rounds.counts().takenOver()).isPositive();
    }
    assertKnown(node(0).self, node(1).self);
  }

  @Test
  void anAnswerThatThrowsHasNoOtherWait() {
    new Node("a", 1);
    pass(5);
    Instant now = time.now();
    for (int i = 0; i < 40; i++) {
      timer(call(i), now);
    }
    throwsAt = Optional.of("t");
    assertThatThrownBy(() -> pass(2)).hasMessage("thrown at t");
    assertThat(claims).isGreaterThan(2);
    assertThat(fired).isEmpty();
    time.runReady();
    assertThat(fired).hasSize((int) claims - 1);
  }

  private void assertKnown(Member... members) {
    var said = new ArrayList<Member>();
    shared.census(
        answer -> {
          if (answer instanceof ClusterStore.Answer.Found<Census>(Census census)) {
            census.beating().forEach(each -> said.add(each.member()));
            said.addAll(census.lapsed());
            said.addAll(census.left());
          }
        });
    time.runReady();
    assertThat(said).containsExactly(members);
  }

  /** The list is of the node, and the new incarnation has calls in it. */
  @Test
  void ofANodeThatWasStartedAnewOnlyTheFormersCallsAreTaken() {
    three();
    Node c = node(2);
    for (int i = 0; i < 40; i++) {
      inFlight(call(i), c.self);
    }
    c.kill();
    Node again = new Node("c", 2);
    for (int i = 40; i < 100; i++) {
      inFlight(call(i), again.self);
    }
    pass(10);
    long taken = 0;
    for (Node each : nodes) {
      taken += each.rounds.counts().takenOver();
    }
    assertThat(taken).isEqualTo(40);
    assertKnown(node(0).self, node(1).self, again.self);
  }

  @Test
  void callsOutliveAStartOfAllNodesUnderOtherNames() {
    three();
    for (int i = 0; i < 100; i++) {
      inFlight(call(i), node(i % 3).self);
    }
    for (Node each : List.copyOf(nodes)) {
      each.kill();
    }
    pass(60);
    Node d = new Node("d", 1);
    pass(10);
    assertThat(handedCalls()).isEqualTo(callsTo(100));
    assertThat(d.rounds.counts().takenOver()).isEqualTo(100);
    assertThat(d.rounds.counts().alarms()).isZero();
    assertKnown(d.self);
  }

  @Test
  void aNodeThatIsAloneTakesItsOwnFormerCallsAtOnce() {
    Node a = new Node("a", 1);
    pass(2);
    inFlight(call(1), a.self);
    a.kill();
    Node again = new Node("a", 2);
    pass(2);
    assertThat(again.rounds.counts().takenOver()).isEqualTo(1);
    pass(2);
    // In the list of the node it is still, and seen there once more.
    assertThat(again.rounds.counts().takenOver()).isEqualTo(1);
    assertKnown(again.self);
  }

  @Test
  void whatANodeThatWentByItselfLeftIsTakenAtOnce() {
    three();
    Node c = node(2);
    inFlight(call(1), c.self);
    c.membership.leave();
    pass(1);
    c.rounds.stop();
    c.membership.stop(() -> {});
    pass(2);
    assertThat(handedCalls()).containsExactly(call(1));
  }

  @Test
  void handsOutNoMoreASecondThanItMay() {
    settings =
        new KeeperSettings(
            Duration.ofMillis(50),
            Duration.ofMillis(500),
            100,
            2_000,
            10,
            20,
            500,
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            8);
    Node a = new Node("a", 1);
    Node b = new Node("b", 1);
    pass(5);
    for (int i = 0; i < 400; i++) {
      inFlight(call(i), b.self);
    }
    b.kill();
    assertThat(time.runUntil(() -> !handed.isEmpty(), Duration.ofSeconds(10))).isTrue();
    pass(5);
    assertThat(handed.size()).isBetween(90, 111);
    pass(20);
    assertThat(handedCalls()).isEqualTo(callsTo(400));
    assertThat(a.rounds.counts().takenOver()).isEqualTo(400);
  }

  @Test
  void holdsNoMoreInHandThanItMayAndTriesAgainWhatIsNotDoneInTime() {
    settings =
        new KeeperSettings(
            Duration.ofMillis(50),
            Duration.ofMillis(500),
            100,
            2_000,
            10,
            1_000,
            25,
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            8);
    Node a = new Node("a", 1);
    Node b = new Node("b", 1);
    pass(5);
    for (int i = 0; i < 100; i++) {
      inFlight(call(i), b.self);
    }
    b.kill();
    takingOver = false;
    assertThat(time.runUntil(() -> !handed.isEmpty(), Duration.ofSeconds(10))).isTrue();
    pass(4);
    assertThat(handed).hasSize(25);
    takingOver = true;
    pass(15);
    assertThat(a.rounds.counts().failed()).isEqualTo(25);
    assertThat(a.rounds.counts().takenOver()).isEqualTo(100);
    assertKnown(a.self);
  }

  @Test
  void aNodeThatWasPausedHandsNothingOutBeforeItHasLooked() {
    three();
    Node c = node(2);
    for (int i = 0; i < 60; i++) {
      inFlight(call(i), c.self);
    }
    pass(0.4);
    c.pause();
    for (int i = 100; i < 300; i++) {
      timer(call(i), time.now());
    }
    pass(10);
    assertThat(handedCalls()).isEqualTo(callsTo(60));
    assertThat(fired).hasSize(200);
    for (int i = 300; i < 400; i++) {
      timer(call(i), time.now());
    }
    c.resume();
    pass(10);
    assertThat(fired).hasSize(300);
    assertThat(fired.values()).allMatch(times -> times == 1);
    assertThat(handed).hasSize(60);
    assertThat(c.keeperships.kept()).as("it keeps its share again").isNotEmpty();
  }

  @Test
  void whatCameWhileItWasPausedIsWithheldAndClaimedAnew() {
    Node a = new Node("a", 1);
    pass(5);
    storeDelay = Duration.ofMillis(300);
    timer(call(1), time.now());
    assertThat(time.runUntil(() -> claims > 0, Duration.ofSeconds(2))).isTrue();
    // It was claimed, and the answer is on its way.
    a.pause();
    pass(10);
    a.resume();
    pass(10);
    assertThat(a.rounds.counts().withheld()).isEqualTo(1);
    assertThat(a.rounds.counts().claimedTimers()).isEqualTo(1);
    assertThat(fired.values()).containsExactly(1);
  }

  @Test
  void aPauseOfAllNodesMakesNobodyClaimACall() {
    three();
    for (int i = 0; i < 90; i++) {
      inFlight(call(i), node(i % 3).self);
    }
    pass(1);
    nodes.forEach(Node::pause);
    pass(10);
    nodes.forEach(Node::resume);
    pass(20);
    assertThat(handed).isEmpty();
  }

  @Test
  void aStoreThatWasAwayMakesNobodyClaimACall() {
    three();
    for (int i = 0; i < 90; i++) {
      inFlight(call(i), node(i % 3).self);
    }
    for (int i = 100; i < 150; i++) {
      timer(call(i), time.now().plusSeconds(5));
    }
    pass(1);
    storeAway = true;
    pass(10);
    assertThat(fired).isEmpty();
    storeAway = false;
    pass(20);
    assertThat(handed).isEmpty();
    assertThat(fired).hasSize(50);
    assertThat(node(0).rounds.counts().unavailable()).isPositive();
  }

  @Test
  void whenMostSeemDeadNoCallIsClaimedAndTheAlarmIsCounted() {
    for (String name : List.of("a", "b", "c", "d", "e")) {
      new Node(name, 1);
    }
    pass(5);
    for (int i = 0; i < 50; i++) {
      inFlight(call(i), node(1 + i % 4).self);
    }
    Node a = node(0);
    List<Node> others = List.copyOf(nodes.subList(1, 5));
    others.forEach(Node::pause);
    pass(20);
    assertThat(handed).isEmpty();
    assertThat(a.rounds.counts().alarms()).isEqualTo(1);
    others.forEach(Node::resume);
    pass(10);
    assertThat(handed).isEmpty();
  }

  @Test
  void aKeeperThatWasReplacedUnknowinglyIsToldByTheStore() {
    Node a = new Node("a", 1);
    pass(5);
    var usurper = new Member(new NodeId("z"), new Incarnation(1));
    shared.keep(new Partition(5), usurper, List.of(), answer -> {});
    timer(call(5), time.now());
    pass(2);
    assertThat(a.rounds.counts().epochsLost()).isEqualTo(1);
    pass(8);
    assertThat(fired).as("it is nobody's that lives, and asked for again").hasSize(1);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void whateverHappensEachTimerFiresAndEachCallOfTheDeadIsTaken(long seed) {
    begin(seed);
    var random = new Random(seed);
    long incarnation = 1;
    for (int i = 0; i < 4; i++) {
      new Node("n" + i, incarnation++);
    }
    pass(5);
    int number = 0;
    var due = new ArrayList<CallKey>();
    for (int step = 0; step < 80; step++) {
      Node some = node(random.nextInt(nodes.size()));
      switch (random.nextInt(10)) {
        case 0 -> {
          if (nodes.size() > 2) {
            some.kill();
          }
        }
        case 1 -> {
          String name = "n" + random.nextInt(6);
          if (nodes.stream().noneMatch(node -> node.self.node().text().equals(name))) {
            new Node(name, incarnation++);
          }
        }
        case 2 -> storeAway = random.nextInt(3) == 0;
        case 3 -> storeDelay = Duration.ofMillis(random.nextInt(400));
        case 4 -> {
          if (some.paused) {
            some.resume();
          } else {
            some.pause();
          }
        }
        case 5, 6 -> {
          for (int i = 0; i < 20; i++) {
            CallKey call = call(number++);
            due.add(call);
            timer(call, time.now().plusMillis(random.nextInt(20_000)));
          }
        }
        case 7 -> {
          // Only who holds its lease makes calls.
          boolean makes = !some.paused && some.lease.holds(time.nowNs(), time.now());
          for (int i = 0; makes && i < 20; i++) {
            inFlight(call(number++), some.self);
          }
        }
        default -> pass(random.nextInt(6_000) / 1000.0);
      }
    }
    storeAway = false;
    storeDelay = Duration.ZERO;
    nodes.stream().filter(node -> node.paused).forEach(Node::resume);
    // Most may have been killed at once, which is not acted on until there are more of the living.
    for (int i = 0; i < 6; i++) {
      new Node("more" + i, incarnation++);
    }
    pass(60);
    for (Node each : nodes) {
      assertThat(each.membership.isSuperseded()).isFalse();
    }
    for (CallKey call : due) {
      assertThat(fired).containsKey(call + ":t");
    }
    var living = new ArrayList<String>();
    nodes.forEach(node -> living.add(node.self.toString()));
    for (int i = 0; i < number; i++) {
      CallKey call = call(i);
      if (!due.contains(call)) {
        calls.read(
            call,
            answer -> {
              assertThat(answer).isInstanceOf(ReadAnswer.Found.class);
              assertThat(((ReadAnswer.Found<String>) answer).current().record())
                  .as("owner of %s", call)
                  .isIn(living);
            });
      }
    }
    time.runReady();
  }
}
