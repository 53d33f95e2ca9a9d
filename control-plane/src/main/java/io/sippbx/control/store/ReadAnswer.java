package io.sippbx.control.store;

/**
 * What the store says to a read.
 *
 * @param <R> the type of the record
 */
public sealed interface ReadAnswer<R> {

  /** The record as it stands. */
  record Found<R>(Versioned<R> current) implements ReadAnswer<R> {}

  /** There is none. */
  record Absent<R>() implements ReadAnswer<R> {}

  /** No answer in time. */
  record Unavailable<R>(String detail) implements ReadAnswer<R> {}
}
