package io.sippbx.control.store;

import java.util.regex.Pattern;

/**
 * Where an event lies in the outbox of its partition. Later ones are greater.
 *
 * @param text the time in milliseconds and an ordinal, as Redis writes the id of a stream's entry
 */
public record OutboxId(String text) implements Comparable<OutboxId> {

  private static final Pattern FORM = Pattern.compile("\\d{1,19}-\\d{1,19}");

  /** Refuses what is no such id. */
  public OutboxId {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException("Expected two numbers, but got " + text);
    }
  }

  private long part(int index) {
    int dash = text.indexOf('-');
    return Long.parseLong(index == 0 ? text.substring(0, dash) : text.substring(dash + 1));
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
