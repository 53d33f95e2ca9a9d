package io.sippbx.media.relay;

import io.sippbx.shared.identity.CallKey;

/**
 * Hears what a relay sees by itself: never for each packet. Called on the worker that owns the
 * session; must not block.
 */
public interface RelayListener {

  /** The first valid RTP packet from an end since its latch epoch began. */
  void firstPacket(CallKey session, int streamIndex, End end);

  /**
   * Something is due from this end and nothing, RTP or RTCP, has come for the media time-out. Told
   * once for each silence.
   */
  void silence(CallKey session, int streamIndex, End end);

  /**
   * Something is due from one end or more and nothing, RTP or RTCP, has come from any of them for
   * the media time-out. Told once for each silence of the session.
   */
  void mediaTimeout(CallKey session);

  /** Hears nothing. */
  static RelayListener none() {
    return new RelayListener() {
      @Override
      public void firstPacket(CallKey session, int streamIndex, End end) {}

      @Override
      public void silence(CallKey session, int streamIndex, End end) {}

      @Override
      public void mediaTimeout(CallKey session) {}
    };
  }
}
