package io.sippbx.control.edge;

import java.util.concurrent.atomic.LongAdder;

/** What the edge has done since the start. Any thread. */
public final class EdgeCounters {

  /** Messages dropped because a loop had too many waiting. */
  public final LongAdder overloaded = new LongAdder();

  /** Requests answered without state: refusals, challenges, limits. */
  public final LongAdder refused = new LongAdder();

  /** Calls refused because {@code sip.max_concurrent_calls} was reached. */
  public final LongAdder overCallLimit = new LongAdder();

  /** Calls refused because {@code sip.max_cluster_calls} was reached. */
  public final LongAdder overClusterLimit = new LongAdder();

  /** INVITEs refused because too many were on their way to their calls. */
  public final LongAdder overArrivalLimit = new LongAdder();

  /** Calls refused while the node was shutting down. */
  public final LongAdder whileDraining = new LongAdder();

  /** Malformed messages. */
  public final LongAdder malformed = new LongAdder();

  /** Responses and ACKs that belong to no call. */
  public final LongAdder stray = new LongAdder();
}
