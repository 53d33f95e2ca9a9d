package io.sippbx.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutboxRelayTest {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final World world = new World(clock);
  private final Hands hands = new Hands();
  private final OutboxRelay relay = world.relay(hands);

  /** A store with its loops, which can be cut off. */
  private static final class World {
    private final Loops loops;
    private final InMemoryCallStore<String> store;
    private final Cuttable partitions;
    private final VirtualLoops clock;
    private long commits;

    World(VirtualLoops clock) {
      this.clock = clock;
      this.loops = clock.loops("node", 2);
      this.store = new InMemoryCallStore<>(loops, 10_000);
      this.partitions = new Cuttable(store, loops);
    }

    OutboxRelay relay(EventConsumer consumer) {
      return new OutboxRelay(
          partitions, loops, consumer, (partition, node) -> node.isEmpty(), OutboxRelay.LAZY);
    }

    List<CallEvent> commit(CallEvent... events) {
      CallKey call = CallKey.prefixOf(events[0].getCallKey()).orElseThrow();
      store.commit(
          new CallCommit<>(
              call, Optional.empty(), new CommitId(++commits), Optional.empty(), List.of(events)),
          answer -> {});
      return List.of(events);
    }

    long depth() {
      var sum = new long[1];
      for (int i = 0; i < Partition.COUNT; i++) {
        store.outboxDepth(
            new Partition(i),
            answer -> sum[0] += ((PartitionStore.Batch<Long>) answer).entries().getFirst());
      }
      clock.runReady();
      return sum[0];
    }
  }

  /** A consumer that is done with events when it is told to be. */
  private static final class Hands implements EventConsumer {
    private final Map<String, Runnable> held = new LinkedHashMap<>();
    private final List<String> taken = new ArrayList<>();
    private int room = Integer.MAX_VALUE;
    private boolean isFull;

    private boolean isFull() {
      return isFull || held.size() >= room;
    }

    @Override
    public boolean take(CallEvent event, Runnable done) {
      if (event.getEventId().startsWith("poison")) {
        throw new IllegalStateException("cannot digest " + event.getEventId());
      }
      if (isFull()) {
        return false;
      }
      taken.add(event.getEventId());
      held.put(event.getEventId(), done);
      return true;
    }

    @Override
    public boolean take(RegistrationEvent event, Runnable done) {
      if (isFull()) {
        return false;
      }
      taken.add(event.getEventId());
      held.put(event.getEventId(), done);
      return true;
    }

    void finish(String id) {
      Objects.requireNonNull(held.remove(id)).run();
    }

    void finishAll() {
      List.copyOf(held.values()).forEach(Runnable::run);
      held.clear();
    }
  }

  /** A store that does not answer for a while. */
  private record Cuttable(
      PartitionStore store,
      Loops loops,
      AtomicInteger cuts,
      AtomicInteger fetches,
      AtomicInteger acknowledgements)
      implements PartitionStore {

    Cuttable(PartitionStore store, Loops loops) {
      this(store, loops, new AtomicInteger(), new AtomicInteger(), new AtomicInteger());
    }

    private <T> boolean isCut(Partition partition, Consumer<Answer<T>> answer) {
      if (cuts.get() == 0) {
        return false;
      }
      cuts.decrementAndGet();
      loops.of(partition.number()).execute(() -> answer.accept(new Unavailable<>("cut")));
      return true;
    }

    @Override
    public void claimTimers(
        Partition partition, OptionalLong epoch, int limit, Consumer<Answer<DueTimer>> answer) {
      store.claimTimers(partition, epoch, limit, answer);
    }

    @Override
    public void inFlight(
        Partition partition,
        NodeId node,
        Optional<CallKey> after,
        int limit,
        Consumer<Answer<CallKey>> answer) {
      store.inFlight(partition, node, after, limit, answer);
    }

    @Override
    public void onMedia(
        Partition partition,
        NodeId node,
        Optional<CallKey> after,
        int limit,
        Consumer<Answer<CallKey>> answer) {
      store.onMedia(partition, node, after, limit, answer);
    }

    @Override
    public void calls(
        Partition partition, Optional<CallKey> after, int limit, Consumer<Answer<CallKey>> answer) {
      store.calls(partition, after, limit, answer);
    }

    @Override
    public void setAside(
        Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
      store.setAside(partition, ids, answer);
    }

    @Override
    public void outbox(
        Partition partition,
        Optional<OutboxId> after,
        int limit,
        Consumer<Answer<OutboxEntry>> answer) {
      fetches.incrementAndGet();
      if (!isCut(partition, answer)) {
        store.outbox(partition, after, limit, answer);
      }
    }

    @Override
    public void acknowledge(
        Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
      acknowledgements.incrementAndGet();
      if (!isCut(partition, answer)) {
        store.acknowledge(partition, ids, answer);
      }
    }

    @Override
    public void outboxDepth(Partition partition, Consumer<Answer<Long>> answer) {
      store.outboxDepth(partition, answer);
    }
  }

  private static CallEvent event(int call, String id) {
    var octets = new byte[16];
    octets[0] = (byte) (call * 41);
    octets[15] = (byte) call;
    return CallEvent.newBuilder().setEventId(id).setCallKey(CallKey.ofBytes(octets).text()).build();
  }

  private static CallEvent end(int call, String id) {
    return event(call, id).toBuilder().setEnded(Ended.getDefaultInstance()).build();
  }

  @Test
  void handsTheEndOfACallOverAtOnceAndOthersWithinASecond() {
    relay.publish(world.commit(event(1, "ringing")));
    clock.runReady();
    assertThat(hands.taken).isEmpty();
    relay.publish(world.commit(end(2, "end")));
    clock.runReady();
    assertThat(hands.taken).containsExactly("end");
    clock.advance(OutboxRelay.LAZY);
    assertThat(hands.taken).containsExactly("end", "ringing");
  }

  @Test
  void asksForTheEventsOfAllPartitionsInTheSameMoment() {
    relay.publish(world.commit(event(1, "a")));
    clock.advance(Duration.ofMillis(600));
    relay.publish(world.commit(event(2, "b")));
    clock.advance(Duration.ofMillis(399));
    assertThat(hands.taken).isEmpty();
    clock.advance(Duration.ofMillis(1));
    assertThat(hands.taken).containsExactlyInAnyOrder("a", "b");
    hands.finish("a");
    clock.advance(Duration.ofMillis(60));
    hands.finish("b");
    clock.advance(Duration.ofMillis(39));
    assertThat(relay.acknowledged()).isZero();
    clock.advance(Duration.ofMillis(1));
    assertThat(relay.acknowledged()).isEqualTo(2);
  }

  @Test
  void leavesAnEventInItsOutboxUntilItIsDoneWith() {
    relay.publish(world.commit(end(1, "a")));
    clock.runReady();
    assertThat(hands.taken).containsExactly("a");
    assertThat(world.depth()).isEqualTo(1);
    hands.finishAll();
    clock.advance(OutboxRelay.GATHER);
    assertThat(world.depth()).isZero();
    assertThat(relay.acknowledged()).isEqualTo(1);
  }

  @Test
  void takesWhatIsDoneWithSoonAfterOneAnotherOutInOneGo() {
    relay.publish(world.commit(event(1, "a"), event(1, "b"), end(1, "c")));
    clock.runReady();
    hands.finish("a");
    clock.runReady();
    hands.finish("b");
    clock.advance(OutboxRelay.GATHER.dividedBy(2));
    hands.finish("c");
    clock.advance(OutboxRelay.GATHER);
    assertThat(world.partitions.acknowledgements()).hasValue(1);
    assertThat(relay.acknowledged()).isEqualTo(3);
    assertThat(world.depth()).isZero();
  }

  @Test
  void givesWhatAnEarlierRunLeftToTheNext() {
    world.commit(event(1, "a"), end(1, "b"));
    world.commit(end(2, "c"));
    relay.start();
    clock.runReady();
    assertThat(hands.taken).containsExactlyInAnyOrder("a", "b", "c");
    assertThat(hands.taken.indexOf("a")).isLessThan(hands.taken.indexOf("b"));
    // Killed before it was done.
    relay.close();
    var again = new Hands();
    world.relay(again).start();
    clock.runReady();
    assertThat(again.taken).containsExactlyElementsOf(hands.taken);
  }

  @Test
  void givesNothingTwiceWhileItIsInHand() {
    relay.start();
    relay.publish(world.commit(end(1, "a")));
    clock.runReady();
    clock.advance(OutboxRelay.SWEEP.multipliedBy(3));
    assertThat(hands.taken).containsExactly("a");
    hands.finishAll();
    clock.advance(OutboxRelay.SWEEP);
    assertThat(hands.taken).containsExactly("a");
  }

  @Test
  void handsOverWhatHappenedToARegistration() {
    var registrations =
        new InMemoryRegistrationStore(
            10, world.loops.all().getFirst(), world.store.registrationOutbox());
    var bob = new Aor("bob", "pbx.example");
    registrations.commit(
        new RegistrationCommit(
            bob,
            0,
            new CommitId(1),
            Registration.EMPTY,
            List.of(RegistrationEvent.newBuilder().setEventId("1:2").build())),
        answer -> {});
    relay.committed(bob);
    clock.advance(OutboxRelay.LAZY);
    assertThat(hands.taken).containsExactly("1:2");
    assertThat(world.depth()).isEqualTo(1);
    hands.finishAll();
    clock.advance(OutboxRelay.GATHER);
    assertThat(world.depth()).isZero();
  }

  @Test
  void leavesTheEventsOfOthers() {
    relay.start();
    world.commit(end(1, "theirs").toBuilder().setNodeId("another").build());
    relay.publish(world.commit(end(1, "ours")));
    clock.runReady();
    hands.finishAll();
    clock.advance(OutboxRelay.SWEEP);
    assertThat(hands.taken).containsExactly("ours");
    assertThat(world.depth()).isEqualTo(1);
  }

  @Test
  void putsAsideWhatTheConsumerThrowsAtAndGoesOn() {
    relay.start();
    relay.publish(world.commit(event(1, "a"), event(1, "poison"), end(1, "b")));
    clock.runReady();
    assertThat(hands.taken).containsExactly("a", "b");
    hands.finishAll();
    clock.advance(OutboxRelay.SWEEP);
    assertThat(world.depth()).isZero();
    assertThat(relay.setAside()).isEqualTo(1);
  }

  @Test
  void stepsOverPoisonThatThereIsNoRoomAsideFor() {
    relay.start();
    int more = PartitionStore.MAX_ASIDE + 2;
    for (int i = 0; i < more; i++) {
      world.commit(event(1, "poison" + i));
    }
    relay.publish(world.commit(end(1, "b")));
    clock.advance(Duration.ofSeconds(5));
    assertThat(hands.taken).containsExactly("b");
    hands.finishAll();
    clock.advance(OutboxRelay.SWEEP);
    assertThat(relay.setAside()).isEqualTo(PartitionStore.MAX_ASIDE);
    assertThat(world.depth()).isEqualTo(2);
  }

  @Test
  void comesAgainInOrderWhenTheConsumerHasRoom() {
    hands.isFull = true;
    relay.publish(world.commit(event(1, "a"), end(1, "b")));
    clock.advance(Duration.ofSeconds(5));
    assertThat(hands.taken).isEmpty();
    hands.isFull = false;
    clock.advance(OutboxRelay.NO_ROOM);
    assertThat(hands.taken).containsExactly("a", "b");
  }

  @Test
  void holdsNoMoreThanItsBoundInHand() {
    int more = OutboxRelay.MAX_IN_HAND + 500;
    for (int i = 0; i < more; i++) {
      relay.publish(world.commit(end(1, "e" + i)));
    }
    clock.advance(Duration.ofSeconds(5));
    assertThat(hands.taken).hasSize(OutboxRelay.MAX_IN_HAND);
    hands.finishAll();
    clock.advance(Duration.ofSeconds(1));
    assertThat(hands.taken).hasSize(more).doesNotHaveDuplicates();
    hands.finishAll();
    clock.advance(OutboxRelay.GATHER);
    assertThat(world.depth()).isZero();
  }

  @Test
  void saysWhenAllIsWrittenDown() {
    var flushed = new AtomicInteger();
    world.commit(event(1, "a"), end(1, "b"));
    world.commit(end(3, "c"));
    relay.flush(flushed::incrementAndGet);
    clock.runReady();
    assertThat(flushed).hasValue(0);
    hands.finishAll();
    clock.runReady();
    assertThat(flushed).hasValue(1);
    assertThat(world.depth()).isZero();
    relay.flush(flushed::incrementAndGet);
    clock.runReady();
    assertThat(flushed).hasValue(2);
  }

  @Test
  void tellsTheDepthOfAllOutboxes() {
    world.commit(end(1, "a"));
    world.commit(end(2, "b").toBuilder().setNodeId("another").build());
    relay.depth();
    clock.runReady();
    assertThat(relay.depth()).isEqualTo(2);
  }

  @Test
  void readsNothingMoreOnceClosed() {
    relay.start();
    clock.runReady();
    relay.close();
    relay.publish(world.commit(end(1, "a")));
    clock.advance(OutboxRelay.SWEEP.multipliedBy(2));
    assertThat(hands.taken).isEmpty();
  }

  /** Whatever fails meanwhile, each event is handed over once by one run, and nothing is left. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void losesAndRepeatsNothingHoweverTheStoreFails(long seed) {
    var time = VirtualLoops.shuffled(seed);
    var shaken = new World(time);
    var random = new Random(seed);
    var consumer = new Hands();
    OutboxRelay under = shaken.relay(consumer);
    under.start();
    var expected = new TreeSet<String>();
    for (int i = 0; i < 300; i++) {
      String id = "e" + i;
      expected.add(id);
      int call = random.nextInt(6);
      List<CallEvent> events =
          shaken.commit(random.nextBoolean() ? end(call, id) : event(call, id));
      if (random.nextInt(4) > 0) {
        under.publish(events);
      }
      consumer.isFull = random.nextInt(5) == 0;
      shaken.partitions.cuts().set(random.nextInt(3));
      if (random.nextInt(3) == 0) {
        consumer.finishAll();
      }
      time.advance(Duration.ofMillis(random.nextInt(400)));
    }
    consumer.isFull = false;
    shaken.partitions.cuts().set(0);
    for (int i = 0; i < 3; i++) {
      time.advance(OutboxRelay.SWEEP);
      consumer.finishAll();
    }
    time.advance(OutboxRelay.SWEEP);
    assertThat(consumer.taken)
        .as("seed %d", seed)
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(shaken.depth()).as("seed %d", seed).isZero();
  }

  @Test
  void goesOnAsSoonAsTheConsumerHasRoomAgain() {
    hands.room = 2;
    int calls = 10;
    for (int i = 0; i < calls; i++) {
      relay.publish(world.commit(end(i, "a" + i), end(i, "b" + i)));
    }
    clock.runReady();
    assertThat(hands.taken).hasSize(2);
    for (int taken = 4; taken <= 2 * calls; taken += 2) {
      hands.finishAll();
      clock.advance(OutboxRelay.WAKE);
      assertThat(hands.taken).hasSize(taken);
    }
    assertThat(hands.taken).doesNotHaveDuplicates();
    hands.finishAll();
    clock.advance(OutboxRelay.GATHER);
    assertThat(world.depth()).isZero();
  }

  @Test
  void doesNotAskTheStoreForWhatNobodyHasRoomFor() {
    relay.start();
    hands.room = 1;
    relay.publish(world.commit(end(1, "first")));
    clock.runReady();
    int more = 0;
    int before = world.partitions.fetches().get();
    Duration away = Duration.ofMinutes(10);
    for (Duration at = Duration.ZERO; at.compareTo(away) < 0; at = at.plusSeconds(1)) {
      relay.publish(world.commit(end(1, "more-" + more++)));
      clock.advance(Duration.ofSeconds(1));
    }
    long sweeps = Partition.COUNT * away.dividedBy(OutboxRelay.SWEEP);
    long retries = away.dividedBy(OutboxRelay.NO_ROOM);
    assertThat(world.partitions.fetches().get() - before)
        .isLessThanOrEqualTo((int) (sweeps + retries + 2));
    assertThat(hands.taken).containsExactly("first");
    hands.room = Integer.MAX_VALUE;
    hands.finishAll();
    clock.advance(OutboxRelay.WAKE);
    assertThat(hands.taken).hasSize(1 + more);
  }
}
