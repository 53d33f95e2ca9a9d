package io.sippbx.media.relay;

import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.media.rtp.StreamStatistics;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One end of a stream as the relay holds it: its sockets, what its plan says, and what was counted.
 * Of the worker's thread, but for {@link #counts}.
 */
final class StreamSide {

  // Slots of the tally: what came from this end, and what of it was sent on to the other. Those of
  // each media packet come first, so that they share a line of the cache.
  static final int PACKETS = 0;
  static final int BYTES = 1;
  static final int LAST_PACKET_NS = 2;
  static final int FORWARDED_PACKETS = 3;
  static final int FORWARDED_BYTES = 4;
  static final int JITTER = 5;
  static final int LOST = 6;
  static final int CLOCK_RATE = 7;
  static final int RTCP_PACKETS = 8;
  static final int FORWARDED_RTCP = 9;
  static final int REPORTED_LOST = 10;
  static final int REPORTED_JITTER = 11;
  static final int STRAY = 12;
  static final int INVALID = 13;
  static final int DIRECTION = 14;
  static final int UNSENT = 15;
  static final int BY_KERNEL = 16;
  static final int DTLS_PACKETS = 17;
  static final int STUN = 18;
  private static final int SLOTS = 19;

  private static final int NONE = -1;

  /** In LAST_PACKET_NS: none came yet. */
  private static final long NEVER = Long.MIN_VALUE;

  final End end;
  final Tally tally = new Tally(SLOTS);
  final StreamStatistics statistics = new StreamStatistics();

  /** Volatile for {@link #counts}. */
  volatile boolean rtcpMux;

  PayloadForm form = PayloadForm.RTP;

  /** Whether media from this end are sent on: it may send, and the other wants to receive. */
  boolean isSentOn;

  private boolean maySend;
  private boolean wantsReceive;
  private PayloadTypes payloadTypes = PayloadTypes.any(MediaKind.OTHER);

  /** The last one that was allowed, and its clock rate: the next packet has the same. */
  private int payloadType = NONE;

  private int clockRateHz;

  /** Replaced together by {@link #rebind}; volatile for {@link #counts}. */
  private volatile Lane rtp;

  private volatile Lane ownRtcp;
  private EndSockets sockets;
  private boolean isSignalled;
  private int epoch;
  private boolean firstPacketTold;
  private boolean isDue;
  private long dueSinceNs;
  private boolean silenceTold;
  private long kernelDropsSeen;

  StreamSide(End end, EndSockets sockets) {
    this.end = end;
    this.sockets = sockets;
    rtp = new Lane(sockets.rtp());
    ownRtcp = sockets.isShared() ? rtp : new Lane(sockets.rtcp());
    tally.set(LAST_PACKET_NS, NEVER);
  }

  /** Is at these sockets from now on, latched to nobody; counts go on. The old ones are closed. */
  void rebind(EndSockets to) {
    close();
    sockets = to;
    rtp = new Lane(to.rtp());
    ownRtcp = to.isShared() ? rtp : new Lane(to.rtcp());
    kernelDropsSeen = 0;
  }

  /** RTP of this end. */
  Lane rtp() {
    return rtp;
  }

  /** RTCP of this end: the lane of RTP when they share it. */
  Lane rtcp() {
    return rtcpMux ? rtp : ownRtcp;
  }

  /** Follows the plan of this end of a stream. */
  void follow(EndPlan plan, PayloadForm formOfStream) {
    form = formOfStream;
    rtcpMux = plan.rtcpMux() || sockets.isShared();
    maySend = plan.maySend();
    wantsReceive = plan.wantsReceive();
    payloadTypes = plan.payloadTypes();
    payloadType = NONE;
    isSignalled = plan.remoteRtp().isPresent();
    if (plan.latchEpoch() > epoch) {
      epoch = plan.latchEpoch();
      firstPacketTold = false;
      // a new address gets the whole time-out to be heard from
      isDue = false;
    }
    rtp.signalled(plan.remoteRtp(), plan.latchEpoch());
    if (!sockets.isShared()) {
      ownRtcp.signalled(plan.signalledRtcp(), plan.latchEpoch());
    }
  }

  /** Takes nothing, gets nothing and owes nothing: the plan leaves the stream out. */
  void rest() {
    maySend = false;
    wantsReceive = false;
    isSignalled = false;
    rtp.signalled(Optional.empty(), epoch);
    ownRtcp.signalled(Optional.empty(), epoch);
  }

  /** Works out what is sent on and whether something is due from this end, from both plans. */
  void judge(StreamSide other, long nowNs) {
    isSentOn = maySend && other.wantsReceive;
    boolean due = isSignalled && isSentOn;
    if (due && !isDue) {
      dueSinceNs = nowNs;
    }
    isDue = due;
  }

  /** Whether packets of this payload type (0 to 127) are valid from this end. */
  boolean allows(int type) {
    if (type == payloadType) {
      return true;
    }
    if (!payloadTypes.allows(type)) {
      return false;
    }
    payloadType = type;
    clockRateHz = payloadTypes.clockRateHz(type);
    return true;
  }

  /** Ticks a second of the payload type that was allowed last. */
  int clockRateHz() {
    return clockRateHz;
  }

  boolean isDue() {
    return isDue;
  }

  /** For how long nothing has come, since something is due. */
  long silentNs(long nowNs) {
    long lastNs = tally.get(LAST_PACKET_NS);
    boolean sinceDue = lastNs != NEVER && lastNs - dueSinceNs > 0;
    return nowNs - (sinceDue ? lastNs : dueSinceNs);
  }

  /** Whether this silence is to be told now: once, until it ends. */
  boolean tellSilence(boolean silent) {
    boolean tell = silent && !silenceTold;
    silenceTold = silent;
    return tell;
  }

  /** Whether the first packet of the epoch is to be told now: once. */
  boolean tellFirstPacket() {
    boolean tell = !firstPacketTold;
    firstPacketTold = true;
    return tell;
  }

  /** Counts what the kernel dropped since the last look, and says how much it is. */
  long lookAtKernelDrops() {
    long drops = sockets.kernelDrops();
    long more = drops - kernelDropsSeen;
    kernelDropsSeen = drops;
    tally.add(BY_KERNEL, more);
    return more;
  }

  EndSockets sockets() {
    return sockets;
  }

  void close() {
    sockets.close();
  }

  /** What came from this end, and was sent to it from the other. From any thread. */
  EndCounts counts(StreamSide other) {
    long lastPacketNs = tally.get(LAST_PACKET_NS);
    return new EndCounts(
        tally.get(PACKETS),
        tally.get(BYTES),
        tally.get(LOST),
        tally.get(JITTER),
        (int) tally.get(CLOCK_RATE),
        tally.get(RTCP_PACKETS),
        tally.get(DTLS_PACKETS),
        tally.get(STRAY),
        tally.get(INVALID),
        tally.get(STUN),
        tally.get(DIRECTION),
        tally.get(UNSENT),
        tally.get(BY_KERNEL),
        other.tally.get(FORWARDED_PACKETS),
        other.tally.get(FORWARDED_BYTES),
        other.tally.get(FORWARDED_RTCP),
        tally.get(REPORTED_LOST),
        tally.get(REPORTED_JITTER),
        rtp.held(),
        rtcp().held(),
        lastPacketNs == NEVER ? OptionalLong.empty() : OptionalLong.of(lastPacketNs));
  }
}
