package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sippbx.control.cluster.ClusterStore.Answer;
import io.sippbx.control.cluster.ClusterStore.Beating;
import io.sippbx.control.cluster.ClusterStore.Keeping;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What every {@link ClusterStore} promises: each implementation runs this suite. */
@DisplayName("heartbeats and keepers")
abstract class ClusterStoreContract {

  static final Duration LONG = Duration.ofHours(1);
  static final Member A1 = member("a", 1);
  static final Member A2 = member("a", 2);
  static final Member B1 = member("b.example", -1);
  static final Partition P = new Partition(7);
  private static final Partition Q = new Partition(8);

  /** The store under test: empty at the start of each test. */
  abstract ClusterStore store();

  /** What checks the epochs that the store gives. */
  abstract PartitionStore partitions();

  /** Lets time pass for the store. */
  abstract void pass(Duration time);

  /**
   * Asks and gives the one answer.
   *
   * @throws AssertionError if none comes, or more than one, or it comes inline
   */
  abstract <T> T ask(Consumer<Consumer<T>> question);

  static Member member(String node, long incarnation) {
    return new Member(new NodeId(node), new Incarnation(incarnation));
  }

  static Beat beat(Member member, long sequence) {
    return new Beat(member.node(), member.incarnation(), sequence, false);
  }

  private Beating beats(Beat beat, Duration expiry) {
    return this.<Beating>ask(answer -> store().beat(beat, expiry, answer));
  }

  private void beats(Member member) {
    assertThat(beats(beat(member, 1), LONG)).isEqualTo(new Beating.Acknowledged());
  }

  private void leave(Member member) {
    assertThat(this.<Answer<Member>>ask(answer -> store().leave(member, answer)))
        .isEqualTo(new Answer.Found<>(member));
  }

  private Answer<Census> census() {
    return this.<Answer<Census>>ask(answer -> store().census(answer));
  }

  private static Answer<Census> census(List<Beat> beating, List<Member> lapsed, List<Member> left) {
    return new Answer.Found<>(new Census(beating, lapsed, left));
  }

  private Keeping keep(Partition partition, Member member, Member... living) {
    return this.<Keeping>ask(answer -> store().keep(partition, member, List.of(living), answer));
  }

  private long epochOf(Partition partition, Member member, Member... living) {
    Keeping said = keep(partition, member, living);
    assertThat(said).isInstanceOf(Keeping.Held.class);
    Keeping.Held held = (Keeping.Held) said;
    assertThat(held.member()).contains(member);
    return held.epoch();
  }

  private Keeping giveUp(Partition partition, Member member) {
    return this.<Keeping>ask(answer -> store().giveUp(partition, member, answer));
  }

  private Answer<Integer> swept(Member dead, List<Partition> partitions) {
    return this.<Answer<Integer>>ask(answer -> store().swept(dead, partitions, answer));
  }

  static List<Partition> partitions(int from, int to) {
    var all = new ArrayList<Partition>();
    for (int i = from; i < to; i++) {
      all.add(new Partition(i));
    }
    return all;
  }

  @Test
  void knowsNobodyAtFirst() {
    assertThat(census()).isEqualTo(census(List.of(), List.of(), List.of()));
  }

  @Test
  void tellsWhoBeatsAndHow() {
    beats(B1);
    beats(A1);
    Beat next = new Beat(A1.node(), A1.incarnation(), 2, true);
    beats(next, LONG);
    assertThat(census()).isEqualTo(census(List.of(next, beat(B1, 1)), List.of(), List.of()));
  }

  @Test
  void tellsWhatANodeTellsOfItself() {
    var v6 = new Announced(Optional.of(Endpoint.of("2001:db8::1", 7000)), "shared udp=1");
    var v4 = new Announced(Optional.of(Endpoint.of("192.0.2.1", 7001)), "");
    Beat first = new Beat(A1.node(), A1.incarnation(), 1, false, v6);
    Beat other = new Beat(B1.node(), B1.incarnation(), 1, false, v4);
    beats(first, LONG);
    beats(other, LONG);
    assertThat(census()).isEqualTo(census(List.of(first, other), List.of(), List.of()));
    Beat next = new Beat(A1.node(), A1.incarnation(), 2, false, v4);
    beats(next, LONG);
    assertThat(census()).isEqualTo(census(List.of(next, other), List.of(), List.of()));
  }

  @Test
  void anOlderBeatChangesNothing() {
    beats(beat(A1, 5), LONG);
    assertThat(beats(beat(A1, 4), LONG)).isEqualTo(new Beating.Acknowledged());
    assertThat(census()).isEqualTo(census(List.of(beat(A1, 5)), List.of(), List.of()));
  }

  @Test
  void whoBeatsNoMoreStaysKnown() {
    beats(B1);
    beats(beat(A1, 1), Duration.ofMillis(600));
    pass(Duration.ofMillis(700));
    assertThat(census()).isEqualTo(census(List.of(beat(B1, 1)), List.of(A1), List.of()));
    beats(beat(A1, 2), LONG);
    assertThat(census()).isEqualTo(census(List.of(beat(A1, 2), beat(B1, 1)), List.of(), List.of()));
  }

  @Test
  void aNewIncarnationTakesTheFormersPlaceForGood() {
    beats(beat(A1, 9), LONG);
    beats(A2);
    assertThat(census()).isEqualTo(census(List.of(beat(A2, 1)), List.of(A1), List.of()));
    assertThat(beats(beat(A1, 10), LONG)).isEqualTo(new Beating.Superseded(A2.incarnation()));
    Member third = member("a", 3);
    beats(third);
    assertThat(beats(beat(A1, 11), LONG)).isEqualTo(new Beating.Superseded(third.incarnation()));
    assertThat(beats(beat(A2, 11), LONG)).isEqualTo(new Beating.Superseded(third.incarnation()));
    assertThat(census()).isEqualTo(census(List.of(beat(third, 1)), List.of(A1, A2), List.of()));
  }

