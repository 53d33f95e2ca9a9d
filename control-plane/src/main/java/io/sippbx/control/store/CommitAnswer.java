package io.sippbx.control.store;

import java.util.List;

/**
 * What the store says to a commit.
 *
 * @param <R> the type of the record
 */
public sealed interface CommitAnswer<R> {

  /**
   * The record was as it was read; it is now the new one.
   *
   * @param version of the new record
   * @param outbox where the commit's events lie, in their order
   */
  record Applied<R>(long version, List<OutboxId> outbox) implements CommitAnswer<R> {
    /** Copies {@code outbox}. */
    public Applied {
      outbox = List.copyOf(outbox);
    }

    /** A commit without events. */
    public Applied(long version) {
      this(version, List.of());
    }
  }

  /**
   * The record's last commit is this very one: it was sent again after an unknown outcome.
   *
   * @param version of the record
   * @param outbox where the commit's events lie, in their order
   */
  record AlreadyApplied<R>(long version, List<OutboxId> outbox) implements CommitAnswer<R> {
    /** Copies {@code outbox}. */
    public AlreadyApplied {
      outbox = List.copyOf(outbox);
    }

    /** A commit without events. */
    public AlreadyApplied(long version) {
      this(version, List.of());
    }
  }

  /** Somebody else committed since; {@code current} is what stands there now. */
  record Conflict<R>(Versioned<R> current) implements CommitAnswer<R> {}

  /** There is no record any more, though a version was expected. */
  record Gone<R>() implements CommitAnswer<R> {}

  /**
   * The partition has another keeper by now: who sent the commit is none and must act no more.
   *
   * @param epoch the partition's; 0: it has none
   */
  record Fenced<R>(long epoch) implements CommitAnswer<R> {}

  /**
   * The outbox of the partition has no room for what the step would tell ({@link OutboxLimit}):
   * nothing was done.
   *
   * @param events that wait in it
   */
  record Full<R>(long events) implements CommitAnswer<R> {}

  /** No answer in time: whether the commit was applied is not known. Send the same one again. */
  record Unknown<R>(String detail) implements CommitAnswer<R> {}
}
