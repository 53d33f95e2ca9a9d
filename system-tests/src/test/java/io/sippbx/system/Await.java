package io.sippbx.system;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Waits until something that can only be asked, not heard of, is so; never longer than a bound. */
final class Await {

  private static final long PAUSE_NS = Duration.ofMillis(20).toNanos();

  private Await() {}

  /**
   * The first answer that is as wanted.
   *
   * @throws AssertionError with the last answer, when the time is over
   */
  static <T> T until(String what, Duration within, Callable<T> ask, Predicate<T> wanted) {
    return until(what, within, ask, wanted, () -> "");
  }

  /** The same; the error carries these details, as what the phones sent and received. */
  static <T> T until(
      String what,
      Duration within,
      Callable<T> ask,
      Predicate<T> wanted,
      Supplier<String> details) {
    long deadlineNs = System.nanoTime() + within.toNanos();
    while (true) {
      T answer;
      try {
        answer = ask.call();
      } catch (Exception e) {
        throw new AssertionError("while waiting until " + what, e);
      }
      if (wanted.test(answer)) {
        return answer;
      }
      if (System.nanoTime() - deadlineNs > 0) {
        throw new AssertionError(
            "not within " + within + ": " + what + "; last seen: " + answer + "\n" + details.get());
      }
      LockSupport.parkNanos(PAUSE_NS);
    }
  }
}
