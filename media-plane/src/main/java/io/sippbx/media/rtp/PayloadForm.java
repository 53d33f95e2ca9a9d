package io.sippbx.media.rtp;

/** What the datagrams of a stream are, by the transport of its m= line. */
public enum PayloadForm {
  /** RTP and RTCP, plain or as SRTP and SRTCP. */
  RTP,
  /** RTP and RTCP, and on the same ports the DTLS records that agree on their keys. */
  DTLS_SRTP,
  /** Anything else over UDP, such as udptl: nothing is known of a datagram but its source. */
  DATAGRAMS
}
