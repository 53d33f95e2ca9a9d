package io.sippbx.event.webhook;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The events of one call that one receiver is to have, in order. What comes too early waits for
 * what is missing before it. Which events were here is remembered by seq and id, so that one that
 * comes again is known.
 */
final class CallLane {

  /** What a lane does. */
  enum State {
    /** Nothing is to be sent. */
    IDLE,
    /** It waits for its turn. */
    RUNNABLE,
    /** Its first event is being posted or put aside. */
    BUSY,
    /** Its first event waits for its next attempt. */
    PARKED
  }

  private static final int REMEMBERED = 32;

  private final String subject;
  private final Deque<WebhookItem> ready = new ArrayDeque<>(4);
  private final TreeMap<Integer, WebhookItem> early = new TreeMap<>();
  private int next = 1;
  private long[] seen = new long[0];
  private int seenCount;

  State state = State.IDLE;

  /** When it is to be woken, for the state PARKED. */
  long wakeNs;

  /** Until when it waits for what is missing. */
  long gapEndNs;

  /** Why the first event is to be put aside. */
  @Nullable String deadReason;

  CallLane(String subject) {
    this.subject = subject;
  }

  String subject() {
    return subject;
  }

  @Nullable WebhookItem head() {
    return ready.peek();
  }

  void removeHead() {
    ready.remove();
  }

  boolean hasGap() {
    return !early.isEmpty();
  }

  /** Whether nothing of it is in hand. */
  boolean isEmpty() {
    return ready.isEmpty() && early.isEmpty();
  }

  /** The event of this id that is in hand. */
  @Nullable WebhookItem inHand(String id) {
    for (WebhookItem each : ready) {
      if (each.webhook().id().equals(id)) {
        return each;
      }
    }
    for (WebhookItem each : early.values()) {
      if (each.webhook().id().equals(id)) {
        return each;
      }
    }
    return null;
  }

  /** Whether this event was here and is done with. */
  boolean knows(int seq, String id) {
    long mark = mark(seq, id);
    for (int i = 0; i < Math.min(seenCount, seen.length); i++) {
      if (seen[i] == mark) {
        return true;
      }
    }
    return false;
  }

  /** It is here, and need not come again. */
  void remember(int seq, String id) {
    if (seenCount == seen.length && seen.length < REMEMBERED) {
      seen = Arrays.copyOf(seen, Math.max(4, seen.length * 2));
    }
    seen[seenCount % seen.length] = mark(seq, id);
    seenCount++;
    if (seenCount == 2 * REMEMBERED) {
      seenCount = REMEMBERED;
    }
  }

  private static long mark(int seq, String id) {
    return ((long) seq << 32) | (id.hashCode() & 0xffff_ffffL);
  }

  /** Whether events that come before this one are missing. */
  boolean isEarly(int seq) {
    return seq > next;
  }

  /** Whether it was expected before others that have gone. */
  boolean isLate(int seq) {
    return seq > 0 && seq < next;
  }

  /** Puts it where others of its call are waited for. False if there is another of its place. */
  boolean addEarly(WebhookItem item) {
    return early.putIfAbsent(item.webhook().seq(), item) == null;
  }

  /** Puts it at the end, and those after it that were early. */
  void addReady(WebhookItem item) {
    ready.add(item);
    if (!isLate(item.webhook().seq())) {
      passTo(item.webhook().seq() + 1);
    }
  }

  /** Goes on as if what comes before {@code seq} was here. */
  void passTo(int seq) {
    next = Math.max(next, seq);
    for (Map.Entry<Integer, WebhookItem> first = early.firstEntry();
        first != null && first.getKey() <= next;
        first = early.firstEntry()) {
      early.remove(first.getKey());
      ready.add(first.getValue());
      next = Math.max(next, first.getKey() + 1);
    }
  }

  /** Gives up what is missing before the first of those that wait. */
  void passGap() {
    passTo(early.firstKey());
  }
}
