package io.sippbx.event.kafka;

import java.util.TreeSet;

/**
 * How far one partition has been consumed, where events may be done with in another order than they
 * came. Any thread.
 */
final class OffsetTracker {

  /** Taken and not done with. */
  private final TreeSet<Long> open = new TreeSet<>();

  private long next;

  /**
   * A tracker.
   *
   * @param next the offset of the first event that comes
   */
  OffsetTracker(long next) {
    this.next = next;
  }

  /** An event was taken; offsets rise, with gaps. */
  synchronized void taken(long offset) {
    if (offset < next) {
      throw new IllegalArgumentException("Expected " + next + " or more, but got " + offset);
    }
    open.add(offset);
    next = offset + 1;
  }

  /** The event that was taken last comes again: there was no room for it. */
  synchronized void givenBack(long offset) {
    open.remove(offset);
    next = offset;
  }

  /** An event that was taken is done with, or needs nothing of us. */
  synchronized void done(long offset) {
    open.remove(offset);
  }

  /** The offset before which all are done with: from there it goes on after a restart. */
  synchronized long position() {
    return open.isEmpty() ? next : open.first();
  }

  /** Events that were taken and are not done with. */
  synchronized int inHand() {
    return open.size();
  }
}
