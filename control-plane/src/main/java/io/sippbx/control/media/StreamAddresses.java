package io.sippbx.control.media;

import io.sippbx.shared.net.Endpoint;

/**
 * Where the media node receives for one stream.
 *
 * @param index position of the media line in the SDP, from 0
 * @param aRtp where the caller's side shall send RTP
 * @param aRtcp where the caller's side shall send RTCP; equals {@code aRtp} with rtcp-mux
 * @param bRtp where the callee's side shall send RTP
 * @param bRtcp where the callee's side shall send RTCP
 */
public record StreamAddresses(
    int index, Endpoint aRtp, Endpoint aRtcp, Endpoint bRtp, Endpoint bRtcp) {}
