package io.sippbx.control.cluster;

import io.sippbx.control.store.PartitionStore.DueTimer;

/** Where timers of calls go that are due. */
public interface DueTimers {

  /**
   * A timer was claimed for this node: it comes again, here or elsewhere, unless a commit removes
   * it within the time of the claim. Returns at once; on the loop of the rounds.
   *
   * @param epoch of this node as the keeper of the call's partition, for a commit that it makes as
   *     such
   */
  void due(DueTimer timer, long epoch);
}
