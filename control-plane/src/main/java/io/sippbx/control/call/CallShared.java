package io.sippbx.control.call;

import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.shared.identity.Member;
import java.util.function.LongSupplier;

/**
 * What the calls of all loops of a node have in common. Its parts may be used from any thread.
 *
 * @param self this start of this node, as the records name it
 * @param active the node's count of calls
 * @param timers of our 2xx to an INVITE
 * @param commitIds 64 random bits each time
 */
public record CallShared(
    Member self,
    CallDecider decider,
    CallEventEncoder encoder,
    CallObserver observer,
    ActiveCalls active,
    CallLimits limits,
    TimerSettings timers,
    LongSupplier commitIds) {}