  @Test
  void aFormerIncarnationMayBeatWhenTheNewOneDoesNot() {
    beats(A1);
    beats(A2);
    leave(A2);
    beats(beat(A1, 2), LONG);
    assertThat(census()).isEqualTo(census(List.of(beat(A1, 2)), List.of(), List.of(A2)));
  }

  @Test
  void whoGoesByItselfIsToldApart() {
    beats(A1);
    beats(B1);
    leave(A1);
    assertThat(census()).isEqualTo(census(List.of(beat(B1, 1)), List.of(), List.of(A1)));
    beats(beat(A1, 2), LONG);
    assertThat(census()).isEqualTo(census(List.of(beat(A1, 2), beat(B1, 1)), List.of(), List.of()));
  }

  @Test
  void aFormerIncarnationThatGoesTakesNothingFromTheNewOne() {
    beats(A1);
    beats(A2);
    leave(A1);
    assertThat(census()).isEqualTo(census(List.of(beat(A2, 1)), List.of(), List.of(A1)));
    leave(member("c", 1));
    assertThat(census()).isEqualTo(census(List.of(beat(A2, 1)), List.of(), List.of(A1)));
  }

  @Test
  void forgetsWhoHasNoCallInAnyPartition() {
    beats(A1);
    leave(A1);
    assertThat(swept(A1, partitions(0, 10))).isEqualTo(new Answer.Found<>(54));
    assertThat(swept(A1, partitions(5, 63))).isEqualTo(new Answer.Found<>(1));
    assertThat(census()).isEqualTo(census(List.of(), List.of(), List.of(A1)));
    assertThat(swept(A1, partitions(63, 64))).isEqualTo(new Answer.Found<>(0));
    assertThat(census()).isEqualTo(census(List.of(), List.of(), List.of()));
    assertThat(swept(A1, partitions(3, 4))).isEqualTo(new Answer.Found<>(0));
  }

  @Test
  void doesNotForgetWhoBeats() {
    beats(A1);
    assertThat(swept(A1, partitions(0, 64))).isEqualTo(new Answer.Found<>(64));
    assertThat(census()).isEqualTo(census(List.of(beat(A1, 1)), List.of(), List.of()));
  }

  /** It may have got new calls in partitions that were found without any. */
  @Test
  void whoCameBackIsSweptFromTheStart() {
    beats(A1);
    leave(A1);
    swept(A1, partitions(0, 63));
    beats(beat(A1, 2), LONG);
    leave(A1);
    assertThat(swept(A1, partitions(63, 64))).isEqualTo(new Answer.Found<>(63));
  }

  @Test
  void refusesToSweepNothing() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> store().swept(A1, List.of(), answer -> {}));
  }

  @Test
  void remembersSoManyMembers() {
    for (int i = 1; i <= ClusterStore.MAX_MEMBERS + 1; i++) {
      beats(member("n" + i, i));
      // Redis tells beats apart by milliseconds.
      if (i == 1) {
        pass(Duration.ofMillis(5));
      }
    }
    Answer<Census> said = census();
    assertThat(said).isInstanceOf(Answer.Found.class);
    List<Beat> beating = ((Answer.Found<Census>) said).value().beating();
    assertThat(beating).hasSize(ClusterStore.MAX_MEMBERS);
    assertThat(beating).noneMatch(each -> each.node().text().equals("n1"));
  }

  @Test
  void givesAPartitionToWhoAsksFirst() {
    long epoch = epochOf(P, A1);
    assertThat(epoch).isPositive();
    assertThat(keep(P, B1, A1, B1)).isEqualTo(new Keeping.Held(Optional.of(A1), epoch));
    assertThat(epochOf(P, A1)).as("asked again").isEqualTo(epoch);
    assertThat(keep(Q, B1)).isInstanceOf(Keeping.Held.class);
  }

  @Test
  void takesAPartitionFromWhoDoesNotLiveUnderAHigherEpoch() {
    long first = epochOf(P, A1);
    long second = epochOf(P, B1, B1);
    assertThat(second).isGreaterThan(first);
    long third = epochOf(P, A2, A1, A2);
    assertThat(third).as("another incarnation is another member").isGreaterThan(second);
  }

  @Test
  void whatIsGivenUpIsNobodysAndKeepsItsEpoch() {
    long first = epochOf(P, A1);
    assertThat(giveUp(P, B1)).isEqualTo(new Keeping.Held(Optional.of(A1), first));
    assertThat(giveUp(P, A1)).isEqualTo(new Keeping.Held(Optional.empty(), first));
    assertThat(giveUp(P, A1)).isEqualTo(new Keeping.Held(Optional.empty(), first));
    assertThat(epochOf(P, B1, A1, B1)).isGreaterThan(first);
    assertThat(giveUp(Q, A1)).isEqualTo(new Keeping.Held(Optional.empty(), 0));
  }

  private PartitionStore.Answer<PartitionStore.DueTimer> claim(long epoch) {
    return this.<PartitionStore.Answer<PartitionStore.DueTimer>>ask(
        answer -> partitions().claimTimers(P, OptionalLong.of(epoch), 10, answer));
  }

  @Test
  void onlyTheKeepersEpochClaims() {
    long first = epochOf(P, A1);
    assertThat(claim(first)).isEqualTo(new PartitionStore.Batch<>(List.of(), false));
    long second = epochOf(P, B1);
    assertThat(claim(first)).isEqualTo(new PartitionStore.Fenced<>(second));
    assertThat(claim(second)).isEqualTo(new PartitionStore.Batch<>(List.of(), false));
  }
}
