package io.sippbx.media.session;

import io.sippbx.media.relay.End;
import io.sippbx.media.rtp.PayloadForm;

/**
 * One media line of a session.
 *
 * @param index position of the media line in the SDP, from 0
 * @param media the media field of the line: "audio", "video", ...
 * @param form what its datagrams are
 * @param a the caller's side
 * @param b the callee's side
 */
public record StreamSpec(int index, String media, PayloadForm form, EndSpec a, EndSpec b) {

  /** A stream of RTP and RTCP. */
  public static StreamSpec rtp(int index, String media, EndSpec a, EndSpec b) {
    return new StreamSpec(index, media, PayloadForm.RTP, a, b);
  }

  /** One of the two sides. */
  public EndSpec end(End end) {
    return end == End.A ? a : b;
  }
}
