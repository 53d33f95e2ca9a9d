package io.sippbx.control.cluster;

import io.sippbx.control.loop.Loop;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/**
 * What stands before each write for a call in flight on one loop. It is open while this node holds
 * its {@link SendLease}; a call passes in the term of the lease in which its record was read.
 *
 * <p>So a node that was paused sends nothing of what it had in hand when it wakes, though its lease
 * may be renewed before anybody has noticed that it had ended: the term is another one, and each
 * call is held back until its record was read again. What only ends or repeats need not ask.
 *
 * <p>Lives on its loop; the counters are for any thread.
 */
public final class Fence {

  private final Loop loop;
  private final SendLease lease;
  private final LongAdder withheld = new LongAdder();
  private final LongAdder openings = new LongAdder();

  /**
   * @param reopened is told on the loop, once for each term, that calls may go on whose records are
   *     read from now on
   */
  public Fence(Loop loop, SendLease lease, LongConsumer reopened) {
    this.loop = loop;
    this.lease = lease;
    lease.onNewTerm(term -> loop.execute(() -> opened(term, reopened)));
  }

  private void opened(long term, LongConsumer reopened) {
    if (term > 1) {
      openings.increment();
    }
    reopened.accept(term);
  }

  /**
   * The term of a record that is read or committed now, to be kept with the call; {@link
   * SendLease#NONE} while the fence is shut, which never passes.
   */
  public long term() {
    return lease.term(loop.nowNs(), loop.now());
  }

  /**
   * Whether this node may send now for a call whose record was asked for in {@code term}. What may
   * not be sent is counted.
   */
  public boolean allows(long term) {
    if (isOpenFor(term)) {
      return true;
    }
    withheld.increment();
    return false;
  }

  /** Whether {@link #allows} would, for one who only wants to know. */
  public boolean isOpenFor(long term) {
    return term != SendLease.NONE && term == term();
  }

  /** How often something was not sent. */
  public long withheld() {
    return withheld.sum();
  }

  /** How often it opened again after it had been shut. */
  public long openings() {
    return openings.sum();
  }
}
