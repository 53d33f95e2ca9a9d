package io.sippbx.media.relay;

/**
 * Which source one end's packets are taken from, and where packets for it go: symmetric RTP,
 * protected from strangers. One for RTP and one for RTCP, or one for both when they share a port.
 *
 * <pre>
 * Closed  -- signalled(address)               --> Open    nothing was taken; now it is
 * Open    -- packet from any source           --> Held    latched to that source
 * Held    -- packet from the held source      --> Held
 * Held    -- packet from the signalled address, less than 3 s after Open ended
 *            or the held source silent for 2 s --> Held    latched to the signalled address
 * Held    -- packet from elsewhere            --> Held    stray
 * Closed  -- packet                           --> Closed  stray
 * any     -- signalled(address, higher epoch) --> Open
 * any     -- signalled(nothing)               --> Closed
 * Open    -- packet from the source that was held in the epoch before, while another address is
 *            signalled now                    --> Open    lingering; Held when it goes on for 3 s
 * </pre>
 *
 * The 3 s begin with the first packet of the epoch and not with the epoch: a phone may ring for a
 * minute before its first packet, and it is the stranger who comes before the signalled address
 * that they are against. Mutable; for one thread; allocates nothing. See docs/latching.md.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc4961">RFC 4961, symmetric RTP</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7362">RFC 7362, latching and its risks</a>
 */
class Latch {

  /** How long after an epoch's first packet the signalled address displaces any other. */
  static final long SIGNALLED_FIRST_NS = 3_000_000_000L;

  /** How long a held source must have been silent before the signalled address replaces it. */
  static final long SILENT_NS = 2_000_000_000L;

  /** What to do with a packet. */
  enum Verdict {
    /** Drop it. */
    STRAY,
    /**
     * Take it: its source was held in the epoch before. It is not held, and any other latches in
     * its place.
     */
    LINGERING,
    /** Take it: it is from the held source. */
    HELD,
    /** Take it: its source is held from now on, and is the epoch's first. */
    LATCHED,
    /** Take it: its source, the signalled address, is held from now on, in another's place. */
    REPLACED
  }

  private boolean isOpen;
  private int epoch;
  private long signalledHigh;
  private long signalledLow;
  private int signalledPort;

  /** Held in an epoch before, by an end that has since named another place. */
  private boolean hasOld;

  private long oldHigh;
  private long oldLow;
  private int oldPort;
  private boolean oldLingers;
  private long oldSinceNs;

  private boolean isHeld;
  private long heldHigh;
  private long heldLow;
  private int heldPort;
  private long firstNs;
  private long lastNs;

  /**
   * The end said where it receives. The held source stays unless {@code newEpoch} is above the last
   * one; an epoch below it changes the signalled address and nothing else.
   */
  void signalled(long high, long low, int port, int newEpoch) {
    if (!isOpen || newEpoch > epoch) {
      boolean isElsewhere = low != signalledLow || port != signalledPort || high != signalledHigh;
      unlatch(isElsewhere);
    }
    epoch = isOpen ? Math.max(epoch, newEpoch) : newEpoch;
    isOpen = true;
    signalledHigh = high;
    signalledLow = low;
    signalledPort = port;
  }

  /** The end has not said where it receives: nothing is taken from it. */
  void signalledNothing() {
    isOpen = false;
    unlatch(true);
  }

  private void unlatch(boolean isElsewhere) {
    if (isHeld) {
      hasOld = isElsewhere;
      oldHigh = heldHigh;
      oldLow = heldLow;
      oldPort = heldPort;
    }
    oldLingers = false;
    isHeld = false;
  }

  /** What to do with a valid packet from this source, which came now. */
  Verdict received(long high, long low, int port, long nowNs) {
    if (!isOpen) {
      return Verdict.STRAY;
    }
    if (!isHeld) {
      firstNs = nowNs;
      if (isOld(high, low, port)) {
        if (!oldLingers) {
          oldLingers = true;
          oldSinceNs = nowNs;
        }
        if (nowNs - oldSinceNs < SIGNALLED_FIRST_NS) {
          return Verdict.LINGERING;
        }
        // It has not moved after all, and nobody else came.
        firstNs = oldSinceNs;
      }
      isHeld = true;
      hold(high, low, port, nowNs);
      return Verdict.LATCHED;
    }
    if (low == heldLow && port == heldPort && high == heldHigh) {
      lastNs = nowNs;
      return Verdict.HELD;
    }
    boolean mayReplace = nowNs - firstNs < SIGNALLED_FIRST_NS || nowNs - lastNs >= SILENT_NS;
    if (mayReplace && low == signalledLow && port == signalledPort && high == signalledHigh) {
      hold(high, low, port, nowNs);
      return Verdict.REPLACED;
    }
    return Verdict.STRAY;
  }

  private boolean isOld(long high, long low, int port) {
    return hasOld
        && low == oldLow
        && port == oldPort
        && high == oldHigh
        && !(low == signalledLow && port == signalledPort && high == signalledHigh);
  }

  private void hold(long high, long low, int port, long nowNs) {
    heldHigh = high;
    heldLow = low;
    heldPort = port;
    lastNs = nowNs;
  }

  /** Whether a source is held. */
  boolean isHeld() {
    return isHeld;
  }

  /** Whether there is a place to send to: the held source, or else the signalled address. */
  boolean hasDestination() {
    return isHeld
        || isOpen && signalledPort > 0 && !AddressBits.isUnspecified(signalledHigh, signalledLow);
  }

  /** Address bits of the place to send to. */
  long destinationHigh() {
    return isHeld ? heldHigh : signalledHigh;
  }

  /** Address bits of the place to send to. */
  long destinationLow() {
    return isHeld ? heldLow : signalledLow;
  }

  /** Port of the place to send to. */
  int destinationPort() {
    return isHeld ? heldPort : signalledPort;
  }
}
