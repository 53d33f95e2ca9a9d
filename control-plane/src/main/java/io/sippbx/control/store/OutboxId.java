package io.sippbx.control.store;

/**
 * Where an event lies in the outbox of its partition. Later ones are greater.
 *
 * @param text the time in milliseconds and an ordinal, as Redis writes the id of a stream's entry
 */
public record OutboxId(String text) implements Comparable<OutboxId> {

  private static final int MAX_DIGITS = 19;

  /** Refuses what is no such id. */
  public OutboxId {
    int dash = text.indexOf('-');
    if (!isNumber(text, 0, dash) || !isNumber(text, dash + 1, text.length())) {
      throw new IllegalArgumentException("Expected two numbers, but got " + text);
    }
  }

  private static boolean isNumber(String text, int from, int to) {
    if (to <= from || to - from > MAX_DIGITS) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  private long part(int index) {
    int dash = text.indexOf('-');
    return index == 0
        ? Long.parseLong(text, 0, dash, 10)
        : Long.parseLong(text, dash + 1, text.length(), 10);
  }

  @Override
  public int compareTo(OutboxId other) {
    int byTime = Long.compare(part(0), other.part(0));
    return byTime != 0 ? byTime : Long.compare(part(1), other.part(1));
  }

  @Override
  public String toString() {
    return text;
  }
}
