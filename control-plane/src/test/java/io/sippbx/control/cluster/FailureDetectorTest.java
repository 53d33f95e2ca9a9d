package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("which control nodes are dead")
class FailureDetectorTest {

  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId C = new NodeId("c");
  private static final NodeId D = new NodeId("d");
  private static final long MS = 1_000_000;

  private final FailureDetector detector =
      new FailureDetector(new Member(A, new Incarnation(1)), LeaseSettings.DEFAULT);
  private final TreeMap<NodeId, Beat> store = new TreeMap<>();
  private final List<Member> lapsed = new ArrayList<>();
  private final List<Member> left = new ArrayList<>();
  private long now = 77 * MS;

  private static Member member(NodeId node, long incarnation) {
    return new Member(node, new Incarnation(incarnation));
  }

  private void look() {
    detector.looked(new Census(new ArrayList<>(store.values()), lapsed, left), now);
  }

  private void beats(NodeId node, long incarnation) {
    Beat last = store.get(node);
    long sequence =
        last != null && last.incarnation().value() == incarnation ? last.sequence() + 1 : 1;
    store.put(node, new Beat(node, new Incarnation(incarnation), sequence, false));
  }

  /** Looks each 500 ms while these nodes beat. */
  private void pass(long ms, NodeId... beating) {
    for (long end = now + ms * MS; now < end; ) {
      now += 500 * MS;
      for (NodeId node : beating) {
        beats(node, 1);
      }
      look();
    }
  }

  private Verdict verdict() {
    return detector.verdict(now);
  }

  @Test
  void aloneItLives() {
    assertThat(verdict()).isEqualTo(new Verdict(List.of(A), List.of(A), List.of(), false, false));
  }

  @Test
  void aSilentNodeIsDeadAfterLeaseAndMargin() {
    pass(5_000, B, C);
    assertThat(verdict().living()).containsExactly(A, B, C);
    pass(3_000, B);
    assertThat(verdict().dead()).isEmpty();
    pass(500, B);
    assertThat(verdict().dead()).containsExactly(new Member(C, new Incarnation(1)));
    assertThat(verdict().living()).containsExactly(A, B);
  }

  @Test
  void aNodeWhoseMeshIsUpIsNotDead() {
    pass(5_000, B, C);
    detector.mesh(C, true);
    pass(10_000, B);
    assertThat(verdict().dead()).isEmpty();
    detector.mesh(C, false);
    assertThat(verdict().dead()).hasSize(1);
  }

  @Test
  void afterAGapOfItsOwnItJudgesNobodyForOneLease() {
    pass(5_000, B, C);
    // Paused: nothing was looked at, and both may have beaten all the time.
    now += 10_000 * MS;
    assertThat(verdict().dead()).isEmpty();
    pass(500);
    assertThat(verdict().dead()).isEmpty();
    pass(2_500, B, C);
    assertThat(verdict().dead()).isEmpty();
    assertThat(verdict().living()).containsExactly(A, B, C);
  }

  @Test
  void aStoreThatWasAwayMakesNobodyDead() {
    pass(5_000, B, C);
    for (int i = 0; i < 20; i++) {
      now += 500 * MS;
      detector.gap(now);
      assertThat(verdict().dead()).isEmpty();
    }
    pass(2_500, B, C);
    assertThat(verdict().dead()).isEmpty();
    pass(3_500, B);
    assertThat(verdict().dead()).containsExactly(new Member(C, new Incarnation(1)));
  }

  @Test
  void whenMoreThanHalfSeemDeadNoneIsAndTheAlarmIsRaised() {
    pass(5_000, B, C, D);
    pass(4_000);
    assertThat(verdict())
        .isEqualTo(new Verdict(List.of(A, B, C, D), List.of(A, B, C, D), List.of(), true, true));
    pass(500, B);
    assertThat(verdict().alarm()).isFalse();
    assertThat(verdict().dead()).hasSize(2);
  }

