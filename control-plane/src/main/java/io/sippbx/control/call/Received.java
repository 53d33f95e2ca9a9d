package io.sippbx.control.call;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;

/**
 * How an input came from the network: what another node is given where the call is its own.
 *
 * @param flow that it came by, to this node or to the one that handed it on
 * @param hops how often it was handed on between nodes
 */
public record Received(SipMessage message, Flow flow, int hops) {}
