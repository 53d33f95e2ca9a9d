package io.sippbx.control.cluster;

import java.time.Duration;
import java.time.Instant;

/**
 * Until when this node may send for calls in flight. A node that was paused, or cannot reach the
 * store, must suppose that another has taken its calls over; versions keep it from writing, and
 * this keeps it from sending.
 *
 * <p>It counts from when an acknowledged heartbeat was <em>sent</em>, by the monotonic clock, and
 * by the wall clock too, because the former may stand still while the machine is suspended. For any
 * thread.
 */
public final class SendLease {

  private final long lengthNs;
  private final Duration length;
  private volatile Term term = new Term(0, Instant.EPOCH, false);

  private record Term(long untilNs, Instant until, boolean granted) {}

  /** None is held before the first acknowledged heartbeat. */
  public SendLease(LeaseSettings settings) {
    this.length = settings.lease().minus(settings.margin());
    this.lengthNs = length.toNanos();
  }

  /**
   * A heartbeat was acknowledged. One that was sent earlier than another that was acknowledged
   * before changes nothing. Call on one thread only.
   *
   * @param sentNs when it was sent, by the monotonic clock
   * @param sent the same moment by the wall clock
   */
  public void acknowledged(long sentNs, Instant sent) {
    Term now = term;
    long untilNs = sentNs + lengthNs;
    if (!now.granted || untilNs - now.untilNs > 0) {
      term = new Term(untilNs, sent.plus(length), true);
    }
  }

  /** Whether this node may send now. */
  public boolean holds(long nowNs, Instant now) {
    Term current = term;
    return current.granted && current.untilNs - nowNs > 0 && now.isBefore(current.until);
  }
}
