package io.sippbx.media.rtp;

/**
 * Loss and jitter of one synchronization source, as a receiver counts them. Mutable and for one
 * thread; allocates nothing after it was made.
 *
 * <p>A source that jumps by more than 3,000 packets ahead or 100 back has restarted once two
 * packets follow each other at the new place; until then such packets are in neither number. What
 * had been lost before a restart stays counted. Unlike A.1 there is no probation: what reaches this
 * class came from a latched source.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1">RFC 3550 A.1, A.3, A.8</a>
 */
public final class SourceStatistics {

  private static final int MAX_DROPOUT = 3_000;
  private static final int MAX_MISORDER = 100;
  private static final long NS_PER_SECOND = 1_000_000_000;
  private static final int NO_SEQUENCE = -1;

  private boolean started;
  private int ssrc;
  private int highest;
  private long cycles;
  private int base;
  private int expectedAfterJump = NO_SEQUENCE;
  private long received;
  private long lostBefore;

  private int clockRateHz;
  private int transit;
  private long jitterTimes16;

  /** Begins with the packet that comes next: a new source. What was counted is forgotten. */
  public void restart() {
    started = false;
    received = 0;
    lostBefore = 0;
    clockRateHz = 0;
    jitterTimes16 = 0;
  }

  /** Whether a packet came since the last restart. */
  public boolean isStarted() {
    return started;
  }

  /** The source; meaningful once started. */
  public int ssrc() {
    return ssrc;
  }

  /**
   * Counts a packet.
   *
   * @param packetSsrc the same for all packets up to a restart
   * @param sequence 0 to 65,535
   * @param timestamp as in the packet
   * @param packetClockRateHz ticks a second of {@code timestamp}
   * @param arrivalNs on any clock that does not jump
   */
  public void received(
      int packetSsrc, int sequence, int timestamp, int packetClockRateHz, long arrivalNs) {
    if (!started) {
      started = true;
      ssrc = packetSsrc;
      beginAt(sequence);
      received = 1;
    } else if (!countSequence(sequence)) {
      return;
    }
    countJitter(timestamp, packetClockRateHz, arrivalNs);
  }

  private void beginAt(int sequence) {
    base = sequence;
    highest = sequence;
    cycles = 0;
    expectedAfterJump = NO_SEQUENCE;
  }

  private boolean countSequence(int sequence) {
    int ahead = sequence - highest & SequenceNumber.MODULUS - 1;
    if (ahead < MAX_DROPOUT) {
      if (sequence < highest) {
        cycles += SequenceNumber.MODULUS;
      }
      highest = sequence;
      expectedAfterJump = NO_SEQUENCE;
    } else if (ahead <= SequenceNumber.MODULUS - MAX_MISORDER) {
      if (sequence != expectedAfterJump) {
        expectedAfterJump = sequence + 1 & SequenceNumber.MODULUS - 1;
        return false;
      }
      lostBefore = lost();
      beginAt(sequence);
      received = 0;
      clockRateHz = 0;
    }
    // else: late or a duplicate, and received all the same
    received++;
    return true;
  }

  private void countJitter(int timestamp, int packetClockRateHz, long arrivalNs) {
    int arrivalTicks =
        (int)
            (arrivalNs / NS_PER_SECOND * packetClockRateHz
                + arrivalNs % NS_PER_SECOND * packetClockRateHz / NS_PER_SECOND);
    int packetTransit = arrivalTicks - timestamp;
    if (packetClockRateHz == clockRateHz) {
      long difference = Math.abs((long) (packetTransit - transit));
      jitterTimes16 += difference - (jitterTimes16 + 8 >> 4);
    } else if (clockRateHz != 0) {
      // RFC 7160 4.1: units differ, so the two cannot be compared
      jitterTimes16 = jitterTimes16 * packetClockRateHz / clockRateHz;
    }
    clockRateHz = packetClockRateHz;
    transit = packetTransit;
  }

  /** Packets that were due, minus those that came: A.3. Negative with duplicates. */
  public long lost() {
    return started ? lostBefore + cycles + highest - base + 1 - received : 0;
  }

  /** The interarrival jitter in timestamp units, A.8. */
  public long jitterTicks() {
    return jitterTimes16 >> 4;
  }

  /** Ticks a second of the last packet's timestamp; 0 before the first. */
  public int clockRateHz() {
    return clockRateHz;
  }
}
