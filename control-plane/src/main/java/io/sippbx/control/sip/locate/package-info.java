/**
 * Finding where a SIP URI is served: transports, addresses and the order in which to try them.
 *
 * <p>{@link io.sippbx.control.sip.locate.Rfc3263Locator} holds the rules and asks a {@link
 * io.sippbx.control.sip.locate.Dns}, which {@link io.sippbx.control.sip.locate.NettyDns} is.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3263">RFC 3263</a>
 */
@NullMarked
package io.sippbx.control.sip.locate;

import org.jspecify.annotations.NullMarked;
