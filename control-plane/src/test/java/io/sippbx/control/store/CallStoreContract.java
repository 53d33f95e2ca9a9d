package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.store.PartitionStore.Batch;
import io.sippbx.control.store.PartitionStore.DueTimer;
import io.sippbx.control.store.PartitionStore.OutboxEntry;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link CallStore} promises (law 2): each implementation runs this suite. */
@DisplayName("the commit contract of calls")
abstract class CallStoreContract {

  static final CallKey CALL = key(0);

  /** The limit of a partition's outbox in the store under test. */
  static final int OUTBOX = 100;

  static final Partition PARTITION = Partition.of(CALL);
  private static final Optional<Member> NOWHERE = Optional.empty();
  private static final SortedMap<String, Instant> NO_TIMERS = new TreeMap<>();
  static final NodeId NODE_A = new NodeId("control-a");
  static final NodeId NODE_B = new NodeId("control-b");
  static final Member OWNER_A = new Member(NODE_A, new Incarnation(0xa));
  static final Member OWNER_B = new Member(NODE_B, new Incarnation(-1));
  static final NodeId MEDIA_A = new NodeId("media-a");
  static final NodeId MEDIA_B = new NodeId("media-b");

  /** The store under test: empty at the start of each test. */
  abstract CallStore<Note> store();

  /** The same store by partition. */
  abstract PartitionStore partitions();

  /** Time as the store sees it. */
  abstract Instant now();

  /** Lets time pass for the store. */
  abstract void pass(Duration time);

  /** Makes an epoch the partition's, as its keeper's election does. */
  abstract void setEpoch(Partition partition, long epoch);

  /**
   * Asks and gives the one answer.
   *
   * @throws AssertionError if none comes, or more than one, or it comes inline
   */
  abstract <T> T ask(Consumer<Consumer<T>> question);

