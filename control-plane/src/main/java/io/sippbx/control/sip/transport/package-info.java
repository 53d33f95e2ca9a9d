/**
 * Getting SIP messages to and from the network: flows, listeners and the {@link
 * io.sippbx.control.sip.transport.SipTransport} port, with its adapter on Netty.
 *
 * <p>The values and ports are what the rest of the control plane sees. Netty is behind {@link
 * io.sippbx.control.sip.transport.NettySipTransport} and {@link
 * io.sippbx.control.sip.transport.NettyLoops} only.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18">RFC 3261 18</a>
 */
@NullMarked
package io.sippbx.control.sip.transport;

import org.jspecify.annotations.NullMarked;
