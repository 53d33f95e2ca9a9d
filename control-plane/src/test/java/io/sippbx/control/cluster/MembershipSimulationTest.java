package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("several nodes, their heartbeats and their partitions, on virtual time")
class MembershipSimulationTest {

  private static final Duration SECOND = Duration.ofSeconds(1);

  private VirtualLoops time = VirtualLoops.inOrder();
  private InMemoryClusterStore shared = new InMemoryClusterStore(time.loop("store"));
  private final List<Node> nodes = new ArrayList<>();
  private boolean storeAway;
  private boolean storeLosesGivingUp;

  /** A node as far as it takes part in the cluster. */
  private final class Node {
    final Member self;
    final VirtualLoop loop;
    final SendLease lease = new SendLease(LeaseSettings.DEFAULT);
    final Membership membership;
    final Keeperships keeperships;
    Verdict last = new Verdict(List.of(), List.of(), List.of(), false, false);

    Node(String name, long incarnation) {
      self = new Member(new NodeId(name), new Incarnation(incarnation));
      loop = time.loop(name + incarnation);
      ClusterStore store = new Unreliable(shared.on(loop), loop);
      keeperships = new Keeperships(store, self);
      membership =
          new Membership(loop, store, self, LeaseSettings.DEFAULT, lease, verdict -> told(verdict));
      membership.start();
      nodes.add(this);
    }

    private void told(Verdict verdict) {
      last = verdict;
      keeperships.follow(verdict, membership.known());
    }

    boolean maySend() {
      return lease.holds(loop.nowNs(), loop.now());
    }

    void kill() {
      loop.stop();
      nodes.remove(this);
    }
  }

  /** Answers nothing but that it is away, while it is. */
  private final class Unreliable implements ClusterStore {
    private final ClusterStore store;
    private final Loop loop;

    Unreliable(ClusterStore store, Loop loop) {
      this.store = store;
      this.loop = loop;
    }

    private boolean away(Runnable refuse) {
      if (storeAway) {
        loop.execute(refuse);
      }
      return storeAway;
    }

    @Override
    public void beat(Beat beat, Duration expiry, Consumer<Beating> answer) {
      if (!away(() -> answer.accept(new Beating.Unavailable("away")))) {
        store.beat(beat, expiry, answer);
      }
    }

    @Override
    public void census(Consumer<Answer<Census>> answer) {
      if (!away(() -> answer.accept(new Answer.Unavailable<>("away")))) {
        store.census(answer);
      }
    }

    @Override
    public void leave(Member member, Consumer<Answer<Member>> answer) {
      if (!away(() -> answer.accept(new Answer.Unavailable<>("away")))) {
        store.leave(member, answer);
      }
    }

    @Override
    public void swept(Member dead, List<Partition> partitions, Consumer<Answer<Integer>> answer) {
      if (!away(() -> answer.accept(new Answer.Unavailable<>("away")))) {
        store.swept(dead, partitions, answer);
      }
    }

    @Override
    public void keep(
        Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
      if (!away(() -> answer.accept(new Keeping.Unavailable("away")))) {
        store.keep(partition, member, living, answer);
      }
    }

    @Override
    public void giveUp(Partition partition, Member member, Consumer<Keeping> answer) {
      if (storeLosesGivingUp) {
        loop.execute(() -> answer.accept(new Keeping.Held(Optional.empty(), 1)));
      } else if (!away(() -> answer.accept(new Keeping.Unavailable("away")))) {
        store.giveUp(partition, member, answer);
      }
    }
  }

  private void pass(int seconds) {
    time.advance(SECOND.multipliedBy(seconds));
  }

  private int kept() {
    int sum = 0;
    for (Node node : nodes) {
      sum += node.keeperships.kept().size();
    }
    return sum;
  }

  /** No partition has two keepers under one epoch: what the store's check of epochs rests on. */
  private void eachPartitionHasOneKeeperAnEpoch() {
    var seen = new TreeMap<String, Member>();
    for (Node node : nodes) {
      node.keeperships
          .kept()
          .forEach(
              (partition, epoch) ->
                  assertThat(Optional.ofNullable(seen.put(partition + "@" + epoch, node.self)))
                      .as("%s under epoch %d", partition, epoch)
                      .isEmpty());
    }
  }

  @Test
  void oneNodeKeepsAll() {
    Node a = new Node("a", 1);
    pass(2);
    assertThat(a.keeperships.kept()).hasSize(Partition.COUNT);
    assertThat(a.maySend()).isTrue();
  }

  @Test
  void aNodeThatComesGetsItsShareFromThoseThatHadIt() {
    new Node("a", 1);
    pass(2);
    Node b = new Node("b", 1);
    pass(5);
    assertThat(b.keeperships.kept()).isNotEmpty();
    assertThat(kept()).isEqualTo(Partition.COUNT);
    eachPartitionHasOneKeeperAnEpoch();
  }

