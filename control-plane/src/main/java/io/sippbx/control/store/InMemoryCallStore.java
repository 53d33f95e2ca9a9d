package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CommitAnswer.Gone;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Keeps calls in this process: the whole commit contract, and nothing that outlives the node. For
 * any thread; the commits to one partition are serialised. The loops' clock is the store's time.
 *
 * <p>A removed record leaves nothing, so that a commit sent again after a removal is answered
 * {@link Gone}.
 */
public final class InMemoryCallStore<R> implements CallStore<R>, PartitionStore {

  private final List<InMemoryPartition<R>> partitions;
  private final Loops loops;

  /**
   * A store without an outbox, for a server that tells its events as it commits them.
   *
   * @param loops where answers are given: each call's on the loop of its key
   */
  public InMemoryCallStore(Loops loops) {
    this(loops, 0);
  }

  /**
   * @param loops where answers are given: each call's on the loop of its key
   * @param maxOutbox events of a partition's outbox, as {@link OutboxLimit}; 0: none is kept
   */
  public InMemoryCallStore(Loops loops, int maxOutbox) {
    if (maxOutbox < 0) {
      throw new IllegalArgumentException("Expected an outbox of 0 or more, but got " + maxOutbox);
    }
    this.loops = loops;
    var made = new ArrayList<InMemoryPartition<R>>();
    for (int i = 0; i < Partition.COUNT; i++) {
      made.add(new InMemoryPartition<>(maxOutbox));
    }
    this.partitions = List.copyOf(made);
  }

  private InMemoryCallStore(List<InMemoryPartition<R>> partitions, Loops loops) {
    this.partitions = partitions;
    this.loops = loops;
  }

  /** The same calls for the loops of another node, or of this one after it was started again. */
  public InMemoryCallStore<R> on(Loops others) {
    return new InMemoryCallStore<>(partitions, others);
  }

  private InMemoryPartition<R> of(CallKey call) {
    return partitions.get(Partition.of(call).number());
  }

  private Loop loop(CallKey call) {
    return loops.of(call.hashCode());
  }

  private <T> void answer(
      Partition partition, Question<R, T> question, Consumer<PartitionStore.Answer<T>> answer) {
    Loop loop = loops.of(partition.number());
    PartitionStore.Answer<T> said = question.ask(partitions.get(partition.number()), loop.now());
    loop.execute(() -> answer.accept(said));
  }

  private interface Question<R, T> {
    PartitionStore.Answer<T> ask(InMemoryPartition<R> partition, Instant now);
  }

  @Override
  public void read(CallKey call, Consumer<ReadAnswer<R>> answer) {
    Loop loop = loop(call);
    ReadAnswer<R> outcome = of(call).read(call, loop.now());
    loop.execute(() -> answer.accept(outcome));
  }

  @Override
  public void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
    Loop loop = loop(commit.call());
    CommitAnswer<R> outcome = of(commit.call()).commit(commit, loop.now());
    loop.execute(() -> answer.accept(outcome));
  }

  @Override
  public void restore(CallRestore<R> restore, Consumer<CommitAnswer<R>> answer) {
    Loop loop = loop(restore.call());
    CommitAnswer<R> outcome = of(restore.call()).restore(restore, loop.now());
    loop.execute(() -> answer.accept(outcome));
  }

  @Override
  public void claimTimers(
      Partition partition,
      OptionalLong epoch,
      int limit,
      Consumer<PartitionStore.Answer<DueTimer>> answer) {
    checkLimit(limit);
    answer(partition, (of, now) -> of.claimTimers(epoch, limit, now), answer);
  }

  @Override
  public void inFlight(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<PartitionStore.Answer<CallKey>> answer) {
    checkLimit(limit);
    answer(partition, (of, now) -> of.inFlight(node, after, limit, now), answer);
  }

  @Override
  public void onMedia(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<PartitionStore.Answer<CallKey>> answer) {
    checkLimit(limit);
    answer(partition, (of, now) -> of.onMedia(node, after, limit, now), answer);
  }

  @Override
  public void calls(
      Partition partition,
      Optional<CallKey> after,
      int limit,
      Consumer<PartitionStore.Answer<CallKey>> answer) {
    checkLimit(limit);
    answer(partition, (of, now) -> of.calls(after, limit, now), answer);
  }

  @Override
  public void outbox(
      Partition partition,
      Optional<OutboxId> after,
      int limit,
      Consumer<PartitionStore.Answer<OutboxEntry>> answer) {
    checkLimit(limit);
    answer(partition, (of, now) -> of.outbox(after, limit), answer);
  }

  @Override
  public void acknowledge(
      Partition partition, List<OutboxId> ids, Consumer<PartitionStore.Answer<OutboxId>> answer) {
    checkLimit(ids.size());
    answer(partition, (of, now) -> of.acknowledge(ids), answer);
  }

  @Override
  public void setAside(
      Partition partition, List<OutboxId> ids, Consumer<PartitionStore.Answer<OutboxId>> answer) {
    checkLimit(ids.size());
    answer(partition, (of, now) -> of.setAside(ids), answer);
  }

  /** The outboxes, for the registrations that are kept beside these calls. */
  public InMemoryRegistrationStore.Outbox registrationOutbox() {
    return (commit, now) -> partitions.get(Partition.of(commit.aor()).number()).append(commit, now);
  }

  @Override
  public void outboxDepth(Partition partition, Consumer<PartitionStore.Answer<Long>> answer) {
    answer(partition, (of, now) -> of.outboxDepth(), answer);
  }

  static void checkLimit(int limit) {
    if (limit < 1 || limit > MAX_BATCH) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_BATCH + ", but got " + limit);
    }
  }

  /** Gives a partition a keeper's epoch; for tests of what is fenced. */
  public void setEpoch(Partition partition, long epoch) {
    partitions.get(partition.number()).setEpoch(epoch);
  }

  /** Makes room for so many events in each outbox, as {@link OutboxLimit}; for tests at it. */
  public void limitOutboxes(int events) {
    partitions.forEach(each -> each.limitOutbox(new OutboxLimit(events)));
  }

  /** What puts all back as it is now, as a fail-over does that loses writes; for tests of one. */
  public Runnable checkpoint() {
    List<Runnable> back = partitions.stream().map(InMemoryPartition::checkpoint).toList();
    return () -> back.forEach(Runnable::run);
  }

  /** How many long timers there are, those of records that have expired among them. */
  public int timers() {
    int timers = 0;
    for (InMemoryPartition<R> each : partitions) {
      timers += each.timers();
    }
    return timers;
  }

  /** How many calls there are, tombstones among them. */
  public int size() {
    int size = 0;
    for (InMemoryPartition<R> each : partitions) {
      size += each.size();
    }
    return size;
  }
}
