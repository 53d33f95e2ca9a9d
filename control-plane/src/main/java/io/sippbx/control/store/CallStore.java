package io.sippbx.control.store;

import io.sippbx.shared.identity.CallKey;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Where calls live between two inputs.
 *
 * <p>Methods return at once. An answer is given exactly once, within the store's time-out, on the
 * loop that the store was made for the call, never inline.
 *
 * @param <R> the stored call; the store does not look into it
 */
public interface CallStore<R> {

  /** Reads the record of a call. */
  void read(CallKey call, Consumer<ReadAnswer<R>> answer);

  /**
   * Replaces the record, puts the events into the outbox and the call into the indexes, all or
   * nothing.
   *
   * <ul>
   *   <li>The record's last commit has this id: {@link CommitAnswer.AlreadyApplied}.
   *   <li>An epoch is given, and it is not the partition's: {@link CommitAnswer.Fenced}.
   *   <li>What was read stands there still: {@link CommitAnswer.Applied} with the next version.
   *   <li>Something else stands there: {@link CommitAnswer.Conflict} with it. A version below the
   *       one that was read means that the store lost writes: see {@link #restore}.
   *   <li>There is no record, and one was read: {@link CommitAnswer.Gone}.
   *   <li>The outbox has no room for its events: {@link CommitAnswer.Full}, and nothing was done.
   *   <li>No answer in time: {@link CommitAnswer.Unknown}. The same commit is to be sent again.
   * </ul>
   */
  void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer);

  /**
   * Writes back what the store has lost: if it holds no record of the call or an older one, ours
   * replaces it, with its version and commit id. Where another node has written back before us what
   * it made of ours, only our events are added, for they were lost with ours.
   *
   * <p>{@link CommitAnswer.Applied} if it did; {@link CommitAnswer.AlreadyApplied} if ours stands
   * there; {@link CommitAnswer.Conflict} with what stands there if that is newer, or of the same
   * version by another's commit; {@link CommitAnswer.Unknown} without an answer in time.
   */
  void restore(CallRestore<R> restore, Consumer<CommitAnswer<R>> answer);

  /**
   * What this commit wrote has been put away: who keeps its record in memory may keep {@code again}
   * in its place. On the loop of the call; says nothing of what is stored.
   *
   * @param again makes an equal record each time it is asked; any thread
   */
  default void fold(CallKey call, CommitId commit, Supplier<R> again) {}

  /**
   * What this commit wrote, if the store remembers it and has not been told that it was put away.
   * On the loop of the call.
   */
  default Optional<RecordCodec.Encoded> written(CallKey call, CommitId commit) {
    return Optional.empty();
  }

  /**
   * This node has the call no more: there is nothing to remember for it. On the loop of the call.
   */
  default void released(CallKey call) {}

  /**
   * What was put away is in use again: a commit that follows on it need not find out anew how it is
   * written down. On the loop of the call; says nothing of what is stored.
   */
  default void unfold(CallKey call, CommitId commit, RecordCodec.Encoded as) {}
}
