package io.sippbx.media.rtp;

/**
 * Loss and jitter of all that one end sends in one stream: usually one source, and another after a
 * transfer or a restart of the phone. Mutable and for one thread; allocates nothing after it was
 * made.
 *
 * <p>The last {@value #SOURCES} sources are told apart (several at once are a matter of video);
 * what an older one lost stays counted.
 */
public final class StreamStatistics {

  /** Sources that are told apart. */
  public static final int SOURCES = 4;

  private final SourceStatistics[] sources = new SourceStatistics[SOURCES];
  private SourceStatistics current;
  private int oldest;
  private long lostBefore;
  private long lostOfOthers;

  /** Without packets. */
  public StreamStatistics() {
    for (int i = 0; i < SOURCES; i++) {
      sources[i] = new SourceStatistics();
    }
    current = sources[0];
  }

  /** Counts a packet; see {@link SourceStatistics#received}. */
  public void received(int ssrc, int sequence, int timestamp, int clockRateHz, long arrivalNs) {
    if (current.ssrc() != ssrc || !current.isStarted()) {
      current = source(ssrc);
      lostOfOthers = lostBefore;
      for (SourceStatistics source : sources) {
        lostOfOthers += source.equals(current) ? 0 : source.lost();
      }
    }
    current.received(ssrc, sequence, timestamp, clockRateHz, arrivalNs);
  }

  private SourceStatistics source(int ssrc) {
    for (SourceStatistics source : sources) {
      if (source.isStarted() && source.ssrc() == ssrc) {
        return source;
      }
    }
    SourceStatistics reused = sources[oldest];
    oldest = (oldest + 1) % SOURCES;
    lostBefore += reused.lost();
    reused.restart();
    return reused;
  }

  /** Of all sources together, cumulative. */
  public long lost() {
    return lostOfOthers + current.lost();
  }

  /** Of the source of the last packet, in timestamp units. */
  public long jitterTicks() {
    return current.jitterTicks();
  }

  /** Ticks a second of the last packet's timestamp; 0 before the first. */
  public int clockRateHz() {
    return current.clockRateHz();
  }
}
