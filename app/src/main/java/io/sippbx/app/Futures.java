package io.sippbx.app;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Waiting for what is started beside the rest. */
final class Futures {

  private Futures() {}

  /**
   * The result, or the failure as it was thrown.
   *
   * @param expected what the task may throw beside what is a defect
   */
  static <T, E extends Exception> T await(Future<T> future, Class<E> expected)
      throws E, InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (expected.isInstance(e.getCause())) {
        throw expected.cast(e.getCause());
      }
      if (e.getCause() instanceof Error error) {
        // As if it had come up here: that a library is missing is told at the top.
        throw error;
      }
      throw new IllegalStateException("Expected a start to succeed or to say why, but", e);
    }
  }
}
