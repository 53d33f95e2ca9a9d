package io.sippbx.control.cluster;

/**
 * How much may be done: so much a second, and what was saved up in half a second at once. Pure: it
 * is told the time. Not safe for several threads.
 */
final class Allowance {

  static final int MAX_PER_SECOND = 1_000_000;

  private static final long SECOND_NS = 1_000_000_000;

  private final long perSecond;
  // In billionths of one.
  private final long most;
  private long saved;
  private long lastNs;

  Allowance(int perSecond, long nowNs) {
    this.perSecond = perSecond;
    this.most = Math.max(1, perSecond / 2) * SECOND_NS;
    this.saved = most;
    this.lastNs = nowNs;
  }

  /** Takes up to {@code wanted}; 0 if there is none now. */
  int take(int wanted, long nowNs) {
    long elapsedNs = Math.clamp(nowNs - lastNs, 0, SECOND_NS);
    lastNs = nowNs;
    saved = Math.min(most, saved + elapsedNs * perSecond);
    int taken = (int) Math.min(Math.max(0, wanted), saved / SECOND_NS);
    saved -= taken * SECOND_NS;
    return taken;
  }

  /** Of what was taken this much was not done. */
  void giveBack(int left) {
    saved = Math.min(most, saved + left * SECOND_NS);
  }
}
