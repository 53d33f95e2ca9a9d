package io.sippbx.media.session;

import io.sippbx.shared.net.Endpoint;
import java.util.List;
import java.util.Optional;

/**
 * One end of a stream.
 *
 * @param v6 IP version of the node's own address towards this end
 * @param remoteRtp where the end said that it receives; empty until it has said so
 * @param remoteRtcp empty: port + 1 of {@code remoteRtp}, or that itself with {@code rtcpMux}
 * @param rtcpMux RTP and RTCP share a port (RFC 5761)
 * @param maySend packets from this end are relayed
 * @param wantsReceive packets are relayed to this end
 * @param payloadTypes valid from this end; empty: any
 * @param latchEpoch raised when the remote address changes: latching starts again
 * @param pinnedPort even RTP port to bind; 0: the node chooses
 */
public record EndSpec(
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
  public EndSpec {
    payloadTypes = List.copyOf(payloadTypes);
  }
}
