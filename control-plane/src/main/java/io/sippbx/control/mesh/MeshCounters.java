package io.sippbx.control.mesh;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What the mesh has done since its start. Safe for any thread. */
public final class MeshCounters {

  /** Peers to which there is a way now. */
  final AtomicInteger up = new AtomicInteger();

  /** Messages that were handed over, or sent by a peer's flow, and were taken there. */
  final LongAdder taken = new LongAdder();

  /** Messages that a peer has refused. */
  final LongAdder refused = new LongAdder();

  /** Messages for a member to which there was no way, or whose stream broke before the answer. */
  final LongAdder unreachable = new LongAdder();

  /** Messages without an answer in time. */
  final LongAdder timedOut = new LongAdder();

  /** Messages that were not even queued, as too much waited. */
  final LongAdder overLimit = new LongAdder();

  /** Messages that had been handed on too often. */
  final LongAdder circling = new LongAdder();

  /** Messages of peers that were handled here. */
  final LongAdder received = new LongAdder();

  /** What peers sent and nobody could read. */
  final LongAdder unreadable = new LongAdder();

  /** Streams that came up. */
  final LongAdder opened = new LongAdder();

  /** Streams that were up and ended. */
  final LongAdder lost = new LongAdder();

  /** Streams of who did not prove to be of this cluster. */
  final LongAdder unproved = new LongAdder();

  /** Peers to which there is a way now. */
  public int up() {
    return up.get();
  }

  /** Messages that a peer has taken. */
  public long taken() {
    return taken.sum();
  }

  /** Messages that a peer has refused. */
  public long refused() {
    return refused.sum();
  }

  /** Messages for a member to which there was no way. */
  public long unreachable() {
    return unreachable.sum();
  }

  /** Messages without an answer in time. */
  public long timedOut() {
    return timedOut.sum();
  }

  /** Messages that were not queued, as too much waited. */
  public long overLimit() {
    return overLimit.sum();
  }

  /** Messages that had been handed on too often. */
  public long circling() {
    return circling.sum();
  }

  /** Messages of peers that were taken here. */
  public long received() {
    return received.sum();
  }

  /** What peers sent and nobody could read. */
  public long unreadable() {
    return unreadable.sum();
  }

  /** Streams that came up. */
  public long opened() {
    return opened.sum();
  }

  /** Streams that were up and ended. */
  public long lost() {
    return lost.sum();
  }

  /** Streams of who did not prove to be of this cluster. */
  public long unproved() {
    return unproved.sum();
  }
}
