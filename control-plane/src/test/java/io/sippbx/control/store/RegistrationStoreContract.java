package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.NonceUse;
import io.sippbx.control.store.RegistrationStore.CountAnswer;
import io.sippbx.control.store.RegistrationStore.Entry;
import io.sippbx.control.store.RegistrationStore.ExpiredAnswer;
import io.sippbx.control.store.RegistrationStore.ListAnswer;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every {@link RegistrationStore} does. Each implementation has a class that extends this. */
abstract class RegistrationStoreContract {

  private static final Aor BOB = new Aor("bob", "pbx.example");
  private static final Aor ALICE = new Aor("alice", "pbx.example");

  /** What the store under test is limited to. */
  protected static final OutboxLimit OUTBOX = new OutboxLimit(2);

  /** The store under test: empty at the start of each test. */
  protected abstract RegistrationStore store();

  /** Its outboxes, which hold {@link #OUTBOX} events. */
  protected abstract PartitionStore partitions();

  /** Time as the store sees it. */
  protected abstract Instant now();

  /** Lets time pass for the store. */
  protected abstract void pass(Duration time);

  /**
   * Asks and gives the one answer.
   *
   * @throws AssertionError if none comes, or more than one, or it comes inline
   */
  protected abstract <T> T ask(Consumer<Consumer<T>> question);

  private ReadAnswer<Registration> read(Aor aor) {
    return this.<ReadAnswer<Registration>>ask(answer -> store().read(aor, answer));
  }

  private CommitAnswer<Registration> commit(Aor aor, long version, long id, Registration record) {
    return this.<CommitAnswer<Registration>>ask(
        answer ->
            store().commit(new RegistrationCommit(aor, version, new CommitId(id), record), answer));
  }

  private ListAnswer.Page list(Optional<Aor> after, int limit) {
    return (ListAnswer.Page) this.<ListAnswer>ask(answer -> store().list(after, limit, answer));
  }

  private CountAnswer count() {
    return this.<CountAnswer>ask(answer -> store().count(answer));
  }

  private CommitAnswer<Registration> tell(
      Aor aor, long version, long id, RegistrationEvent... events) {
    var step =
        new RegistrationCommit(
            aor, version, new CommitId(id), record("<sip:" + id + "@h>"), List.of(events));
    return this.<CommitAnswer<Registration>>ask(answer -> store().commit(step, answer));
  }

  private static RegistrationEvent event(RegistrationKind kind, int seq) {
    return RegistrationEvent.newBuilder()
        .setEventId("event-" + seq)
        .setSeq(seq)
        .setKind(kind)
        .setContact("sip:1@h")
        .build();
  }

  private List<RegistrationEvent> told(Aor aor) {
    PartitionStore.Answer<PartitionStore.OutboxEntry> answer =
        this.<PartitionStore.Answer<PartitionStore.OutboxEntry>>ask(
            each -> partitions().outbox(Partition.of(aor), Optional.empty(), 100, each));
    return ((PartitionStore.Batch<PartitionStore.OutboxEntry>) answer)
        .entries().stream()
            .map(each -> ((OutboxEvent.OfRegistration) each.event()).event())
            .toList();
  }

  @Test
  void tellsWhatHappenedInTheStepItself() {
    RegistrationEvent first = event(RegistrationKind.REGISTRATION_KIND_REGISTERED, 1);
    RegistrationEvent second = event(RegistrationKind.REGISTRATION_KIND_REFRESHED, 2);
    RegistrationEvent third = event(RegistrationKind.REGISTRATION_KIND_UNREGISTERED, 3);
    assertThat(tell(BOB, 0, 1, first)).isEqualTo(new CommitAnswer.Applied<>(1));
    assertThat(told(BOB)).containsExactly(first);
    assertThat(tell(BOB, 0, 1, first)).isEqualTo(new CommitAnswer.AlreadyApplied<>(1));
    assertThat(tell(BOB, 0, 2, second)).isInstanceOf(CommitAnswer.Conflict.class);
    assertThat(tell(BOB, 1, 3, second, third)).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(told(BOB)).containsExactly(first, second, third);
    assertThat(read(BOB)).isInstanceOf(ReadAnswer.Found.class);
  }

