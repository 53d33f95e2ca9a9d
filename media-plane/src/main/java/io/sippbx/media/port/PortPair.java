package io.sippbx.media.port;

import io.sippbx.shared.net.Endpoint;

/**
 * An even port for RTP and the next for RTCP, at one address of the node.
 *
 * @param rtpPort even
 */
public record PortPair(LocalAddress address, int rtpPort) {

  /** What the RTP socket is bound to. */
  public Endpoint bindRtp() {
    return new Endpoint(address.bind(), rtpPort);
  }

  /** What the RTCP socket is bound to. */
  public Endpoint bindRtcp() {
    return new Endpoint(address.bind(), rtpPort + 1);
  }

  /** Where the end is told to send RTP. */
  public Endpoint advertisedRtp() {
    return new Endpoint(address.advertised(), rtpPort);
  }

  /** Where the end is told to send RTCP, unless it multiplexes. */
  public Endpoint advertisedRtcp() {
    return new Endpoint(address.advertised(), rtpPort + 1);
  }
}
