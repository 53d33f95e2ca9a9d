package io.sippbx.control.store.redis;

/** What became of a command. */
sealed interface Reply {

  /** Redis answered. */
  record Answered(Object value) implements Reply {}

  /** No answer, or one that says that it cannot: whether it took effect is not known. */
  record Failed(String detail) implements Reply {}
}
