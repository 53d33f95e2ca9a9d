/**
 * SIP messages over bytes: requests and responses with their headers indexed in one pass, typed
 * values (URIs, name-addrs, Vias ...), the parser, and the builders that write.
 *
 * <p>Pure: no I/O, clock, threads or randomness. Nothing here throws on bytes from the network.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7">RFC 3261 7, 19, 20, 25</a>
 */
@NullMarked
package io.sippbx.control.sip.message;

import org.jspecify.annotations.NullMarked;
