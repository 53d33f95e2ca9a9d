package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.cluster.Roster.Standing;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("what became of the members that records name")
class RosterTest {

  private static final Member SELF = member("a", 1);
  private static final Member B = member("b", 1);
  private static final Member C = member("c", 1);

  private final Roster roster = new Roster(SELF);

  private static Member member(String node, long start) {
    return new Member(new NodeId(node), new Incarnation(start));
  }

  private void looks(List<Member> beating, List<Member> lapsed, List<Member> dead) {
    List<NodeId> living =
        Stream.concat(beating.stream(), lapsed.stream().filter(each -> !dead.contains(each)))
            .map(Member::node)
            .toList();
    roster.follow(
        new Verdict(living, living, dead, false, true),
        new Census(
            beating.stream()
                .map(each -> new Beat(each.node(), each.incarnation(), 1, false))
                .toList(),
            lapsed,
            List.of()));
  }

  @Test
  void thisStartOfThisNodeIsItselfAndAFormerOneIsGone() {
    assertThat(roster.of(SELF)).isEqualTo(Standing.SELF);
    assertThat(roster.of(member("a", 9))).isEqualTo(Standing.GONE);
  }

  @Test
  void aStartThatHasTakenThisNodesPlaceIsThere() {
    looks(List.of(member("a", 2)), List.of(SELF), List.of());
    assertThat(roster.of(member("a", 2))).isEqualTo(Standing.PRESENT);
  }

  @Test
  void whoBeatsOrIsOnlyLateIsThere() {
    looks(List.of(SELF, B), List.of(C), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.PRESENT);
    assertThat(roster.of(C)).as("lapsed, and not held for dead").isEqualTo(Standing.PRESENT);
    looks(List.of(SELF, B), List.of(C), List.of(C));
    assertThat(roster.of(C)).isEqualTo(Standing.GONE);
  }

  @Test
  void aStartThatHasComeSinceTheLastLookIsNotTakenForAFormerOne() {
    looks(List.of(SELF, B), List.of(), List.of());
    Member next = member("b", 2);
    assertThat(roster.of(next)).isEqualTo(Standing.UNKNOWN);
    looks(List.of(SELF, next), List.of(), List.of());
    assertThat(roster.of(next)).isEqualTo(Standing.PRESENT);
    assertThat(roster.of(B)).isEqualTo(Standing.GONE);
  }

  @Test
  void aStartThatWasNotSeenIsGoneOnceLooksHaveShownAnotherOnly() {
    for (int i = 0; i < 3; i++) {
      looks(List.of(SELF, member("b", 2)), List.of(), List.of());
      assertThat(roster.of(B)).isEqualTo(Standing.UNKNOWN);
    }
    looks(List.of(SELF, member("b", 2)), List.of(), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.GONE);
  }

  @Test
  void whosePlaceAnotherStartHasIsGone() {
    looks(List.of(SELF, B), List.of(), List.of());
    looks(List.of(SELF, member("b", 2)), List.of(), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.GONE);
    looks(List.of(SELF, member("b", 2)), List.of(B), List.of());
    assertThat(roster.of(B)).as("lapsed too").isEqualTo(Standing.GONE);
    assertThat(roster.of(member("b", 2))).isEqualTo(Standing.PRESENT);
  }

  @Test
  void ofWhomNoLookShowsATraceIsGoneAfterThree() {
    looks(List.of(SELF), List.of(), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.UNKNOWN);
    looks(List.of(SELF), List.of(), List.of());
    looks(List.of(SELF), List.of(), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.UNKNOWN);
    looks(List.of(SELF), List.of(), List.of());
    assertThat(roster.of(B)).isEqualTo(Standing.GONE);
    looks(List.of(SELF, B), List.of(), List.of());
    assertThat(roster.of(B)).as("it beats after all").isEqualTo(Standing.PRESENT);
  }

  @Test
  void aNodeIsGoneOnceNoStartOfItIsThereOrMayBe() {
    looks(List.of(SELF, B), List.of(), List.of());
    assertThat(roster.isGone(C.node())).as("too few looks").isFalse();
    looks(List.of(SELF, B), List.of(C), List.of());
    looks(List.of(SELF, B), List.of(C), List.of());
    assertThat(roster.isGone(C.node())).as("only late").isFalse();
    assertThat(roster.isGone(B.node())).isFalse();
    assertThat(roster.isGone(SELF.node())).isFalse();
    assertThat(roster.isGone(new NodeId("nobody-knows-it"))).isTrue();
    looks(List.of(SELF, B), List.of(C), List.of(C));
    assertThat(roster.isGone(C.node())).isTrue();
    looks(List.of(SELF, B, member("c", 2)), List.of(), List.of());
    assertThat(roster.isGone(C.node())).as("another start of it").isFalse();
  }

  @Test
  void whoDoesNotLookHoldsNobodyForGone() {
    for (int i = 0; i < 9; i++) {
      assertThat(roster.of(B)).isEqualTo(Standing.UNKNOWN);
      roster.follow(
          new Verdict(List.of(SELF.node()), List.of(SELF.node()), List.of(), false, false),
          new Census(List.of(), List.of(), List.of()));
    }
  }

  @Test
  void theKeeperIsAmongThoseWhoStay() {
    assertThat(roster.keeper(new Partition(3))).isEmpty();
    looks(List.of(SELF, B), List.of(), List.of());
    List<Member> keepers =
        Stream.iterate(0, number -> number + 1)
            .limit(Partition.COUNT)
            .map(number -> roster.keeper(new Partition(number)).orElseThrow())
            .distinct()
            .sorted()
            .toList();
    assertThat(keepers).containsExactly(SELF, B);
  }
}
