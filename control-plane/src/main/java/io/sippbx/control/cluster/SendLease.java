package io.sippbx.control.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Until when this node may send for calls in flight. A node that was paused, or cannot reach the
 * store, must suppose that another has taken its calls over; versions keep it from writing, and
 * this keeps it from sending.
 *
 * <p>It counts from when an acknowledged heartbeat was <em>sent</em>, by the monotonic clock, and
 * by the wall clock too, because the former may stand still while the machine is suspended. Where a
 * heartbeat is acknowledged only after the lease has ended, a new <em>term</em> begins: what was
 * known in an earlier one may be another node's by now. Questions are for any thread.
 *
 * <p>Others may hold a node that comes back for dead until they look again, and take over at once
 * what it begins meanwhile. So a term that is not the first begins only when heartbeats have been
 * acknowledged for {@link #RETURN_BEATS} intervals without a break.
 */
public final class SendLease {

  /** The term of a node that holds no lease. */
  public static final long NONE = 0;

  /** Intervals of heartbeats after which everybody has seen that a node is back. */
  static final int RETURN_BEATS = 2;

  private final long returnNs;
  private final long lengthNs;
  private final Duration length;
  private volatile Term term = new Term(NONE, 0, Instant.EPOCH);
  private volatile List<LongConsumer> listeners = List.of();
  private volatile boolean ended;

  /** The last heartbeat that was acknowledged since the lease ended. */
  private @Nullable Sent latest;

  /** When the first of those that came without a break was. */
  private long backNs;

  private record Sent(long ns, Instant at) {}

  private record Term(long number, long untilNs, Instant until) {
    boolean holds(long nowNs, Instant now) {
      return number != NONE && untilNs - nowNs > 0 && now.isBefore(until);
    }
  }

  /** None is held before the first acknowledged heartbeat. */
  public SendLease(LeaseSettings settings) {
    this.returnNs = settings.beat().multipliedBy(RETURN_BEATS).toNanos();
    this.length = settings.lease().minus(settings.margin());
    this.lengthNs = length.toNanos();
  }

  /** Tells the number of each term that begins, on the thread that acknowledges. Any thread. */
  public synchronized void onNewTerm(LongConsumer listener) {
    var more = new ArrayList<>(listeners);
    more.add(listener);
    listeners = List.copyOf(more);
  }

  /**
   * A heartbeat was acknowledged. One that was sent earlier than another that was acknowledged
   * before changes nothing. Call on one thread only.
   *
   * @param sentNs when it was sent, by the monotonic clock
   * @param sent the same moment by the wall clock
   * @param nowNs when the answer came, by the monotonic clock
   * @param now the same moment by the wall clock
   */
  public void acknowledged(long sentNs, Instant sent, long nowNs, Instant now) {
    Term last = term;
    if (ended) {
      return;
    }
    long untilNs = sentNs + lengthNs;
    if (last.number() != NONE && untilNs - last.untilNs() <= 0) {
      return;
    }
    boolean goesOn = last.holds(nowNs, now);
    var next = new Term(goesOn ? last.number() : last.number() + 1, untilNs, sent.plus(length));
    if (!goesOn && !next.holds(nowNs, now)) {
      // So late that it is over already: it begins nothing.
      return;
    }
    if (!goesOn && last.number() != NONE && !hasReturned(new Sent(sentNs, sent), nowNs)) {
      return;
    }
    latest = null;
    term = next;
    if (!goesOn) {
      listeners.forEach(each -> each.accept(next.number()));
    }
  }

  private boolean hasReturned(Sent beat, long nowNs) {
    Sent before = latest;
    boolean unbroken =
        before != null
            && beat.ns() - before.ns() < lengthNs
            && beat.at().isBefore(before.at().plus(length));
    if (!unbroken) {
      backNs = nowNs;
    }
    latest = beat;
    return nowNs - backNs >= returnNs;
  }

  /** Ends it for good: this node is superseded, or has handed over what it had. Any thread. */
  public void end() {
    ended = true;
  }

  /** Whether this node may send now. */
  public boolean holds(long nowNs, Instant now) {
    return !ended && term.holds(nowNs, now);
  }

  /** The number of the term, from 1; {@link #NONE} while this node may not send. */
  public long term(long nowNs, Instant now) {
    Term current = term;
    return !ended && current.holds(nowNs, now) ? current.number() : NONE;
  }
}
