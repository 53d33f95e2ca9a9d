package io.sippbx.media.session;

import io.sippbx.media.relay.End;

/**
 * One media line of a session.
 *
 * @param index position of the media line in the SDP, from 0
 * @param media the media field of the line: "audio", "video", ...
 * @param a the caller's side
 * @param b the callee's side
 */
public record StreamSpec(int index, String media, EndSpec a, EndSpec b) {

  /** One of the two sides. */
  public EndSpec end(End end) {
    return end == End.A ? a : b;
  }
}
