/**
 * The packet path of a media node: sockets, latching (symmetric RTP) and forwarding.
 *
 * <p>{@link io.sippbx.media.relay.Relay} is what the rest of the node talks to. Several workers,
 * each with one thread, own the sessions; a session stays on its worker. {@code PacketLoop} is the
 * port to the sockets, with an adapter of system calls ({@code ffm}) and one on Netty ({@code
 * netty}): see docs/adr/0003. For each packet nothing is allocated, locked or logged.
 */
@NullMarked
package io.sippbx.media.relay;

import org.jspecify.annotations.NullMarked;
