package io.sippbx.control.cluster;

import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.function.Consumer;

/** Who takes over calls that were in flight on a dead member. */
public interface TakeOver {

  /**
   * A call is listed in flight on a dead member's node: to be read, and taken over if its record
   * names this member as its owner. It may come again while the record does. Returns at once; on
   * the loop of the rounds.
   *
   * @param told is to be called once, on any thread
   */
  void takeOver(Orphan orphan, Consumer<Outcome> told);

  /**
   * A call that may have lost its owner.
   *
   * @param dead who had it; another incarnation of its node may live, and have calls in the same
   *     list
   * @param epoch of this node as the keeper of the call's partition, which the commit is to name
   */
  record Orphan(CallKey call, Member dead, long epoch) {}

  /** What became of it. */
  enum Outcome {
    /** It has an owner that lives, or needs none any more: by our commit. */
    TAKEN,
    /** Its record does not name the dead member, or there is none. */
    NOT_ITS,
    /** Not known, or not possible now. */
    FAILED
  }
}