  @Test
  void tellsNothingButEndsWhenTwiceTheLimitWaits() {
    RegistrationEvent news = event(RegistrationKind.REGISTRATION_KIND_REGISTERED, 1);
    RegistrationEvent end = event(RegistrationKind.REGISTRATION_KIND_EXPIRED, 2);
    tell(BOB, 0, 1, news, news, news);
    ReadAnswer<Registration> before = read(BOB);
    assertThat(tell(BOB, 1, 2, news, end)).isEqualTo(new CommitAnswer.Full<>(3));
    assertThat(read(BOB)).isEqualTo(before);
    assertThat(tell(BOB, 1, 3, news)).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(tell(BOB, 2, 4, news)).isEqualTo(new CommitAnswer.Full<>(4));
    assertThat(tell(BOB, 2, 5, end, end)).isEqualTo(new CommitAnswer.Applied<>(3));
    assertThat(told(BOB)).hasSize(6);
    // Who says nothing new is never turned away for it.
    assertThat(tell(BOB, 3, 6)).isEqualTo(new CommitAnswer.Applied<>(4));
  }

  private Registration record(String contact) {
    return Registers.record(contact, now().plusSeconds(600));
  }

  @Test
  void readsAbsentWhereThereIsNothing() {
    assertThat(read(BOB)).isEqualTo(new ReadAnswer.Absent<>());
  }

