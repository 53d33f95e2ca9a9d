package io.sippbx.control.call;

import java.util.concurrent.atomic.LongAdder;

/** What became of calls and messages between nodes, since the start. Any thread. */
public final class RoutingCounters {

  /** Messages that the owner of their call was given. */
  public final LongAdder handedOver = new LongAdder();

  /** Times that a message could not be given to the owner of its call, and was held. */
  public final LongAdder held = new LongAdder();

  /** Messages that were held for too long, or were too many. */
  public final LongAdder heldInVain = new LongAdder();

  /** Messages that went in a circle between nodes. */
  public final LongAdder inCircles = new LongAdder();

  /** Calls that this node went on with after their owner was gone. */
  public final LongAdder takenOver = new LongAdder();

  /** Calls that another node had by now, and that this one let go of without a word. */
  public final LongAdder letGo = new LongAdder();

  /** Calls that this node stopped for until their records were read again. */
  public final LongAdder frozen = new LongAdder();

  /** Calls that left with a node that ends in order. */
  public final LongAdder released = new LongAdder();

  /** Messages that wait to be given to the owner of their call: a level. */
  public final LongAdder waiting = new LongAdder();
}