  @Test
  void whatAFailOverGivesBackToItsFormerKeeperIsGivenUpAgain() {
    Node a = new Node("a", 1);
    pass(2);
    storeLosesGivingUp = true;
    Node b = new Node("b", 1);
    pass(5);
    assertThat(b.keeperships.kept()).as("a is the keeper, says the store").isEmpty();
    assertThat(a.keeperships.kept()).as("and does not know").hasSizeLessThan(Partition.COUNT);
    storeLosesGivingUp = false;
    pass(40);
    assertThat(b.keeperships.isSettled()).isTrue();
    assertThat(kept()).isEqualTo(Partition.COUNT);
    eachPartitionHasOneKeeperAnEpoch();
  }

  @Test
  void aDeadNodesPartitionsGoToTheOthersUnderAHigherEpoch() {
    Node a = new Node("a", 1);
    Node b = new Node("b", 1);
    Node c = new Node("c", 1);
    pass(5);
    var before = new TreeMap<>(c.keeperships.kept());
    assertThat(before).isNotEmpty();
    c.kill();
    pass(3);
    assertThat(kept()).as("not before lease and margin").isLessThan(Partition.COUNT);
    pass(3);
    assertThat(a.last.dead()).containsExactly(c.self);
    assertThat(b.last.living()).containsExactly(a.self.node(), b.self.node());
    assertThat(kept()).isEqualTo(Partition.COUNT);
    for (Node node : nodes) {
      node.keeperships
          .kept()
          .forEach(
              (partition, epoch) -> {
                Long old = before.get(partition);
                assertThat(old == null || epoch > old).isTrue();
              });
    }
  }

  @Test
  void whoMustSupposeThatItWasTakenOverMayNotSendBeforeOthersMayClaim() {
    Node a = new Node("a", 1);
    new Node("b", 1);
    pass(5);
    storeAway = true;
    pass(3);
    assertThat(a.maySend()).isFalse();
    for (Node node : nodes) {
      assertThat(node.last.dead()).isEmpty();
    }
    pass(7);
    storeAway = false;
    pass(2);
    assertThat(a.maySend()).isTrue();
    pass(10);
    for (Node node : nodes) {
      assertThat(node.last.dead()).as("nobody is claimed after the store was away").isEmpty();
    }
  }

  @Test
  void aNodeThatIsStartedAgainTakesTheFormerIncarnationsPlace() {
    new Node("a", 1);
    Node b = new Node("b", 1);
    pass(5);
    b.kill();
    Node again = new Node("b", 2);
    pass(2);
    assertThat(nodes.getFirst().last.dead()).containsExactly(b.self);
    assertThat(again.keeperships.kept()).isNotEmpty();
    assertThat(kept()).isEqualTo(Partition.COUNT);
  }

  @Test
  void whoseNameAnotherProcessHasTakenFallsSilent() {
    new Node("a", 1);
    Node b = new Node("b", 1);
    pass(5);
    Node usurper = new Node("b", 2);
    pass(1);
    assertThat(b.membership.isSuperseded()).isTrue();
    assertThat(b.keeperships.kept()).isEmpty();
    pass(3);
    assertThat(b.maySend()).isFalse();
    assertThat(usurper.membership.isSuperseded()).isFalse();
    assertThat(usurper.maySend()).isTrue();
    assertThat(nodes.getFirst().last.dead()).containsExactly(b.self);
    assertThat(kept()).isEqualTo(Partition.COUNT);
  }

  @Test
  void aNodeThatLeavesHandsOverAtOnce() {
    new Node("a", 1);
    Node b = new Node("b", 1);
    pass(5);
    b.membership.leave();
    pass(2);
    assertThat(b.keeperships.kept()).isEmpty();
    assertThat(kept()).isEqualTo(Partition.COUNT);
    var gone = new ArrayList<String>();
    b.membership.stop(() -> gone.add("gone"));
    pass(1);
    assertThat(gone).hasSize(1);
    assertThat(nodes.getFirst().membership.known()).hasSize(1);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void whateverComesAndGoesEachPartitionHasOneKeeperInTheEnd(long seed) {
    time = VirtualLoops.shuffled(seed);
    shared = new InMemoryClusterStore(time.loop("store"));
    var random = new Random(seed);
    long incarnation = 1;
    for (int i = 0; i < 3; i++) {
      new Node("n" + i, incarnation++);
    }
    for (int step = 0; step < 40; step++) {
      switch (random.nextInt(5)) {
        case 0 -> {
          if (nodes.size() > 2) {
            nodes.get(random.nextInt(nodes.size())).kill();
          }
        }
        case 1 -> {
          String name = "n" + random.nextInt(6);
          if (nodes.stream().noneMatch(node -> node.self.node().text().equals(name))) {
            new Node(name, incarnation++);
          }
        }
        case 2 -> storeAway = !storeAway;
        default -> time.advance(Duration.ofMillis(random.nextInt(4_000)));
      }
      eachPartitionHasOneKeeperAnEpoch();
    }
    storeAway = false;
    pass(30);
    eachPartitionHasOneKeeperAnEpoch();
    assertThat(kept()).isEqualTo(Partition.COUNT);
  }
}
