package io.sippbx.control.store;

import static io.sippbx.control.store.CallStoreContract.CALL;
import static io.sippbx.control.store.CallStoreContract.PARTITION;
import static io.sippbx.control.store.CallStoreContract.event;
import static io.sippbx.control.store.CallStoreContract.key;
import static io.sippbx.control.store.CallStoreContract.note;
import static io.sippbx.control.store.CallStoreContract.versioned;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.PartitionStore.Batch;
import io.sippbx.control.store.PartitionStore.OutboxEntry;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("a fail-over that loses acknowledged writes")
class RestoringCallStoreTest {

  private static final Member C1 = new Member(new NodeId("c1"), new Incarnation(1));

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final Loops loops = clock.loops("node", 2);
  private final FailingOver<Note> stored = new FailingOver<>(loops);
  private RestoringCallStore<Note> node = restoring(100);

  private RestoringCallStore<Note> restoring(int limit) {
    return new RestoringCallStore<>(stored, loops, limit, each -> each.text().startsWith("ended"));
  }

  private <T> T ask(Consumer<Consumer<T>> question) {
    var answers = new ArrayList<T>();
    question.accept(answers::add);
    assertThat(answers).as("never answered inline").isEmpty();
    assertThat(clock.runUntil(() -> !answers.isEmpty(), Duration.ofSeconds(5))).isTrue();
    clock.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private CommitAnswer<Note> commit(CallStore<Note> by, CallCommit<Note> commit) {
    return this.<CommitAnswer<Note>>ask(answer -> by.commit(commit, answer));
  }

  private ReadAnswer<Note> read(CallStore<Note> by, CallKey call) {
    return this.<ReadAnswer<Note>>ask(answer -> by.read(call, answer));
  }

  private static CallCommit<Note> step(
      CallKey call, Optional<Versioned<Note>> read, long id, Duration keep) {
    return new CallCommit<>(
        call,
        read,
        new CommitId(id),
        Optional.of(note("n" + id)),
        List.of(event("e" + id)),
        CallIndex.NONE,
        keep,
        OptionalLong.empty());
  }

  private static CallCommit<Note> step(long version) {
    return step(CALL, before(version), version, CallCommit.LAST_RESORT);
  }

  private static Optional<Versioned<Note>> before(long version) {
    return version == 1 ? Optional.empty() : Optional.of(record(version - 1));
  }

  private static Versioned<Note> record(long version) {
    return versioned(version, version, note("n" + version));
  }

  /** Two commits that the replica has, and two that it has not. */
  private void loseTwo() {
    for (int i = 1; i <= 4; i++) {
      if (i == 3) {
        stored.part();
      }
      assertThat(commit(node, step(i))).isInstanceOf(CommitAnswer.Applied.class);
    }
    stored.failOver();
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(2)));
  }

  /** Another node has ended the call of {@code step(1)}, whose tombstone is over. */
  private void endElsewhere() {
    commit(
        stored,
        new CallCommit<>(
            CALL, Optional.of(record(1)), new CommitId(2), Optional.empty(), List.of()));
  }

  private List<String> events() {
    PartitionStore.Answer<OutboxEntry> answer =
        this.<PartitionStore.Answer<OutboxEntry>>ask(
            each -> stored.current().outbox(PARTITION, Optional.empty(), 1000, each));
    assertThat(answer).isInstanceOf(Batch.class);
    return ((Batch<OutboxEntry>) answer).entries().stream().map(each -> each.event().id()).toList();
  }

  @Test
  void isMendedByTheNextCommitAndTheEventsOfAllThatWasLostAreBack() {
    loseTwo();
    assertThat(commit(node, step(5))).isInstanceOf(CommitAnswer.Applied.class);
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(5)));
    assertThat(events()).startsWith("e1", "e2").contains("e3", "e4").endsWith("e5");
    assertThat(node.restored()).isEqualTo(1);
  }

  @Test
  void isMendedByARead() {
    loseTwo();
    assertThat(read(node, CALL)).isEqualTo(new ReadAnswer.Found<>(record(4)));
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(4)));
  }

  @Test
  void isMendedWhereAllOfTheCallWasLost() {
    stored.part();
    commit(node, step(1));
    stored.failOver();
    assertThat(read(stored, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(commit(node, step(2))).isInstanceOf(CommitAnswer.Applied.class);
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(2)));
    assertThat(read(node, CALL)).isEqualTo(new ReadAnswer.Found<>(record(2)));
  }

  @Test
  void isMendedWithWhatWasPutAwayInPlaceOfTheRecord() {
    stored.part();
    commit(node, step(1));
    commit(node, step(2));
    node.fold(CALL, new CommitId(2), () -> note("put away"));
    node.fold(CALL, new CommitId(1), () -> note("of an earlier commit"));
    stored.failOver();
    assertThat(read(node, CALL))
        .isEqualTo(new ReadAnswer.Found<>(versioned(2, 2, note("put away"))));
    assertThat(read(stored, CALL))
        .isEqualTo(new ReadAnswer.Found<>(versioned(2, 2, note("put away"))));
    assertThat(events()).as("those of both").containsExactly("e1", "e2");
  }

  @Test
  void isMendedForCallsThatNobodyAsksAbout() {
    stored.part();
    for (int i = 1; i <= 80; i++) {
      commit(node, step(key(i), Optional.empty(), i, CallCommit.LAST_RESORT));
    }
    stored.failOver();
    node.offerAgain();
    clock.runReady();
    for (int i = 1; i <= 80; i++) {
      assertThat(read(stored, key(i)))
          .isEqualTo(new ReadAnswer.Found<>(versioned(1, i, note("n" + i))));
    }
    assertThat(node.restored()).isEqualTo(80);
    assertThat(node.offers()).isEqualTo(1);
  }

  @Test
  void changesNothingWhereNothingWasLost() {
    commit(node, step(1));
    commit(node, step(2));
    node.offerAgain();
    clock.runReady();
    assertThat(events()).containsExactly("e1", "e2");
    assertThat(stored.restores()).isEqualTo(1);
    assertThat(node.restored()).isZero();
  }

  @Test
  void isMendedHoweverLongTheStoreWasAway() {
    stored.part();
    commit(node, step(1));
    stored.goAway();
    assertThat(commit(node, step(2))).isInstanceOf(CommitAnswer.Unknown.class);
    clock.advance(Duration.ofMinutes(5));
    stored.failOver();
    node.offerAgain();
    clock.runReady();
    assertThat(commit(node, step(2))).isInstanceOf(CommitAnswer.Applied.class);
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(2)));
  }

  @Test
  void isMendedAfterOffersThatHadNoAnswer() {
    stored.part();
    commit(node, step(1));
    stored.goAway();
    node.offerAgain();
    clock.advance(Duration.ofSeconds(10));
    stored.failOver();
    clock.advance(Duration.ofSeconds(2));
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(1)));
  }

  @Test
  void endsItsOffersToAStoreThatStaysAway() {
    commit(node, step(1));
    stored.goAway();
    node.offerAgain();
    clock.runAll();
    assertThat(stored.restores()).isEqualTo(RestoringCallStore.ROUNDS);
  }

  @Test
  void leavesWhatIsNewerInTheStoreAlone() {
    RestoringCallStore<Note> other = restoring(100);
    commit(node, step(1));
    commit(other, step(2));
    assertThat(commit(node, step(CALL, before(2), 7, CallCommit.LAST_RESORT)))
        .isEqualTo(new CommitAnswer.Conflict<>(record(2)));
    node.offerAgain();
    clock.runReady();
    assertThat(read(node, CALL)).isEqualTo(new ReadAnswer.Found<>(record(2)));
    assertThat(stored.restores()).isZero();
  }

  /** A call went from one node to another within what the fail-over has lost. */
  @ParameterizedTest(name = "the later node first: {0}")
  @ValueSource(booleans = {true, false})
  void isMendedByBothNodesWhoseCommitsWereLostAndNoEventIsMissing(boolean laterFirst) {
    RestoringCallStore<Note> other = restoring(100);
    commit(node, step(1));
    stored.part();
    commit(node, step(2));
    commit(other, step(3));
    stored.failOver();
    assertThat(events()).containsExactly("e1");
    for (RestoringCallStore<Note> each : laterFirst ? List.of(other, node) : List.of(node, other)) {
      each.offerAgain();
      clock.runReady();
    }
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(3)));
    assertThat(events()).contains("e1", "e2", "e3");
  }

  @Test
  void leavesAnotherHistoryOfTheSameVersionAlone() {
    commit(node, step(1));
    stored.part();
    commit(node, step(2));
    stored.failOver();
    // Another node has gone on from what the fail-over left.
    var theirs = step(CALL, Optional.of(record(1)), 9, CallCommit.LAST_RESORT);
    commit(stored, theirs);
    assertThat(commit(node, step(3)))
        .isEqualTo(new CommitAnswer.Conflict<>(versioned(2, 9, note("n9"))));
    assertThat(stored.restores()).isZero();
  }

  /** The call ended here, which the fail-over loses; another goes on from before that. */
  private void loseTheEnd(Optional<Member> owner, int more) {
    commit(node, step(1));
    stored.part();
    CallIndex index = new CallIndex(owner, List.of(), new TreeMap<>(), false);
    commit(node, ends(2, index));
    stored.failOver();
    for (int i = 0; i <= more; i++) {
      Versioned<Note> before = i == 0 ? record(1) : versioned(1 + i, 8 + i, note("n" + (8 + i)));
      commit(stored, step(CALL, Optional.of(before), 9 + i, CallCommit.LAST_RESORT));
    }
  }

  private static CallCommit<Note> ends(long version, CallIndex index) {
    return new CallCommit<>(
        CALL,
        before(version),
        new CommitId(version),
        Optional.of(note("ended")),
        List.of(event("e" + version)),
        index,
        Duration.ofSeconds(42),
        OptionalLong.empty());
  }

  @ParameterizedTest(name = "{0} commits after the first of the other")
  @ValueSource(ints = {0, 1})
  @DisplayName("seed 71000153: an end stands over what another has made of the call before it")
  void endsACallThatAnotherHasTakenUpFromBeforeItsEnd(int more) {
    loseTheEnd(Optional.empty(), more);
    node.offerAgain();
    clock.runReady();
    assertThat(read(stored, CALL))
        .isEqualTo(new ReadAnswer.Found<>(versioned(3 + more, 2, note("ended"))));
    assertThat(events()).as("its end has the number that it had").endsWith("e2");
    assertThat(node.restored()).isEqualTo(1);
    node.offerAgain();
    clock.runReady();
    assertThat(node.restored()).as("once").isEqualTo(1);
  }

  @Test
  void endsItWhereItIsReadToo() {
    loseTheEnd(Optional.empty(), 0);
    ReadAnswer<Note> ended = new ReadAnswer.Found<>(versioned(3, 2, note("ended")));
    assertThat(read(node, CALL)).isEqualTo(ended);
    assertThat(read(stored, CALL)).isEqualTo(ended);
    clock.advance(Duration.ofSeconds(43));
    assertThat(read(stored, CALL)).as("for as long").isInstanceOf(ReadAnswer.Absent.class);
  }

  @Test
  void endsItWhereSomethingIsCommittedToo() {
    loseTheEnd(Optional.empty(), 0);
    assertThat(commit(node, step(3)))
        .isEqualTo(new CommitAnswer.Conflict<>(versioned(3, 2, note("ended"))));
  }

  @Test
  void endsItOnceTheStoreAnswers() {
    loseTheEnd(Optional.empty(), 0);
    stored.goAway();
    node.offerAgain();
    clock.advance(Duration.ofSeconds(1));
    stored.comeBack();
    clock.advance(Duration.ofSeconds(2));
    assertThat(read(stored, CALL))
        .isEqualTo(new ReadAnswer.Found<>(versioned(3, 2, note("ended"))));
  }

  @Test
  void leavesWhatHasEndedInAnotherWayAlone() {
    loseTheEnd(Optional.empty(), 0);
    var theirs =
        new CallCommit<>(
            CALL,
            Optional.of(versioned(2, 9, note("n9"))),
            new CommitId(10),
            Optional.of(note("ended otherwise")),
            List.of());
    commit(stored, theirs);
    assertThat(read(node, CALL))
        .isEqualTo(new ReadAnswer.Found<>(versioned(3, 10, note("ended otherwise"))));
  }

  /** A caller that has not acknowledged its refusal may be called for by who goes on. */
  @Test
  void leavesACallAloneOfWhoseEndSomebodyHasNotHeard() {
    loseTheEnd(Optional.of(C1), 0);
    node.offerAgain();
    clock.runReady();
    assertThat(read(node, CALL)).isEqualTo(new ReadAnswer.Found<>(versioned(2, 9, note("n9"))));
  }

  @Test
  void leavesACallAloneThatAnotherHasOpen() {
    loseTheEnd(Optional.empty(), 0);
    var theirs =
        new CallCommit<>(
            CALL,
            Optional.of(versioned(2, 9, note("n9"))),
            new CommitId(10),
            Optional.of(note("n10")),
            List.of(),
            new CallIndex(Optional.of(C1), List.of(), new TreeMap<>()),
            CallCommit.LAST_RESORT,
            OptionalLong.empty());
    commit(stored, theirs);
    node.offerAgain();
    clock.runReady();
    assertThat(read(node, CALL))
        .isEqualTo(
            new ReadAnswer.Found<>(
                new Versioned<>(3, new CommitId(10), note("n10"), Optional.of(C1))));
  }

  @Test
  void bringsNoRecordBackThatWasRemovedOrHasEnded() {
    commit(node, step(CALL, Optional.empty(), 1, Duration.ofSeconds(10)));
    commit(node, step(key(2), Optional.empty(), 2, CallCommit.LAST_RESORT));
    commit(
        node,
        new CallCommit<>(
            key(2),
            Optional.of(versioned(1, 2, note("n2"))),
            new CommitId(3),
            Optional.empty(),
            List.of()));
    clock.advance(Duration.ofSeconds(11));
    node.offerAgain();
    clock.runReady();
    assertThat(read(node, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(stored.restores()).isZero();
  }

  @Test
  void bringsNothingBackThatIsOlderThanAFailOverCouldLose() {
    RestoringCallStore<Note> other = restoring(100);
    commit(node, step(1));
    commit(other, step(2));
    commit(
        other,
        new CallCommit<>(
            CALL, Optional.of(record(2)), new CommitId(3), Optional.empty(), List.of()));
    clock.advance(RecentCommits.WINDOW.plusSeconds(1));
    assertThat(read(node, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    node.offerAgain();
    clock.runReady();
    assertThat(read(stored, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(stored.restores()).isZero();
  }

  @Test
  void forgetsForAgeAgainOnceTheStoreHasBeenBackForAWhile() {
    commit(node, step(1));
    stored.goAway();
    assertThat(commit(node, step(2))).isInstanceOf(CommitAnswer.Unknown.class);
    clock.advance(Duration.ofMinutes(5));
    stored.failOver();
    assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Absent.class);
    clock.advance(RecentCommits.HOLD.plusSeconds(1));
    node.offerAgain();
    clock.runReady();
    assertThat(stored.restores()).isZero();
  }

  @Test
  void forgetsForAgeWhereTheStoreGivesNoAnswerNowAndThen() {
    commit(node, step(1));
    endElsewhere();
    Duration between = RecentCommits.HOLD.minusSeconds(1);
    for (int i = 0; i < 5; i++) {
      clock.advance(between);
      stored.goAway();
      assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Unavailable.class);
      stored.comeBack();
      assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Absent.class);
    }
    assertThat(read(node, CALL))
        .as("it has ended, and so has its tombstone")
        .isInstanceOf(ReadAnswer.Absent.class);
    node.offerAgain();
    clock.runReady();
    assertThat(stored.restores()).isZero();
  }

  /** As one that was cut off from the store, while others went on with its calls. */
  @Test
  void bringsNothingBackWhereTheSameServerAnswersAgainAfterLong() {
    commit(node, step(1));
    commit(node, step(key(2), Optional.empty(), 1, CallCommit.LAST_RESORT));
    endElsewhere();
    stored.goAway();
    assertThat(read(node, CALL)).isInstanceOf(ReadAnswer.Unavailable.class);
    clock.advance(RecentCommits.WINDOW.plus(RecentCommits.HOLD));
    stored.comeBack();
    assertThat(read(node, CALL)).as("it has ended").isInstanceOf(ReadAnswer.Absent.class);
    assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Found.class);
    assertThat(stored.restores()).isZero();
  }

  @Test
  void bringsNothingBackWhereAnotherServerAnswersThatAnEndAndItsTombstoneMayHaveBeenOn() {
    commit(node, step(1));
    endElsewhere();
    clock.advance(RecentCommits.LAG.plusSeconds(1));
    stored.goAway();
    assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Unavailable.class);
    clock.advance(RecentCommits.WINDOW);
    stored.comeBack();
    node.offerAgain();
    clock.runReady();
    assertThat(read(node, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(stored.restores()).isZero();
  }

  @Test
  void isMendedWhereTheStoreHasGivenAnAnswerBetweenTwoTimesThatItWasAway() {
    stored.part();
    commit(node, step(1));
    clock.advance(RecentCommits.LAG.minusSeconds(1));
    for (int i = 0; i < 2; i++) {
      stored.comeBack();
      assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Absent.class);
      stored.goAway();
      assertThat(read(node, key(2))).isInstanceOf(ReadAnswer.Unavailable.class);
      clock.advance(Duration.ofMinutes(1));
    }
    stored.failOver();
    node.offerAgain();
    clock.runReady();
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(1)));
  }

  /** Its loop may ask the store for nothing else for long, and the call end meanwhile. */
  @Test
  void forgetsForAgeOnceItsOffersWereAnswered() {
    commit(node, step(1));
    stored.failOver();
    node.offerAgain();
    clock.runReady();
    endElsewhere();
    clock.advance(RecentCommits.WINDOW.plus(RecentCommits.HOLD).plusSeconds(1));
    assertThat(read(node, CALL)).isInstanceOf(ReadAnswer.Absent.class);
    assertThat(stored.restores()).as("the offer").isEqualTo(1);
  }

  @Test
  void remembersForAWhileAndWithinALimit() {
    commit(node, step(1));
    clock.advance(RecentCommits.WINDOW.plusSeconds(1));
    commit(node, step(key(1), Optional.empty(), 2, CallCommit.LAST_RESORT));
    clock.advance(Duration.ofSeconds(1));
    // Each loop forgets with what it is told itself.
    commit(node, step(key(2), Optional.empty(), 3, CallCommit.LAST_RESORT));
    assertThat(node.remembered()).isEqualTo(2);
    assertThat(node.forgottenEarly()).isZero();
    for (int i = 10; i < 300; i++) {
      commit(node, step(key(i), Optional.empty(), i, CallCommit.LAST_RESORT));
    }
    assertThat(node.remembered()).isEqualTo(100);
    assertThat(node.forgottenEarly()).isEqualTo(192);
  }

  @Test
  void remembersNothingWhereItIsNotToAndSaysWhatTheStoreSays() {
    node = restoring(0);
    loseTwo();
    assertThat(commit(node, step(5))).isEqualTo(new CommitAnswer.Conflict<>(record(2)));
    assertThat(node.remembered()).isZero();
    assertThat(node.forgottenEarly()).isZero();
    assertThatThrownBy(() -> restoring(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aCommitWhoseAnswerWasLostIsMendedByTheSameCommit() {
    commit(node, step(1));
    stored.part();
    commit(node, step(2));
    // Applied there, unknown here, and lost with what was before it.
    commit(stored, step(3));
    stored.failOver();
    assertThat(commit(node, step(3))).isInstanceOf(CommitAnswer.Applied.class);
    assertThat(read(stored, CALL)).isEqualTo(new ReadAnswer.Found<>(record(3)));
  }
}
