package io.sippbx.system;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/** Waits until something that can only be asked, not heard of, is so; never longer than a bound. */
final class Await {

  private static final Duration PAUSE = Duration.ofMillis(20);

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
    AtomicReference<@Nullable T> last = new AtomicReference<>();
    try {
      return Awaitility.await(what)
          .pollInSameThread()
          .pollDelay(Duration.ZERO)
          .pollInterval(PAUSE)
          .atMost(within)
          .until(
              () -> {
                T answer = ask.call();
                last.set(answer);
                return answer;
              },
              wanted);
    } catch (ConditionTimeoutException e) {
      throw new AssertionError(
          "not within "
              + within
              + ": "
              + what
              + "; last seen: "
              + last.get()
              + "\n"
              + details.get(),
          e);
    }
  }
}
