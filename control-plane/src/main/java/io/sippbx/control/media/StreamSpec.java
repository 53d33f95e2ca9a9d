package io.sippbx.control.media;

/**
 * One media line of a call as the media node shall relay it.
 *
 * @param index position of the media line in the SDP, from 0
 * @param media the media field of the line: "audio", "video", ...
 * @param form what its datagrams are
 * @param a the caller's side
 * @param b the callee's side
 */
public record StreamSpec(int index, String media, PayloadForm form, StreamEnd a, StreamEnd b) {

  /** A stream of RTP and RTCP. */
  public static StreamSpec rtp(int index, String media, StreamEnd a, StreamEnd b) {
    return new StreamSpec(index, media, PayloadForm.RTP, a, b);
  }
}
