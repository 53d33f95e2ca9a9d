package io.sippbx.control.media;

/** What the datagrams of a stream are, and so what the media node checks and counts of them. */
public enum PayloadForm {
  /** RTP and RTCP, plain or as SRTP and SRTCP. */
  RTP,
  /** RTP and RTCP, and on the same ports the DTLS records that agree on their keys. */
  DTLS_SRTP,
  /** Anything else over UDP, such as udptl. */
  DATAGRAMS
}