  /** A call; all are in one partition. */
  static CallKey key(int number) {
    var octets = new byte[16];
    octets[14] = (byte) (number >>> 8);
    octets[15] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  static CallEvent event(String id) {
    return CallEvent.newBuilder().setEventId(id).build();
  }

  static Note note(String text) {
    return new Note(text);
  }

  static Versioned<Note> versioned(long version, long commit, Note record) {
    return new Versioned<>(version, new CommitId(commit), record);
  }

  /** As it is restored: {@link #OWNER_A} had it. */
  static Versioned<Note> owned(long version, long commit, Note record) {
    return new Versioned<>(version, new CommitId(commit), record, Optional.of(OWNER_A));
  }

  static CallIndex index(
      Optional<Member> owner, List<NodeId> onMedia, SortedMap<String, Instant> timers) {
    return new CallIndex(owner, onMedia, timers);
  }

  CommitAnswer<Note> commit(CallCommit<Note> commit) {
    return this.<CommitAnswer<Note>>ask(answer -> store().commit(commit, answer));
  }

  CommitAnswer<Note> commit(Optional<Versioned<Note>> read, long id, Optional<Note> record) {
    return commit(new CallCommit<>(CALL, read, new CommitId(id), record, List.of()));
  }

  static CommitAnswer.Applied<Note> appliedAs(CommitAnswer<Note> answer) {
    if (answer instanceof CommitAnswer.Applied<Note> applied) {
      return applied;
    }
    throw new AssertionError("Expected Applied, but got " + answer);
  }

  /** Commits and gives what then stands there. */
  Versioned<Note> applied(CallCommit<Note> commit) {
    assertThat(appliedAs(commit(commit)).version()).isEqualTo(commit.expectedVersion() + 1);
    return new Versioned<>(
        commit.expectedVersion() + 1,
        commit.id(),
        commit.record().orElse(note("")),
        commit.index().owner());
  }

  Versioned<Note> applied(Optional<Versioned<Note>> read, long id, Note record) {
    return applied(new CallCommit<>(CALL, read, new CommitId(id), Optional.of(record), List.of()));
  }

  Versioned<Note> indexed(CallKey call, Optional<Versioned<Note>> read, long id, CallIndex index) {
    return applied(
        new CallCommit<>(
            call,
            read,
            new CommitId(id),
            Optional.of(note("n" + id)),
            List.of(),
            index,
            CallCommit.LAST_RESORT,
            OptionalLong.empty()));
  }

  ReadAnswer<Note> read(CallKey call) {
    return this.<ReadAnswer<Note>>ask(answer -> store().read(call, answer));
  }

  ReadAnswer<Note> read() {
    return read(CALL);
  }

  private <T> Batch<T> batch(Consumer<Consumer<PartitionStore.Answer<T>>> question) {
    PartitionStore.Answer<T> answer = ask(question);
    assertThat(answer).isInstanceOf(Batch.class);
    return (Batch<T>) answer;
  }

  private List<CallKey> inFlight(NodeId node) {
    return this.<CallKey>batch(
            answer -> partitions().inFlight(PARTITION, node, Optional.empty(), 1000, answer))
        .entries();
  }

  private List<CallKey> onMedia(NodeId node) {
    return this.<CallKey>batch(
            answer -> partitions().onMedia(PARTITION, node, Optional.empty(), 1000, answer))
        .entries();
  }

  private List<CallKey> calls() {
    return this.<CallKey>batch(
            answer -> partitions().calls(PARTITION, Optional.empty(), 1000, answer))
        .entries();
  }

  private Batch<DueTimer> claim(int limit) {
    return batch(
        answer -> partitions().claimTimers(PARTITION, OptionalLong.empty(), limit, answer));
  }

  /** Asks for all partitions together. */
  Map<Partition, PartitionStore.Answer<DueTimer>> claimOfAll(OptionalLong epoch) {
    var answers = new ConcurrentHashMap<Partition, PartitionStore.Answer<DueTimer>>();
    var missing = new AtomicInteger(Partition.COUNT);
    return this.<Map<Partition, PartitionStore.Answer<DueTimer>>>ask(
        answer ->
            inOneTurn(
                () -> {
                  for (int i = 0; i < Partition.COUNT; i++) {
                    var partition = new Partition(i);
                    partitions()
                        .claimTimers(
                            partition,
                            epoch,
                            10,
                            each -> {
                              answers.put(partition, each);
                              if (missing.decrementAndGet() == 0) {
                                answer.accept(answers);
                              }
                            });
                  }
                }));
  }

  /** Runs what asks more than one thing, on the loop where there is one. */
  void inOneTurn(Runnable asking) {
    asking.run();
  }

  private Batch<OutboxEntry> outbox(Optional<OutboxId> after, int limit) {
    return batch(answer -> partitions().outbox(PARTITION, after, limit, answer));
  }

  private long depth() {
    return this.<Long>batch(answer -> partitions().outboxDepth(PARTITION, answer))
        .entries()
        .getFirst();
  }

  private CommitAnswer<Note> tell(
      int number, Optional<Versioned<Note>> read, long id, List<CallEvent> events) {
    return commit(
        new CallCommit<>(key(number), read, new CommitId(id), Optional.of(note("n" + id)), events));
  }

  @Nested
  @DisplayName("an outbox that nobody takes events out of")
  class FullOutboxes {

    private static final CallEvent END =
        CallEvent.newBuilder().setEventId("end").setEnded(Ended.getDefaultInstance()).build();

    private void fill() {
      for (int i = 1; i <= OUTBOX; i++) {
        assertThat(tell(i, Optional.empty(), i, List.of(event("e" + i))))
            .isInstanceOf(CommitAnswer.Applied.class);
      }
    }

    @Test
    void letsNoCallBeginAtItsLimit() {
      fill();
      int one = OUTBOX + 1;
      assertThat(tell(one, Optional.empty(), one, List.of(event("one more"))))
          .isEqualTo(new CommitAnswer.Full<>(OUTBOX));
      assertThat(read(key(one))).isEqualTo(new ReadAnswer.Absent<>());
      assertThat(depth()).isEqualTo(OUTBOX);
      assertThat(tell(one, Optional.empty(), one, List.of()))
          .as("what has nothing to tell")
          .isInstanceOf(CommitAnswer.Applied.class);
    }

    @Test
    void takesWhatHappensToCallsUpToTwiceItsLimitAndTheirEndsAlways() {
      fill();
      for (int i = 1; i <= OUTBOX; i++) {
        var read = Optional.of(versioned(1, i, note("n" + i)));
        assertThat(tell(i, read, 1000 + i, List.of(event("more" + i))))
            .isInstanceOf(CommitAnswer.Applied.class);
      }
      var up = Optional.of(versioned(2, 1001, note("n1001")));
      assertThat(tell(1, up, 2001, List.of(event("too much"))))
          .isEqualTo(new CommitAnswer.Full<>(2 * OUTBOX));
      assertThat(read(key(1))).isEqualTo(new ReadAnswer.Found<>(up.get()));
      assertThat(tell(1, up, 2002, List.of(event("before it"), END)))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(depth()).isEqualTo(2 * OUTBOX + 2);
    }

    @Test
    void knowsACommitThatItHasTakenAndOneThatIsOutOfDate() {
      fill();
      assertThat(tell(OUTBOX, Optional.empty(), OUTBOX, List.of(event("e" + OUTBOX))))
          .isInstanceOf(CommitAnswer.AlreadyApplied.class);
      assertThat(tell(1, Optional.empty(), 7777, List.of(event("late"))))
          .isInstanceOf(CommitAnswer.Conflict.class);
    }

    @Test
    void hasRoomAgainForAsMuchAsWasTakenOut() {
      fill();
      Batch<OutboxEntry> first = outbox(Optional.empty(), 1);
      var ids = List.of(first.entries().getFirst().id());
      CallStoreContract.this.<OutboxId>batch(
          answer -> partitions().acknowledge(PARTITION, ids, answer));
      assertThat(tell(500, Optional.empty(), 500, List.of(event("a"), event("b"))))
          .isEqualTo(new CommitAnswer.Full<>(OUTBOX - 1));
      assertThat(tell(501, Optional.empty(), 501, List.of(event("a"))))
          .isInstanceOf(CommitAnswer.Applied.class);
    }

    @Test
    void takesBackWhatAFailOverHasLost() {
      fill();
      var lost =
          new CallRestore<>(
              key(900),
              versioned(3, 9, note("lost")),
              List.of(event("lost")),
              CallIndex.NONE,
              CallCommit.LAST_RESORT);
      CommitAnswer<Note> answer =
          CallStoreContract.this.<CommitAnswer<Note>>ask(each -> store().restore(lost, each));
      assertThat(answer).isInstanceOf(CommitAnswer.Applied.class);
    }
  }

  @Nested
  @DisplayName("a commit")
  class Commits {

    @Test
    void appliesToWhatWasRead() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a"));
      Versioned<Note> b = applied(Optional.of(a), 2, note("b"));
      assertThat(b.version()).isEqualTo(2);
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(b));
      assertThat(read(key(1))).isEqualTo(new ReadAnswer.Absent<>());
    }

