package io.sippbx.control.store.state;

/**
 * What reading a stored record gives.
 *
 * @param <R> the record's type
 */
public sealed interface Decoded<R> {

  /** The record, with what this node does not know of it carried along. */
  record Known<R>(R record) implements Decoded<R> {}

  /** A newer node wrote it in a way that this one must not drive it by; it is for a newer node. */
  record TooNew<R>(int minReader) implements Decoded<R> {}

  /** It is not what any node would have written. */
  record Unreadable<R>(String detail) implements Decoded<R> {}
}
