package io.sippbx.control.store;

import io.sippbx.shared.identity.CallKey;
import java.util.function.Consumer;

/**
 * Where calls live between two inputs.
 *
 * <p>Methods return at once. An answer is given exactly once, on the loop that the store was made
 * for the call, never inline.
 *
 * @param <R> the stored call; the store does not look into it
 */
public interface CallStore<R> {

  /** Reads the record of a call. */
  void read(CallKey call, Consumer<ReadAnswer<R>> answer);

  /**
   * Replaces the record and appends the events to the outbox, both or neither, if the version is
   * still the one expected. A commit whose outcome is {@link CommitAnswer.Unknown} is to be sent
   * again with the same id.
   */
  void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer);
}
