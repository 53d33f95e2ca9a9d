/**
 * SIP transactions (RFC 3261 section 17, updated by RFC 6026): four pure machines, and the layer
 * that matches messages to them, keeps their timers and repeats what they send.
 *
 * <p>The machines ({@code ...Transaction}) read no clock, draw no random number, log nothing and
 * see neither messages nor sockets: time arrives in events, work leaves as actions. {@link
 * io.sippbx.control.sip.transaction.TransactionLayer} drives them, one instance a {@link
 * io.sippbx.control.loop.Loop}.
 */
@NullMarked
package io.sippbx.control.sip.transaction;

import org.jspecify.annotations.NullMarked;
