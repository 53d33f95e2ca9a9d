package io.sippbx.media.relay;

import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/**
 * How one end of a stream is to be treated.
 *
 * @param remoteRtp where the end said that it receives; empty until it has said so: nothing is sent
 *     to it and nothing taken from it before
 * @param remoteRtcp empty: port + 1 of {@code remoteRtp}, or that itself with {@code rtcpMux}
 * @param rtcpMux RTP and RTCP share the RTP port (RFC 5761)
 * @param maySend RTP that this end sends is relayed
 * @param wantsReceive RTP is relayed to this end; RTCP always is
 * @param payloadTypes what is valid from this end
 * @param latchEpoch an epoch above the last one starts latching again
 */
public record EndPlan(
    Optional<Endpoint> remoteRtp,
    Optional<Endpoint> remoteRtcp,
    boolean rtcpMux,
    boolean maySend,
    boolean wantsReceive,
    PayloadTypes payloadTypes,
    int latchEpoch) {

  private static final int HIGHEST_PORT = 65_535;

  /** An end that has not spoken yet. */
  public static EndPlan unknown(MediaKind kind) {
    return new EndPlan(
        Optional.empty(), Optional.empty(), false, true, true, PayloadTypes.any(kind), 0);
  }

  /** Where RTCP goes before anything has been latched. */
  public Optional<Endpoint> signalledRtcp() {
    if (rtcpMux) {
      return remoteRtp;
    }
    if (remoteRtcp.isPresent()) {
      return remoteRtcp;
    }
    return remoteRtp
        .filter(rtp -> rtp.port() > 0 && rtp.port() < HIGHEST_PORT)
        .map(rtp -> rtp.withPort(rtp.port() + 1));
  }
}