  @Test
  void readsWhatWasCommitted() {
    Registration first = record("<sip:1@h;x=%20>;q=0.5;+sip.instance=\"<urn:x>\"");
    assertThat(commit(BOB, 0, 1, first)).isEqualTo(new CommitAnswer.Applied<>(1));
    assertThat(read(BOB))
        .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(1, new CommitId(1), first)));
    Registration second =
        new Registration(
            first.bindings(),
            first
                .nonces()
                .use(new NonceUse(-7, now(), now().plusSeconds(300), 0xffff_ffffL), now())
                .orElseThrow(),
            List.of(
                new Registration.Recent(first.bindings().getFirst().callId(), 1, Long.MIN_VALUE)));
    assertThat(commit(BOB, 1, 2, second)).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(read(BOB))
        .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), second)));
    assertThat(read(ALICE)).isEqualTo(new ReadAnswer.Absent<>());
  }

  @Test
  void appliesTheSameCommitOnce() {
    Registration first = record("<sip:1@h>");
    commit(BOB, 0, 1, first);
    assertThat(commit(BOB, 0, 1, first)).isEqualTo(new CommitAnswer.AlreadyApplied<>(1));
    commit(BOB, 1, 2, record("<sip:2@h>"));
    assertThat(commit(BOB, 1, 2, record("<sip:2@h>")))
        .isEqualTo(new CommitAnswer.AlreadyApplied<>(2));
    // The id of a commit before the last is no longer known: it is somebody else's turn.
    assertThat(commit(BOB, 0, 1, first)).isInstanceOf(CommitAnswer.Conflict.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 3})
  void saysWhatStandsThereOnAnotherVersion(long expected) {
    commit(BOB, 0, 1, record("<sip:1@h>"));
    Registration second = record("<sip:2@h>");
    commit(BOB, 1, 2, second);
    assertThat(commit(BOB, expected, 3, record("<sip:3@h>")))
        .isEqualTo(new CommitAnswer.Conflict<>(new Versioned<>(2, new CommitId(2), second)));
    assertThat(read(BOB))
        .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(2, new CommitId(2), second)));
  }

  @Test
  void saysGoneWhereARecordWasExpected() {
    assertThat(commit(BOB, 1, 1, record("<sip:1@h>"))).isEqualTo(new CommitAnswer.Gone<>());
    assertThat(read(BOB)).isEqualTo(new ReadAnswer.Absent<>());
  }

  @Test
  void dropsARecordWhenItExpires() {
    commit(
        BOB, 0, 1, Registers.record("<sip:1@h>", now().plusSeconds(2).minus(Registration.UNTOLD)));
    commit(ALICE, 0, 1, record("<sip:1@h>"));
    pass(Duration.ofSeconds(1));
    assertThat(read(BOB)).isInstanceOf(ReadAnswer.Found.class);
    pass(Duration.ofMillis(1100));
    assertThat(read(BOB)).isEqualTo(new ReadAnswer.Absent<>());
    assertThat(list(Optional.empty(), 10).entries()).extracting(Entry::aor).containsExactly(ALICE);
    assertThat(count()).isEqualTo(new CountAnswer.Counts(1, 1));
    assertThat(commit(BOB, 1, 2, record("<sip:2@h>"))).isEqualTo(new CommitAnswer.Gone<>());
    assertThat(commit(BOB, 0, 3, record("<sip:3@h>"))).isEqualTo(new CommitAnswer.Applied<>(1));
  }

  private ExpiredAnswer.Due claim(Aor of, int limit) {
    return (ExpiredAnswer.Due)
        this.<ExpiredAnswer>ask(answer -> store().claimExpired(Partition.of(of), limit, answer));
  }

  private static Registration of(Binding... bindings) {
    return new Registration(List.of(bindings), Registration.EMPTY.nonces(), List.of());
  }

  @Test
  void claimsWhatHasRunOutAndKeepsItForWhoTellsOfIt() {
    Registration two =
        of(
            Registers.binding("<sip:1@h>", now().plusSeconds(1)),
            Registers.binding("<sip:2@h>", now().plusSeconds(600)));
    commit(BOB, 0, 1, two);
    assertThat(claim(BOB, 10).aors()).as("nothing has run out").isEmpty();
    pass(Duration.ofMillis(1100));
    assertThat(claim(BOB, 10)).isEqualTo(new ExpiredAnswer.Due(List.of(BOB), false));
    assertThat(claim(BOB, 10).aors()).as("it is claimed").isEmpty();
    assertThat(read(BOB)).isInstanceOf(ReadAnswer.Found.class);
    pass(PartitionStore.CLAIM.plusMillis(100));
    assertThat(claim(BOB, 10).aors()).as("nothing came of the claim").containsExactly(BOB);
    commit(BOB, 1, 2, of(two.bindings().getLast()));
    pass(PartitionStore.CLAIM.plusMillis(100));
    assertThat(claim(BOB, 10).aors()).as("it was told, and the other holds").isEmpty();
    commit(BOB, 2, 3, of(Registers.binding("<sip:3@h>", now())));
    assertThat(read(BOB)).as("the last one has run out").isInstanceOf(ReadAnswer.Found.class);
    assertThat(claim(BOB, 10).aors()).containsExactly(BOB);
    commit(BOB, 3, 4, Registration.EMPTY);
    pass(PartitionStore.CLAIM.plusMillis(100));
    assertThat(claim(BOB, 10).aors()).as("there is no record").isEmpty();
  }

  @Test
  void claimsNoMoreThanTheLimitAndOnlyOfThePartition() {
    var same = new ArrayList<Aor>();
    for (int i = 0; same.size() < 3; i++) {
      var each = new Aor("user-" + i, "pbx.example");
      if (Partition.of(each).equals(Partition.of(BOB))) {
        same.add(each);
      }
    }
    assertThat(Partition.of(ALICE)).isNotEqualTo(Partition.of(BOB));
    same.forEach(each -> commit(each, 0, 1, Registers.record("<sip:1@h>", now())));
    commit(ALICE, 0, 1, Registers.record("<sip:1@h>", now()));
    ExpiredAnswer.Due first = claim(BOB, 2);
    assertThat(first.aors()).hasSize(2);
    assertThat(first.more()).isTrue();
    ExpiredAnswer.Due rest = claim(BOB, 2);
    assertThat(rest.more()).isFalse();
    assertThat(Stream.concat(first.aors().stream(), rest.aors().stream()))
        .containsExactlyInAnyOrderElementsOf(same);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1001})
  void refusesAClaimOutOfBounds(int limit) {
    assertThatThrownBy(() -> store().claimExpired(Partition.of(BOB), limit, answer -> {}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void removesARecordInWhichNothingMattersAnyMore() {
    commit(BOB, 0, 1, record("<sip:1@h>"));
    assertThat(commit(BOB, 1, 2, Registration.EMPTY)).isEqualTo(new CommitAnswer.Applied<>(2));
    assertThat(read(BOB)).isEqualTo(new ReadAnswer.Absent<>());
    assertThat(count()).isEqualTo(new CountAnswer.Counts(0, 0));
  }

  @Test
  void listsInPagesInOrder() {
    var all = new ArrayList<Aor>();
    for (int i = 0; i < 25; i++) {
      all.add(new Aor("user-" + (char) ('a' + i), "pbx.example"));
    }
    for (int i = 0; i < all.size(); i++) {
      commit(all.get(i * 7 % 25), 0, i, record("<sip:" + i + "@h>"));
    }
    var seen = new ArrayList<Aor>();
    Optional<Aor> after = Optional.empty();
    boolean more = true;
    int pages = 0;
    while (more) {
      ListAnswer.Page page = list(after, 10);
      assertThat(page.entries()).hasSizeBetween(1, 10);
      page.entries().forEach(entry -> seen.add(entry.aor()));
      after = Optional.of(page.entries().getLast().aor());
      more = page.more();
      pages++;
    }
    assertThat(seen).isEqualTo(all);
    assertThat(pages).isEqualTo(3);
    assertThat(list(Optional.empty(), 25).more()).isFalse();
    assertThat(list(after, 10).entries()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1001})
  void refusesAPageOutOfBounds(int limit) {
    assertThatThrownBy(() -> store().list(Optional.empty(), limit, answer -> {}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void countsRecordsAndBindings() {
    assertThat(count()).isEqualTo(new CountAnswer.Counts(0, 0));
    commit(BOB, 0, 1, record("<sip:1@h>"));
    Registration two =
        new Registration(
            List.of(
                Registers.binding("<sip:1@h>", now().plusSeconds(600)),
                Registers.binding("<sip:2@h>", now().plusSeconds(600))),
            Registration.EMPTY.nonces(),
            List.of());
    commit(ALICE, 0, 1, two);
    assertThat(count()).isEqualTo(new CountAnswer.Counts(2, 3));
    commit(BOB, 1, 2, two);
    assertThat(count()).isEqualTo(new CountAnswer.Counts(2, 4));
    // A record that only remembers a nonce is nobody registered.
    commit(
        ALICE,
        1,
        2,
        new Registration(
            List.of(),
            two.nonces()
                .use(new NonceUse(1, now(), now().plusSeconds(300), 1), now())
                .orElseThrow(),
            List.of()));
    assertThat(count()).isEqualTo(new CountAnswer.Counts(1, 2));
  }

  /** The same random commands for every implementation, held against the contract's own words. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void agreesWithTheModel(long seed) {
    var random = new Random(seed);
    var model = new TreeMap<Aor, Versioned<Registration>>();
    for (int step = 0; step < 300; step++) {
      Aor aor = new Aor("user-" + random.nextInt(4), "pbx.example");
      var current = model.get(aor);
      if (random.nextInt(3) == 0) {
        assertThat(read(aor))
            .as("seed %d step %d", seed, step)
            .isEqualTo(
                current == null
                    ? new ReadAnswer.Absent<Registration>()
                    : new ReadAnswer.Found<>(current));
        continue;
      }
      long version =
          random.nextInt(3) == 0 || current == null ? random.nextInt(3) : current.version();
      long id = random.nextInt(4) == 0 && current != null ? current.commit().value() : step + 100;
      Registration record =
          random.nextInt(6) == 0 ? Registration.EMPTY : record("<sip:" + step + "@h>");
      CommitAnswer<Registration> expected;
      if (current != null && current.commit().value() == id) {
        expected = new CommitAnswer.AlreadyApplied<>(current.version());
      } else if (current == null && version != 0) {
        expected = new CommitAnswer.Gone<>();
      } else if (current != null && current.version() != version) {
        expected = new CommitAnswer.Conflict<>(current);
      } else {
        expected = new CommitAnswer.Applied<>(version + 1);
        if (record.equals(Registration.EMPTY)) {
          model.remove(aor);
        } else {
          model.put(aor, new Versioned<>(version + 1, new CommitId(id), record));
        }
      }
      assertThat(commit(aor, version, id, record))
          .as("seed %d step %d", seed, step)
          .isEqualTo(expected);
    }
    assertThat(list(Optional.empty(), 10).entries())
        .isEqualTo(
            model.entrySet().stream().map(e -> new Entry(e.getKey(), e.getValue())).toList());
  }
}
