/**
 * {@code sip-pbx demo}: a node on free ports, two small phones of its own that register and call
 * each other through it with real RTP, and a verdict on all that could be seen of it.
 *
 * <p>The phones speak through real sockets and the product's own SIP stack; nothing of the node is
 * reached into but what {@link io.sippbx.app.demo.DemoNode} names. The script runs on the caller's
 * thread and waits, always within a bound; each phone has a loop for SIP and a thread for RTP.
 */
@NullMarked
package io.sippbx.app.demo;

import org.jspecify.annotations.NullMarked;
