package io.sippbx.control.media;

import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;

/**
 * One end of a stream as the media node shall treat it.
 *
 * @param v6 whether the node's own address towards this end is an IPv6 one
 * @param remoteRtp where the end said that it receives; empty until it has said so
 * @param remoteRtcp empty: port + 1 of {@code remoteRtp}, or that itself with {@code rtcpMux}
 * @param rtcpMux RTP and RTCP share a port (RFC 5761)
 * @param maySend packets from this end are relayed
 * @param wantsReceive packets are relayed to this end
 * @param payloadTypes valid RTP payload types from this end, 0 to 127; empty: any
 * @param latchEpoch raised when the remote address or the node changes: latching starts again
 * @param pinnedPort even RTP port to bind; 0: the node chooses
 */
public record StreamEnd(
    boolean v6,
    Optional<Endpoint> remoteRtp,
    Optional<Endpoint> remoteRtcp,
    boolean rtcpMux,
    boolean maySend,
    boolean wantsReceive,
    List<Integer> payloadTypes,
    int latchEpoch,
    int pinnedPort) {

  /** Copies {@code payloadTypes}. */
  public StreamEnd {
    payloadTypes = List.copyOf(payloadTypes);
  }

  /** An end that has not spoken yet: ports are opened for it, and nothing is sent to it. */
  public static StreamEnd unknown(boolean v6) {
    return new StreamEnd(
        v6, Optional.empty(), Optional.empty(), false, true, true, List.of(), 0, 0);
  }
}
