package io.sippbx.media.session;

import io.sippbx.media.port.PortPair;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;

/**
 * A session as the node holds it, or held it at its end.
 *
 * @param streams in the order of their indices
 * @param mediaTimedOut nothing came for the media time-out, and nothing since
 */
public record SessionState(
    CallKey call, long revision, boolean confirmed, boolean mediaTimedOut, List<Stream> streams) {

  /** Copies {@code streams}. */
  public SessionState {
    streams = List.copyOf(streams);
  }

  /** The state of a session of which the node knows nothing but that it is not there. */
  static SessionState none(CallKey call, long revision) {
    return new SessionState(call, revision, false, false, List.of());
  }

  /**
   * A stream.
   *
   * @param counts empty until the relay has any
   */
  public record Stream(int index, LocalEnd a, LocalEnd b, Optional<SessionCounts.Stream> counts) {}

  /** Where the node receives from an end. */
  public record LocalEnd(PortPair pair, boolean rtcpMux) {

    /** Where the end sends RTP. */
    public Endpoint rtp() {
      return pair.advertisedRtp();
    }

    /** Where the end sends RTCP. */
    public Endpoint rtcp() {
      return rtcpMux ? pair.advertisedRtp() : pair.advertisedRtcp();
    }
  }
}
