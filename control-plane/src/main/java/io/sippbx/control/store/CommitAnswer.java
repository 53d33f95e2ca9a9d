package io.sippbx.control.store;

/**
 * What the store says to a commit.
 *
 * @param <R> the type of the record
 */
public sealed interface CommitAnswer<R> {

  /** The record was at the version that was read; it is now the new one, at {@code version}. */
  record Applied<R>(long version) implements CommitAnswer<R> {}

  /** The record's last commit is this very one: it was sent again after an unknown outcome. */
  record AlreadyApplied<R>(long version) implements CommitAnswer<R> {}

  /** Somebody else committed since; {@code current} is what stands there now. */
  record Conflict<R>(Versioned<R> current) implements CommitAnswer<R> {}

  /** There is no record any more, though a version was expected. */
  record Gone<R>() implements CommitAnswer<R> {}

  /** No answer in time: whether the commit was applied is not known. Send the same one again. */
  record Unknown<R>(String detail) implements CommitAnswer<R> {}
}
