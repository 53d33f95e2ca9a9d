package io.sippbx.event.webhook;

import java.io.IOException;
import java.time.Instant;
import java.util.function.Consumer;

/** From where dead letters are read again. */
public interface DeadLetterSource {

  /**
   * Which are looked for.
   *
   * @param from when they were given up, at the earliest
   * @param to before which
   */
  record Range(Instant from, Instant to) {
    /** Whether a time is in it. */
    public boolean holds(Instant time) {
      return !time.isBefore(from) && time.isBefore(to);
    }
  }

  /**
   * Gives all of the range, in the order in which they were kept, and what became of them later;
   * others too.
   */
  void read(Range range, Consumer<DeadLetter> reader) throws IOException, InterruptedException;
}
