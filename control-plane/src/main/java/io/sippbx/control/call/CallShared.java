package io.sippbx.control.call;

import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.store.RecordCodec;
import java.util.function.LongSupplier;

/**
 * What the calls of all loops of a node have in common. Its parts may be used from any thread.
 *
 * @param active the node's count of calls
 * @param timers of our 2xx to an INVITE
 * @param codec writes down what is left of a call that has ended
 * @param commitIds 64 random bits each time
 */
public record CallShared(
    Ownership ownership,
    CallDecider decider,
    CallEventEncoder encoder,
    CallObserver observer,
    ActiveCalls active,
    RoutingCounters counters,
    CallLimits limits,
    TimerSettings timers,
    RecordCodec<Call> codec,
    LongSupplier commitIds) {}
