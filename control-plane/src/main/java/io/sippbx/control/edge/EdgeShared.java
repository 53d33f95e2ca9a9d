package io.sippbx.control.edge;

import io.sippbx.control.call.ActiveCalls;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.sip.transaction.StatelessResponder;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * What the edges of all loops of a node have in common. Its parts may be used from any thread.
 *
 * @param draining whether no new calls are taken
 * @param retryAfter what a 503 carries
 * @param arrivals INVITEs of one loop that may wait to become calls; one more gets 503
 */
public record EdgeShared(
    StatelessResponder stateless,
    EdgeCounters counters,
    ActiveCalls active,
    CallLeases leases,
    MediaPlane media,
    BooleanSupplier draining,
    Duration retryAfter,
    int arrivals,
    String serverName) {}
