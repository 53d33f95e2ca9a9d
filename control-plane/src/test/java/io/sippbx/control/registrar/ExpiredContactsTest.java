package io.sippbx.control.registrar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.FaultyRegistrationStore.Fault;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ExpiredContactsTest {

  private static final Aor BOB = new Aor("bob", "pbx.example");
  private static final Duration LOOK = ExpiredContacts.Settings.DEFAULT.every();

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("a");
  private final InMemoryCallStore<String> calls =
      new InMemoryCallStore<>(new Loops(List.of(loop)), 100_000);
  private final InMemoryRegistrationStore records =
      new InMemoryRegistrationStore(10_000, loop, calls.registrationOutbox());
  private final Heard heard = new Heard();
  private final Set<String> gone = new TreeSet<>();
  private long ids;

  private static final class Heard implements RegistrarListener, EventSink {
    private final List<BindingChange> changes = new ArrayList<>();
    private final List<Aor> committed = new ArrayList<>();

    @Override
    public void changed(BindingChange event) {
      changes.add(event);
    }

    @Override
    public void answered(RegisterResult result, Flow flow) {}

    @Override
    public void decided(Method method, AccessDecision decision, Flow flow) {}

    @Override
    public void publish(List<CallEvent> events) {}

    @Override
    public void committed(Aor aor) {
      committed.add(aor);
    }
  }

  private static List<Partition> all() {
    var all = new ArrayList<Partition>();
    for (int i = 0; i < Partition.COUNT; i++) {
      all.add(new Partition(i));
    }
    return all;
  }

  /** A node that keeps all partitions from now on. */
  private FaultyRegistrationStore node(String name) {
    return node(name, ExpiredContacts.Settings.DEFAULT);
  }

  private FaultyRegistrationStore node(String name, ExpiredContacts.Settings settings) {
    var store = new FaultyRegistrationStore(records, loop);
    new ExpiredContacts(
            loop,
            settings,
            store,
            () -> gone.contains(name) ? List.of() : all(),
            () -> ++ids,
            heard,
            new RegistrarService.Events(new RegistrationEventEncoder(new NodeId(name)), heard))
        .start();
    time.runReady();
    return store;
  }

  private void register(Aor aor, Duration lasts, long version) {
    records.commit(
        new RegistrationCommit(
            aor,
            version,
            new CommitId(++ids),
            Registers.record("<sip:1@192.0.2.9>", loop.now().plus(lasts))),
        answer -> {});
    time.runReady();
  }

  private List<RegistrationEvent> told() {
    var told = new ArrayList<RegistrationEvent>();
    for (Partition each : all()) {
      calls.outbox(
          each,
          Optional.empty(),
          PartitionStore.MAX_BATCH,
          answer ->
              ((PartitionStore.Batch<PartitionStore.OutboxEntry>) answer)
                  .entries()
                  .forEach(
                      entry -> told.add(((OutboxEvent.OfRegistration) entry.event()).event())));
    }
    time.runReady();
    return told;
  }

  @Test
  void tellsOnceOfAContactThatNobodyRenewsWhateverNumberOfNodesLook() {
    register(BOB, Duration.ofSeconds(60), 0);
    node("one");
    node("two");
    time.advance(Duration.ofSeconds(59));
    assertThat(told()).isEmpty();
    time.advance(Duration.ofSeconds(1).plus(LOOK));
    assertThat(told())
        .singleElement()
        .satisfies(
            event -> {
              assertThat(event.getKind()).isEqualTo(RegistrationKind.REGISTRATION_KIND_EXPIRED);
              assertThat(event.getAor()).isEqualTo("sip:bob@pbx.example");
              assertThat(event.getContact()).isEqualTo("sip:1@192.0.2.9");
            });
    assertThat(heard.changes)
        .extracting(BindingChange::kind)
        .containsExactly(BindingChange.Kind.EXPIRED);
    assertThat(heard.committed).containsExactly(BOB);
    time.advance(Duration.ofMinutes(2));
    assertThat(told()).hasSize(1);
  }

  @Test
  void tellsNothingOfAContactThatIsRenewed() {
    register(BOB, Duration.ofSeconds(60), 0);
    node("one");
    time.advance(Duration.ofSeconds(59));
    register(BOB, Duration.ofSeconds(60), 1);
    time.advance(Duration.ofSeconds(59));
    assertThat(told()).isEmpty();
  }

  @Test
  void leavesItToWhoRenewsWhileItIsBeingTold() {
    register(BOB, Duration.ofSeconds(60), 0);
    FaultyRegistrationStore store = node("one");
    store.beforeNextCommit(
        () ->
            records.commit(
                new RegistrationCommit(
                    BOB,
                    1,
                    new CommitId(++ids),
                    Registers.record("<sip:2@192.0.2.9>", loop.now().plusSeconds(60))),
                answer -> {}));
    time.advance(Duration.ofSeconds(62));
    assertThat(store.ids).hasSize(1);
    assertThat(told()).isEmpty();
  }

  @Test
  void tellsWhenWhoHadClaimedItDiesWithTheClaim() {
    register(BOB, Duration.ofSeconds(60), 0);
    FaultyRegistrationStore dying = node("one");
    dying.holdReads = true;
    time.advance(Duration.ofSeconds(62));
    assertThat(dying.readCount).as("it was claimed").isPositive();
    gone.add("one");
    node("two");
    time.advance(PartitionStore.CLAIM.plus(LOOK));
    assertThat(told()).hasSize(1);
    assertThat(told().getFirst().getNodeId()).isEqualTo("two");
  }

  @Test
  void triesAgainWhatTheStoreDidNotDo() {
    register(BOB, Duration.ofSeconds(60), 0);
    FaultyRegistrationStore store = node("one");
    store.onCommits(Fault.LOST, Fault.LOST, Fault.ANSWER_LOST);
    time.advance(Duration.ofSeconds(62));
    assertThat(told()).isEmpty();
    time.advance(Duration.ofSeconds(60));
    assertThat(told()).hasSize(1);
    assertThat(heard.committed)
        .as("whose answer was lost, the sweep of the outbox finds")
        .isEmpty();
  }

  @Test
  void tellsOfManyThatRunOutTogetherAFewAtATime() {
    for (int i = 0; i < 3_000; i++) {
      register(new Aor("user-" + i, "pbx.example"), Duration.ofSeconds(60), 0);
    }
    node("one", new ExpiredContacts.Settings(Duration.ofSeconds(2), 10, 100));
    time.advance(Duration.ofSeconds(60).plus(LOOK));
    assertThat(told()).as("after one look").hasSizeBetween(1, 1_500);
    time.advance(Duration.ofSeconds(60));
    assertThat(told()).hasSize(3_000);
    assertThat(told()).extracting(RegistrationEvent::getAor).doesNotHaveDuplicates();
  }

  @Test
  void refusesSettingsThatWouldDoNothing() {
    assertThatThrownBy(() -> new ExpiredContacts.Settings(Duration.ZERO, 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new ExpiredContacts.Settings(Duration.ofSeconds(1), 2, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("batch=2 atOnce=1");
  }
}
