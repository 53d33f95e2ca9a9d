package io.sippbx.media.port;

/**
 * The ports that the node may use for media, both ends included.
 *
 * @param first 1 to 65534
 * @param last above {@code first}, up to 65535
 */
public record PortRange(int first, int last) {

  /** Refuses a range that holds no even port followed by an odd one. */
  public PortRange {
    if (first < 1 || last > 65_535 || first > last || pairs(first, last) < 1) {
      throw new IllegalArgumentException(
          "Expected a range within 1-65535 with at least one even port followed by an odd one, but"
              + " got "
              + first
              + "-"
              + last);
    }
  }

  /** The even port of the first pair. */
  public int firstRtpPort() {
    return first + (first & 1);
  }

  /** Pairs of an even port and the next: a lone port at either end of the range is left out. */
  public int pairs() {
    return pairs(first, last);
  }

  /** Whether the pair that begins at this port is one of the range's. */
  public boolean holdsPair(int rtpPort) {
    return (rtpPort & 1) == 0 && rtpPort >= first && rtpPort < last;
  }

  /** Whether a port is in both ranges. */
  public boolean overlaps(PortRange other) {
    return first <= other.last && other.first <= last;
  }

  private static int pairs(int first, int last) {
    return Math.max(0, (last + 1 - (first + (first & 1))) / 2);
  }

  /** {@code 10000-20000}. */
  @Override
  public String toString() {
    return first + "-" + last;
  }
}
