/**
 * The packet loop by system calls, through the Foreign Function and Memory API: Linux on x86-64 and
 * aarch64.
 *
 * <p>One datagram costs two calls, recvfrom and sendto, and no allocation. All memory that the
 * kernel writes to is allocated once.
 *
 * @see io.sippbx.media.relay.PacketLoop
 */
@NullMarked
package io.sippbx.media.relay.ffm;

import org.jspecify.annotations.NullMarked;
