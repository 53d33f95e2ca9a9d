package io.sippbx.media.relay;

/**
 * The sockets of one end of a stream.
 *
 * @param rtcp the same as {@code rtp} where one takes both
 */
record EndSockets(PacketSocket rtp, PacketSocket rtcp) {

  boolean isShared() {
    return rtcp.equals(rtp);
  }

  int count() {
    return isShared() ? 1 : 2;
  }

  long kernelDrops() {
    return isShared() ? rtp.kernelDrops() : rtp.kernelDrops() + rtcp.kernelDrops();
  }

  void close() {
    rtp.close();
    if (!isShared()) {
      rtcp.close();
    }
  }
}
