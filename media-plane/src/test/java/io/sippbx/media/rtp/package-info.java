/** Tests of RTP and RTCP as bytes and numbers. */
@NullMarked
package io.sippbx.media.rtp;

import org.jspecify.annotations.NullMarked;
