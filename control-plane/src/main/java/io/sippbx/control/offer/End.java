package io.sippbx.control.offer;

import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.net.Endpoint;

/** An end of the media session, as in {@link StreamSpec}. */
public enum End {
  /** The caller's. */
  A,
  /** The callee's. */
  B;

  /** The opposite end. */
  public End other() {
    return this == A ? B : A;
  }

  /** Where the media node receives RTP from this end. */
  public Endpoint rtp(StreamAddresses addresses) {
    return this == A ? addresses.aRtp() : addresses.bRtp();
  }

  /** Where the media node receives RTCP from this end. */
  public Endpoint rtcp(StreamAddresses addresses) {
    return this == A ? addresses.aRtcp() : addresses.bRtcp();
  }

  StreamEnd of(StreamSpec stream) {
    return this == A ? stream.a() : stream.b();
  }
}
