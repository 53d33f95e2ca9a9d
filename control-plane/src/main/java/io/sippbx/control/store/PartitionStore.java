package io.sippbx.control.store;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * What is asked of a partition as a whole, mostly by its keeper: which timers are due, which calls
 * are where, which events nobody has fetched.
 *
 * <p>Methods return at once. An answer is given exactly once, within the store's time-out, on the
 * loop of the partition's number, never inline.
 */
public interface PartitionStore {

  /** Entries of an answer at most. */
  int MAX_BATCH = 1000;

  /** How long a claimed timer is left to who claimed it. */
  Duration CLAIM = Duration.ofSeconds(5);

  /**
   * Claims timers that are due in store time: each is put off by {@link #CLAIM}, and only the
   * commit that handles its firing removes it. A timer of a call without a record is removed.
   *
   * @param epoch the claiming keeper's; where given it must be the partition's
   * @param limit 1 to {@value #MAX_BATCH}
   */
  void claimTimers(
      Partition partition, OptionalLong epoch, int limit, Consumer<Answer<DueTimer>> answer);

  /**
   * Calls that are in flight on a control node, in the order of their keys. Those without a record
   * are left out, and removed.
   *
   * @param after the last of the answer before
   * @param limit 1 to {@value #MAX_BATCH}
   */
  void inFlight(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<Answer<CallKey>> answer);

  /** Calls whose media is, or may be, on a media node; otherwise as {@link #inFlight}. */
  void onMedia(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<Answer<CallKey>> answer);

  /**
   * Calls that have not ended, wherever they are; otherwise as {@link #inFlight}. What was changed
   * meanwhile may be seen as it was or as it is.
   */
  void calls(
      Partition partition, Optional<CallKey> after, int limit, Consumer<Answer<CallKey>> answer);

  /** Events that are kept aside for each partition at most. */
  int MAX_ASIDE = 1000;

  /**
   * Events in the outbox, oldest first.
   *
   * @param after the last of the answer before
   * @param limit 1 to {@value #MAX_BATCH}
   */
  void outbox(
      Partition partition,
      Optional<OutboxId> after,
      int limit,
      Consumer<Answer<OutboxEntry>> answer);

  /**
   * Takes events out of the outbox: they were acknowledged by who must have them. Those that are
   * not there any more are passed over.
   *
   * @param ids 1 to {@value #MAX_BATCH}
   */
  void acknowledge(Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer);

  /**
   * Puts events aside that nobody can make anything of, out of the way of the others and kept for
   * who looks into it. Those that are not in the outbox are passed over.
   *
   * @param ids 1 to {@value #MAX_BATCH}
   * @param answer those that were put aside: none beyond {@value #MAX_ASIDE} of a partition, which
   *     stay where they are
   */
  void setAside(Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer);

  /** How many events are in the outbox: a {@link Batch} of one number. */
  void outboxDepth(Partition partition, Consumer<Answer<Long>> answer);

  /** A timer that was claimed. */
  record DueTimer(CallKey call, String name, Instant dueAt) {}

  /**
   * An event in the outbox.
   *
   * @param damage why the event cannot be read, if it cannot: {@code event} says nothing then
   */
  record OutboxEntry(OutboxId id, OutboxEvent event, Optional<String> damage) {
    /** One that can be read. */
    public OutboxEntry(OutboxId id, OutboxEvent event) {
      this(id, event, Optional.empty());
    }
  }

  /** What the partition says. */
  sealed interface Answer<T> {}

  /**
   * What was asked for.
   *
   * @param more whether there was more than the limit; ask again, after the last of these, or as
   *     before where there are none because all that were looked at are gone
   */
  record Batch<T>(List<T> entries, boolean more) implements Answer<T> {
    /** Copies {@code entries}. */
    public Batch {
      entries = List.copyOf(entries);
    }
  }

  /**
   * The partition has another keeper.
   *
   * @param epoch the partition's; 0: it has none
   */
  record Fenced<T>(long epoch) implements Answer<T> {}

  /** No answer in time. */
  record Unavailable<T>(String detail) implements Answer<T> {}
}