  @Test
  void ofTwoNodesOneMayDie() {
    pass(5_000, B);
    pass(4_000);
    assertThat(verdict().alarm()).isFalse();
    assertThat(verdict().dead()).containsExactly(new Member(B, new Incarnation(1)));
    assertThat(verdict().living()).containsExactly(A);
  }

  @Test
  void anotherIncarnationMeansThatTheFormerIsGone() {
    pass(5_000, B);
    beats(B, 2);
    lapsed.add(member(B, 1));
    now += 500 * MS;
    look();
    assertThat(verdict().dead()).containsExactly(member(B, 1));
    assertThat(verdict().living()).containsExactly(A, B);
    lapsed.clear();
    look();
    assertThat(verdict().dead()).as("what the store has forgotten").isEmpty();
    assertThat(verdict().living()).containsExactly(A, B);
  }

  @Test
  void whomTheStoreHasForgottenIsNotThereAnyMore() {
    pass(5_000, B);
    store.clear();
    lapsed.add(member(B, 1));
    pass(4_000);
    assertThat(verdict().dead()).containsExactly(member(B, 1));
    lapsed.clear();
    look();
    assertThat(verdict()).isEqualTo(new Verdict(List.of(A), List.of(A), List.of(), false, true));
  }

  @Test
  void whoHadStoppedBeforeIsDeadAfterLeaseAndMarginOfLooking() {
    lapsed.addAll(List.of(member(B, 1), member(C, 1), member(D, 1)));
    pass(500);
    assertThat(verdict().living()).containsExactly(A);
    pass(3_000);
    assertThat(verdict().dead()).isEmpty();
    pass(500);
    assertThat(verdict().dead())
        .as("all of them: they are no majority that fell silent at once")
        .containsExactly(member(B, 1), member(C, 1), member(D, 1));
    assertThat(verdict().alarm()).isFalse();
  }

  @Test
  void whoBeatsAgainIsNotDead() {
    pass(5_000, B, C);
    store.remove(C);
    lapsed.add(member(C, 1));
    pass(4_000, B);
    assertThat(verdict().dead()).containsExactly(member(C, 1));
    lapsed.clear();
    store.put(C, new Beat(C, new Incarnation(1), 100, false));
    look();
    assertThat(verdict().dead()).isEmpty();
    assertThat(verdict().living()).containsExactly(A, B, C);
  }

  @Test
  void itsOwnFormerIncarnationsAreDeadAtOnce() {
    lapsed.add(member(A, 0));
    look();
    assertThat(verdict().dead()).containsExactly(member(A, 0));
  }

  @Test
  void whoWentByItselfIsDeadAtOnce() {
    pass(5_000, B);
    store.clear();
    left.add(member(B, 1));
    look();
    assertThat(verdict().dead()).containsExactly(member(B, 1));
    assertThat(verdict().living()).containsExactly(A);
  }

  @Test
  void aStreamThatIsUpBeforeTheFirstLookCounts() {
    detector.mesh(B, true);
    pass(1_000, B);
    pass(10_000);
    assertThat(verdict().dead()).isEmpty();
  }

  @Test
  void tellsWhetherItLooks() {
    assertThat(verdict().looking()).isFalse();
    pass(500, B);
    assertThat(verdict().looking()).isTrue();
    detector.gap(now);
    assertThat(verdict().looking()).isFalse();
    pass(500, B);
    assertThat(verdict().looking()).isTrue();
  }

  @Test
  void aNodeThatLeavesKeepsNothing() {
    pass(5_000, B);
    store.put(B, new Beat(B, new Incarnation(1), 1_000, true));
    now += 500 * MS;
    look();
    assertThat(verdict().living()).containsExactly(A, B);
    assertThat(verdict().staying()).containsExactly(A);
  }

  @Test
  void aBeatThatIsReadTwiceIsNoSignOfLife() {
    pass(5_000, B);
    // The key is still there, and says what it said.
    pass(3_500);
    assertThat(verdict().dead()).hasSize(1);
  }
}
