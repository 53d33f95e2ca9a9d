package io.sippbx.control.media;

/**
 * One media line of a call as the media node shall relay it.
 *
 * @param index position of the media line in the SDP, from 0
 * @param media the media field of the line: "audio", "video", ...
 * @param a the caller's side
 * @param b the callee's side
 */
public record StreamSpec(int index, String media, StreamEnd a, StreamEnd b) {}
