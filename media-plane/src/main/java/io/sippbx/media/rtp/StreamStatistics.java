package io.sippbx.media.rtp;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Loss and jitter of all that one end sends in one stream: usually one source, and another after a
 * transfer or a restart of the phone. Mutable and for one thread; allocates for each of the first
 * sources, and nothing else: a call may end before a packet came.
 *
 * <p>The last {@value #SOURCES} sources are told apart (several at once are a matter of video);
 * what an older one lost stays counted.
 */
public final class StreamStatistics {

  /** Sources that are told apart. */
  public static final int SOURCES = 4;

  private final List<SourceStatistics> sources = new ArrayList<>(0);
  private @Nullable SourceStatistics current;
  private int oldest;
  private long lostBefore;
  private long lostOfOthers;

  /** Counts a packet; see {@link SourceStatistics#received}. */
  public void received(int ssrc, int sequence, int timestamp, int clockRateHz, long arrivalNs) {
    SourceStatistics source = current;
    if (source == null || source.ssrc() != ssrc) {
      source = source(ssrc);
      current = source;
      lostOfOthers = lostBefore;
      for (SourceStatistics other : sources) {
        lostOfOthers += other.equals(source) ? 0 : other.lost();
      }
    }
    source.received(ssrc, sequence, timestamp, clockRateHz, arrivalNs);
  }

  private SourceStatistics source(int ssrc) {
    for (SourceStatistics source : sources) {
      if (source.ssrc() == ssrc) {
        return source;
      }
    }
    if (sources.size() < SOURCES) {
      var first = new SourceStatistics();
      sources.add(first);
      return first;
    }
    SourceStatistics reused = sources.get(oldest);
    oldest = (oldest + 1) % SOURCES;
    lostBefore += reused.lost();
    reused.restart();
    return reused;
  }

  /** Of all sources together, cumulative. */
  public long lost() {
    return current == null ? 0 : lostOfOthers + current.lost();
  }

  /** Of the source of the last packet, in timestamp units. */
  public long jitterTicks() {
    return current == null ? 0 : current.jitterTicks();
  }

  /** Ticks a second of the last packet's timestamp; 0 before the first. */
  public int clockRateHz() {
    return current == null ? 0 : current.clockRateHz();
  }
}