    @Test
    void isKnownWhenItIsSentAgain() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a"));
      assertThat(commit(Optional.empty(), 1, Optional.of(note("a"))))
          .isEqualTo(new CommitAnswer.AlreadyApplied<>(1));
      applied(Optional.of(a), 2, note("b"));
      assertThat(commit(Optional.of(a), 2, Optional.of(note("b"))))
          .isEqualTo(new CommitAnswer.AlreadyApplied<>(2));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(versioned(2, 2, note("b"))));
    }

    @Test
    void isRefusedOnAnotherVersionAndToldWhatStands() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a").with("invite", "INVITE"));
      assertThat(commit(Optional.empty(), 2, Optional.of(note("x"))))
          .isEqualTo(new CommitAnswer.Conflict<>(a));
      assertThat(commit(Optional.of(versioned(7, 1, note("a"))), 3, Optional.of(note("x"))))
          .isEqualTo(new CommitAnswer.Conflict<>(a));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(a));
    }

    /** After a fail-over that lost writes two nodes may hold the same version of two histories. */
    @Test
    void isRefusedOnTheSameVersionOfAnotherHistory() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a"));
      assertThat(commit(Optional.of(versioned(1, 9, note("z"))), 2, Optional.of(note("x"))))
          .isEqualTo(new CommitAnswer.Conflict<>(a));
    }

    @Test
    void isGoneWhereARecordWasRead() {
      assertThat(commit(Optional.of(versioned(3, 1, note("x"))), 2, Optional.of(note("x"))))
          .isEqualTo(new CommitAnswer.Gone<>());
      assertThat(read()).isEqualTo(new ReadAnswer.Absent<>());
    }

    @Test
    void removesTheRecord() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a").with("invite", "INVITE"));
      assertThat(commit(Optional.of(a), 2, Optional.empty()))
          .isEqualTo(new CommitAnswer.Applied<>(2));
      assertThat(read()).isEqualTo(new ReadAnswer.Absent<>());
      assertThat(commit(Optional.of(a), 2, Optional.empty())).isEqualTo(new CommitAnswer.Gone<>());
    }

    @Test
    void writesFieldsOnceAndRemovesThem() {
      String big = "\r\n\0binary ".repeat(500);
      Versioned<Note> a =
          applied(Optional.empty(), 1, note("a").with("invite", big).with("out.1", "x"));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(a));
      Versioned<Note> b =
          applied(Optional.of(a), 2, note("b").with("invite", big).with("out.2", "y"));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(b));
      Versioned<Note> c = applied(Optional.of(b), 3, note("c"));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(c));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0x8000_0000L})
    void hasAnyIdOf64Bits(long id) {
      Versioned<Note> a = applied(Optional.empty(), id, note("a"));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(a));
      assertThat(commit(Optional.empty(), id, Optional.of(note("a"))))
          .isEqualTo(new CommitAnswer.AlreadyApplied<>(1));
    }

    @Test
    void isOfAnotherCallElsewhere() {
      for (int i = 0; i < 300; i += 7) {
        CallKey call = key(i);
        applied(
            new CallCommit<>(
                call, Optional.empty(), new CommitId(i), Optional.of(note("n" + i)), List.of()));
      }
      for (int i = 0; i < 300; i++) {
        assertThat(read(key(i)))
            .isEqualTo(
                i % 7 == 0
                    ? new ReadAnswer.Found<>(versioned(1, i, note("n" + i)))
                    : new ReadAnswer.Absent<Note>());
      }
    }
  }

  @Nested
  @DisplayName("a record")
  class Expiry {

    private CallCommit<Note> kept(Optional<Versioned<Note>> read, long id, Duration keep) {
      return new CallCommit<>(
          CALL,
          read,
          new CommitId(id),
          Optional.of(note("n" + id)),
          List.of(),
          index(Optional.of(OWNER_A), List.of(MEDIA_A), new TreeMap<>()),
          keep,
          OptionalLong.empty());
    }

    @Test
    void goesWhenNobodyCommitsAnyMore() {
      Versioned<Note> a = applied(kept(Optional.empty(), 1, Duration.ofMillis(1500)));
      assertThat(inFlight(NODE_A)).containsExactly(CALL);
      pass(Duration.ofMillis(1600));
      assertThat(read()).isEqualTo(new ReadAnswer.Absent<>());
      assertThat(commit(kept(Optional.of(a), 2, Duration.ofDays(1))))
          .isEqualTo(new CommitAnswer.Gone<>());
      assertThat(inFlight(NODE_A)).isEmpty();
      assertThat(onMedia(MEDIA_A)).isEmpty();
      applied(kept(Optional.empty(), 3, Duration.ofDays(1)));
    }

    @Test
    void livesOnFromEachCommit() {
      Versioned<Note> a = applied(kept(Optional.empty(), 1, Duration.ofMillis(1500)));
      Versioned<Note> b = applied(kept(Optional.of(a), 2, Duration.ofDays(1)));
      pass(Duration.ofMillis(1600));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(b));
    }

    @Test
    void isKeptForSomeTimeAtLeast() {
      assertThatThrownBy(() -> kept(Optional.empty(), 1, Duration.ZERO))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Nested
  @DisplayName("the outbox")
  class Outbox {

    private CallCommit<Note> telling(
        Optional<Versioned<Note>> read, long id, Optional<Note> record, String... events) {
      return new CallCommit<>(
          CALL,
          read,
          new CommitId(id),
          record,
          Arrays.stream(events).map(CallStoreContract::event).toList());
    }

    private List<String> told() {
      return outbox(Optional.empty(), 1000).entries().stream()
          .map(each -> each.event().id())
          .toList();
    }

    @Test
    void getsTheEventsOfACommitOnce() {
      CallCommit<Note> first = telling(Optional.empty(), 1, Optional.of(note("a")), "e1", "e2");
      CommitAnswer.Applied<Note> applied = appliedAs(commit(first));
      assertThat(applied.outbox()).hasSize(2).isSorted();
      assertThat(commit(first)).isEqualTo(new CommitAnswer.AlreadyApplied<>(1, applied.outbox()));
      assertThat(told()).containsExactly("e1", "e2");
      assertThat(depth()).isEqualTo(2);
      assertThat(outbox(Optional.empty(), 1000).entries())
          .extracting(OutboxEntry::id)
          .isEqualTo(applied.outbox());
    }

    @Test
    void getsNothingOfACommitThatIsNotApplied() {
      applied(telling(Optional.empty(), 1, Optional.of(note("a")), "e1"));
      commit(telling(Optional.empty(), 2, Optional.of(note("x")), "e2"));
      commit(telling(Optional.of(versioned(5, 5, note("y"))), 3, Optional.of(note("x")), "e3"));
      assertThat(told()).containsExactly("e1");
    }

    @Test
    void getsTheEventsOfARemoval() {
      Versioned<Note> a = applied(telling(Optional.empty(), 1, Optional.of(note("a"))));
      commit(telling(Optional.of(a), 2, Optional.empty(), "last"));
      assertThat(told()).containsExactly("last");
    }

    @Test
    void isReadInPages() {
      Optional<Versioned<Note>> read = Optional.empty();
      for (int i = 0; i < 5; i++) {
        read = Optional.of(applied(telling(read, i, Optional.of(note("a")), "e" + i, "f" + i)));
      }
      Batch<OutboxEntry> first = outbox(Optional.empty(), 7);
      assertThat(first.entries()).hasSize(7);
      assertThat(first.more()).isTrue();
      Batch<OutboxEntry> second = outbox(Optional.of(first.entries().getLast().id()), 7);
      assertThat(second.entries())
          .extracting(each -> each.event().id())
          .containsExactly("f3", "e4", "f4");
      assertThat(second.more()).isFalse();
    }

    @Test
    void losesWhatIsPutAside() {
      CommitAnswer.Applied<Note> applied =
          appliedAs(commit(telling(Optional.empty(), 1, Optional.of(note("a")), "e1", "e2", "e3")));
      List<OutboxId> poison = applied.outbox().subList(1, 2);
      assertThat(
              CallStoreContract.this.<OutboxId>batch(
                  answer -> partitions().setAside(PARTITION, poison, answer)))
          .isEqualTo(new Batch<>(poison, false));
      assertThat(told()).containsExactly("e1", "e3");
      assertThat(
              CallStoreContract.this.<OutboxId>batch(
                  answer -> partitions().setAside(PARTITION, poison, answer)))
          .isEqualTo(new Batch<OutboxId>(List.of(), false));
    }

    @Test
    void losesWhatIsAcknowledged() {
      CommitAnswer.Applied<Note> applied =
          appliedAs(commit(telling(Optional.empty(), 1, Optional.of(note("a")), "e1", "e2", "e3")));
      List<OutboxId> done = applied.outbox().subList(0, 2);
      for (int i = 0; i < 2; i++) {
        assertThat(
                CallStoreContract.this.<OutboxId>batch(
                    answer -> partitions().acknowledge(PARTITION, done, answer)))
            .isEqualTo(new Batch<>(done, false));
      }
      assertThat(told()).containsExactly("e3");
      assertThat(depth()).isEqualTo(1);
    }
  }

  @Nested
  @DisplayName("the indexes")
  class Indexes {

    @Test
    void followTheOwner() {
      Versioned<Note> a =
          indexed(
              CALL, Optional.empty(), 1, index(Optional.of(OWNER_A), List.of(), new TreeMap<>()));
      assertThat(inFlight(NODE_A)).containsExactly(CALL);
      Versioned<Note> b =
          indexed(CALL, Optional.of(a), 2, index(Optional.of(OWNER_B), List.of(), new TreeMap<>()));
      assertThat(inFlight(NODE_A)).isEmpty();
      assertThat(inFlight(NODE_B)).containsExactly(CALL);
      assertThat(b.owner()).contains(OWNER_B);
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(b));
      assertThat(commit(Optional.of(a), 9, Optional.of(note("x"))))
          .as("who lost the race is told who won")
          .isEqualTo(new CommitAnswer.Conflict<>(b));
      Versioned<Note> c = indexed(CALL, Optional.of(b), 3, CallIndex.NONE);
      assertThat(c.owner()).isEmpty();
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(c));
      assertThat(inFlight(NODE_B)).isEmpty();
    }

    @Test
    void followTheMedia() {
      Versioned<Note> a =
          indexed(
              CALL,
              Optional.empty(),
              1,
              index(Optional.empty(), List.of(MEDIA_A), new TreeMap<>()));
      Versioned<Note> b =
          indexed(
              CALL,
              Optional.of(a),
              2,
              index(Optional.empty(), List.of(MEDIA_B, MEDIA_A), new TreeMap<>()));
      assertThat(onMedia(MEDIA_A)).containsExactly(CALL);
      assertThat(onMedia(MEDIA_B)).containsExactly(CALL);
      indexed(CALL, Optional.of(b), 3, index(Optional.empty(), List.of(MEDIA_B), new TreeMap<>()));
      assertThat(onMedia(MEDIA_A)).isEmpty();
      assertThat(onMedia(MEDIA_B)).containsExactly(CALL);
    }

    @Test
    void listTheCallsThatHaveNotEnded() {
      Versioned<Note> a = indexed(CALL, Optional.empty(), 1, index(NOWHERE, List.of(), NO_TIMERS));
      CallKey other = key(7);
      indexed(other, Optional.empty(), 2, index(Optional.of(OWNER_A), List.of(), NO_TIMERS));
      assertThat(calls()).containsExactlyInAnyOrder(CALL, other).isSorted();
      indexed(CALL, Optional.of(a), 3, CallIndex.NONE);
      assertThat(calls()).containsExactly(other);
    }

    @Test
    void listNoCallThatWasRemovedOrHasExpired() {
      Versioned<Note> a = indexed(CALL, Optional.empty(), 1, index(NOWHERE, List.of(), NO_TIMERS));
      applied(
          new CallCommit<>(
              key(7),
              Optional.empty(),
              new CommitId(2),
              Optional.of(note("b")),
              List.of(),
              index(NOWHERE, List.of(), NO_TIMERS),
              Duration.ofMillis(20),
              OptionalLong.empty()));
      commit(Optional.of(a), 3, Optional.empty());
      pass(Duration.ofMillis(40));
      assertThat(calls()).isEmpty();
    }

    @Test
    void listTheCallsInPagesInOrder() {
      for (int i = 0; i < 25; i++) {
        indexed(key(i * 7 % 25), Optional.empty(), i, index(NOWHERE, List.of(), NO_TIMERS));
      }
      var seen = new ArrayList<CallKey>();
      Optional<CallKey> after = Optional.empty();
      boolean more = true;
      while (more) {
        Optional<CallKey> from = after;
        Batch<CallKey> page = batch(answer -> partitions().calls(PARTITION, from, 10, answer));
        assertThat(page.entries()).hasSizeBetween(1, 10);
        seen.addAll(page.entries());
        after = Optional.of(page.entries().getLast());
        more = page.more();
      }
      assertThat(seen).hasSize(25).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void loseARemovedCall() {
      var timers = new TreeMap<String, Instant>();
      timers.put("no-answer", now().minusSeconds(1));
      Versioned<Note> a =
          indexed(
              CALL,
              Optional.empty(),
              1,
              index(Optional.of(OWNER_A), List.of(MEDIA_A, MEDIA_B), timers));
      commit(Optional.of(a), 2, Optional.empty());
      assertThat(inFlight(NODE_A)).isEmpty();
      assertThat(onMedia(MEDIA_A)).isEmpty();
      assertThat(onMedia(MEDIA_B)).isEmpty();
      assertThat(claim(10).entries()).isEmpty();
    }

    @Test
    void areNotTouchedByACommitThatIsNotApplied() {
      indexed(
          CALL,
          Optional.empty(),
          1,
          index(Optional.of(OWNER_A), List.of(MEDIA_A), new TreeMap<>()));
      commit(Optional.empty(), 2, Optional.of(note("x")));
      assertThat(inFlight(NODE_A)).containsExactly(CALL);
      assertThat(onMedia(MEDIA_A)).containsExactly(CALL);
    }

    @Test
    void areReadInPagesInOrder() {
      List<CallKey> all = IntStream.range(0, 25).mapToObj(CallStoreContract::key).toList();
      for (int i = 0; i < all.size(); i++) {
        indexed(
            all.get(i * 7 % 25),
            Optional.empty(),
            i,
            index(Optional.of(OWNER_A), List.of(MEDIA_A), new TreeMap<>()));
      }
      var seen = new ArrayList<CallKey>();
      Optional<CallKey> after = Optional.empty();
      boolean more = true;
      while (more) {
        Optional<CallKey> from = after;
        Batch<CallKey> page =
            batch(answer -> partitions().inFlight(PARTITION, NODE_A, from, 10, answer));
        assertThat(page.entries()).hasSizeBetween(1, 10);
        seen.addAll(page.entries());
        after = Optional.of(page.entries().getLast());
        more = page.more();
      }
      assertThat(seen).isEqualTo(all.stream().sorted().toList());
      assertThat(onMedia(MEDIA_A)).isEqualTo(seen);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 1001})
    void refuseAPageOutOfBounds(int limit) {
      assertThatThrownBy(
              () -> partitions().inFlight(PARTITION, NODE_A, Optional.empty(), limit, answer -> {}))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Nested
  @DisplayName("a long timer")
  class Timers {

    private CallIndex timer(String name, Instant at) {
      var timers = new TreeMap<String, Instant>();
      timers.put(name, at);
      return index(Optional.empty(), List.of(), timers);
    }

    private Instant ms(Instant at) {
      return Instant.ofEpochMilli(at.toEpochMilli());
    }

    @Test
    void isClaimedOnceItIsDueAndThenLeftToWhoClaimedIt() {
      Instant due = ms(now().minusMillis(10));
      indexed(CALL, Optional.empty(), 1, timer("no-answer", due));
      assertThat(claim(10))
          .isEqualTo(new Batch<>(List.of(new DueTimer(CALL, "no-answer", due)), false));
      assertThat(claim(10).entries()).isEmpty();
    }

    @Test
    void isNotClaimedBefore() {
      indexed(CALL, Optional.empty(), 1, timer("no-answer", now().plusMillis(1500)));
      assertThat(claim(10).entries()).isEmpty();
      pass(Duration.ofMillis(1600));
      assertThat(claim(10).entries()).hasSize(1);
    }

    @Test
    void isClaimedAgainByAnotherWhenTheFirstDidNothing() {
      indexed(CALL, Optional.empty(), 1, timer("retry", now().minusMillis(10)));
      claim(10);
      pass(PartitionStore.CLAIM.plusMillis(100));
      assertThat(claim(10).entries())
          .singleElement()
          .satisfies(each -> assertThat(each.name()).isEqualTo("retry"));
    }

    @Test
    void isRemovedByTheCommitThatHandlesIt() {
      Versioned<Note> a = indexed(CALL, Optional.empty(), 1, timer("retry", now().minusMillis(10)));
      indexed(CALL, Optional.of(a), 2, timer("other", now().plusSeconds(600)));
      assertThat(claim(10).entries()).isEmpty();
    }

    @Test
    void isSetAnewByACommit() {
      Versioned<Note> a =
          indexed(CALL, Optional.empty(), 1, timer("retry", now().plusSeconds(600)));
      Instant due = ms(now().minusMillis(10));
      indexed(CALL, Optional.of(a), 2, timer("retry", due));
      assertThat(claim(10).entries()).containsExactly(new DueTimer(CALL, "retry", due));
    }

    @Test
    void isClaimedWithinABoundTheMostOverdueFirst() {
      for (int i = 0; i < 5; i++) {
        indexed(key(i), Optional.empty(), i, timer("retry", now().minusSeconds(i + 1)));
      }
      Batch<DueTimer> first = claim(3);
      assertThat(first.entries())
          .extracting(DueTimer::call)
          .containsExactly(key(4), key(3), key(2));
      assertThat(first.more()).isTrue();
      Batch<DueTimer> second = claim(3);
      assertThat(second.entries()).extracting(DueTimer::call).containsExactly(key(1), key(0));
      assertThat(second.more()).isFalse();
    }

    @Test
    void goesWithItsExpiredRecord() {
      applied(
          new CallCommit<>(
              CALL,
              Optional.empty(),
              new CommitId(1),
              Optional.of(note("a")),
              List.of(),
              timer("retry", now().minusMillis(10)),
              Duration.ofMillis(500),
              OptionalLong.empty()));
      pass(Duration.ofMillis(600));
      assertThat(claim(10).entries()).isEmpty();
    }

    @Test
    void isClaimedOfAllPartitionsInOneTurn() {
      Partition fenced = new Partition(PARTITION.number() + 1);
      setEpoch(PARTITION, 7);
      setEpoch(fenced, 8);
      indexed(CALL, Optional.empty(), 1, timer("retry", now().minusMillis(10)));
      Map<Partition, PartitionStore.Answer<DueTimer>> answers = claimOfAll(OptionalLong.of(7));
      assertThat(answers).hasSize(Partition.COUNT);
      answers.forEach(
          (partition, answer) -> {
            if (!partition.equals(PARTITION)) {
              assertThat(answer)
                  .isEqualTo(new PartitionStore.Fenced<>(partition.equals(fenced) ? 8 : 0));
            }
          });
      assertThat(((Batch<DueTimer>) Objects.requireNonNull(answers.get(PARTITION))).entries())
          .extracting(DueTimer::call)
          .containsExactly(CALL);
      assertThat(claimOfAll(OptionalLong.empty()).values())
          .as("it was put off")
          .hasSize(Partition.COUNT)
          .containsOnly(new Batch<>(List.of(), false));
    }

    @Test
    void isClaimedByThePartitionsKeeperOnly() {
      setEpoch(PARTITION, 7);
      indexed(CALL, Optional.empty(), 1, timer("retry", now().minusMillis(10)));
      assertThat(
              CallStoreContract.this.<PartitionStore.Answer<DueTimer>>ask(
                  answer -> partitions().claimTimers(PARTITION, OptionalLong.of(6), 10, answer)))
          .isEqualTo(new PartitionStore.Fenced<>(7));
      assertThat(
              CallStoreContract.this
                  .<DueTimer>batch(
                      answer -> partitions().claimTimers(PARTITION, OptionalLong.of(7), 10, answer))
                  .entries())
          .hasSize(1);
    }
  }

  @Nested
  @DisplayName("a keeper's commit")
  class Epochs {

    private CallCommit<Note> keepers(Optional<Versioned<Note>> read, long id, long epoch) {
      return new CallCommit<>(
          CALL,
          read,
          new CommitId(id),
          Optional.of(note("n" + id)),
          List.of(event("e" + id)),
          CallIndex.NONE,
          CallCommit.LAST_RESORT,
          OptionalLong.of(epoch));
    }

    @Test
    void isFencedWhenThePartitionHasAnother() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a"));
      assertThat(commit(keepers(Optional.of(a), 2, 3))).isEqualTo(new CommitAnswer.Fenced<>(0));
      setEpoch(PARTITION, 3);
      Versioned<Note> b = applied(keepers(Optional.of(a), 2, 3));
      setEpoch(PARTITION, 4);
      assertThat(commit(keepers(Optional.of(b), 3, 3))).isEqualTo(new CommitAnswer.Fenced<>(4));
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(b));
      assertThat(depth()).isEqualTo(1);
    }

    @Test
    void isKnownAsAppliedThoughThePartitionHasAnotherSince() {
      setEpoch(PARTITION, 3);
      applied(keepers(Optional.empty(), 1, 3));
      setEpoch(PARTITION, 4);
      CommitAnswer<Note> again = commit(keepers(Optional.empty(), 1, 3));
      assertThat(again)
          .isEqualTo(
              new CommitAnswer.AlreadyApplied<Note>(
                  1,
                  outbox(Optional.empty(), 10).entries().stream().map(OutboxEntry::id).toList()));
      assertThat(depth()).isEqualTo(1);
    }

    @Test
    void isNoConcernOfAnOwner() {
      setEpoch(PARTITION, 3);
      applied(Optional.empty(), 1, note("a"));
    }
  }

  @Nested
  @DisplayName("a record written back")
  class Restores {

    private CommitAnswer<Note> restore(Versioned<Note> ours) {
      return CallStoreContract.this.<CommitAnswer<Note>>ask(
          answer ->
              store()
                  .restore(
                      new CallRestore<>(
                          CALL,
                          ours,
                          List.of(event("e" + ours.version())),
                          index(Optional.of(OWNER_A), List.of(MEDIA_A), new TreeMap<>()),
                          CallCommit.LAST_RESORT),
                      answer));
    }

    @Test
    void replacesNothing() {
      Versioned<Note> ours = owned(5, 50, note("five").with("invite", "INVITE"));
      CommitAnswer.Applied<Note> applied = appliedAs(restore(ours));
      assertThat(applied.version()).isEqualTo(5);
      assertThat(applied.outbox()).hasSize(1);
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(ours));
      assertThat(inFlight(NODE_A)).containsExactly(CALL);
      assertThat(onMedia(MEDIA_A)).containsExactly(CALL);
      assertThat(restore(ours)).isInstanceOf(CommitAnswer.AlreadyApplied.class);
      assertThat(depth()).isEqualTo(1);
      applied(Optional.of(ours), 51, note("six"));
    }

    @Test
    void replacesAnOlderOne() {
      Versioned<Note> old =
          indexed(
              CALL,
              Optional.empty(),
              1,
              index(Optional.of(OWNER_B), List.of(MEDIA_B), new TreeMap<>()));
      assertThat(old.version()).isEqualTo(1);
      Versioned<Note> ours = owned(2, 50, note("two").with("out", "x"));
      assertThat(restore(ours)).isInstanceOf(CommitAnswer.Applied.class);
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(ours));
      assertThat(inFlight(NODE_B)).isEmpty();
      assertThat(onMedia(MEDIA_B)).isEmpty();
    }

    @Test
    void dropsTheFieldsOfTheOlderOne() {
      applied(Optional.empty(), 1, note("a").with("invite", "INVITE"));
      Versioned<Note> ours = owned(2, 50, note("two").with("out", "x"));
      restore(ours);
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(ours));
    }

    private List<String> told() {
      return outbox(Optional.empty(), 10).entries().stream()
          .map(each -> each.event().id())
          .toList();
    }

    @Test
    void addsItsEventsToALaterOneThatWasWrittenBackBeforeIt() {
      applied(Optional.empty(), 1, note("one"));
      Versioned<Note> four = owned(4, 40, note("four"));
      appliedAs(restore(four));
      assertThat(restore(owned(3, 30, note("three")))).isEqualTo(new CommitAnswer.Conflict<>(four));
      assertThat(told()).as("that of the third was lost too").containsExactly("e4", "e3");
      assertThat(read()).isEqualTo(new ReadAnswer.Found<>(four));

      Versioned<Note> five = applied(Optional.of(four), 5, note("five"));
      assertThat(restore(owned(2, 20, note("two")))).isEqualTo(new CommitAnswer.Conflict<>(five));
      assertThat(told()).as("whatever came after it").containsExactly("e4", "e3", "e2");
      assertThat(restore(owned(1, 10, note("x")))).isEqualTo(new CommitAnswer.Conflict<>(five));
      assertThat(told()).as("the first stood there").hasSize(3);
    }

    @Test
    void leavesANewerOneAndOneOfTheSameVersionAlone() {
      Versioned<Note> a = applied(Optional.empty(), 1, note("a"));
      assertThat(restore(owned(1, 50, note("x")))).isEqualTo(new CommitAnswer.Conflict<>(a));
      Versioned<Note> b = applied(Optional.of(a), 2, note("b"));
      assertThat(restore(owned(1, 50, note("x")))).isEqualTo(new CommitAnswer.Conflict<>(b));
      assertThat(depth()).isZero();
    }
  }
}
