/**
 * The packet loop on Netty: on epoll where its native library loads, else on NIO, which runs
 * wherever a JDK does.
 *
 * <p>Netty makes objects for each datagram (the packet, the addresses); the path behind it makes
 * none.
 *
 * @see io.sippbx.media.relay.PacketLoop
 */
@NullMarked
package io.sippbx.media.relay.netty;

import org.jspecify.annotations.NullMarked;
