/**
 * RTP/RTCP port pairs (RFC 3550 11: RTP on the even port, RTCP on the next): which there are, who
 * has them, and which rest. Pure: time is handed in, and nothing here opens a socket.
 */
@NullMarked
package io.sippbx.media.port;

import org.jspecify.annotations.NullMarked;
