/**
 * RTP and RTCP as bytes and numbers: header checks over a buffer, sequence numbers, loss and
 * jitter.
 *
 * <p>Pure: nothing here reads a clock, touches a socket or starts a thread. What runs for each
 * packet are static functions over a buffer and primitives, which allocate nothing.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550">RFC 3550</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc5761">RFC 5761</a>
 */
@NullMarked
package io.sippbx.media.rtp;

import org.jspecify.annotations.NullMarked;
