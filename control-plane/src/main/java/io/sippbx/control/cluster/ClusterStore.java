package io.sippbx.control.cluster;

import io.sippbx.control.store.Partition;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the control nodes know of each other by way of the store.
 *
 * <p>Methods return at once. An answer is given exactly once, within the store's time-out, on the
 * loop that the store was made for, never inline.
 */
public interface ClusterStore {

  /** Writes this node's heartbeat; it vanishes after {@code expiry} without another one. */
  void beat(Beat beat, Duration expiry, Consumer<Answer<Beat>> answer);

  /** The heartbeats of all nodes that have not vanished, in the order of their names. */
  void beats(Consumer<Answer<Beat>> answer);

  /** This node goes: its heartbeat vanishes now, unless another incarnation has written one. */
  void leave(Member member, Consumer<Answer<Beat>> answer);

  /**
   * Makes {@code member} the keeper of a partition, under an epoch that is higher than all before,
   * if there is none, or if the present one is not of {@code living}. Who is the keeper already is
   * answered its epoch again.
   *
   * @param living members that the asking node holds for alive; {@code member} need not be among
   *     them
   */
  void keep(Partition partition, Member member, List<Member> living, Consumer<Keeping> answer);

  /** Gives a partition up, if it is this member's. */
  void giveUp(Partition partition, Member member, Consumer<Keeping> answer);

  /** What the store says. */
  sealed interface Answer<T> {
    /** It is done; what was asked for. */
    record Found<T>(List<T> all) implements Answer<T> {
      /** Copies {@code all}. */
      public Found {
        all = List.copyOf(all);
      }
    }

    /** No answer in time: it may have been done. */
    record Unavailable<T>(String detail) implements Answer<T> {}
  }

  /** Whose a partition is. */
  sealed interface Keeping {
    /**
     * A keeper, and since which epoch.
     *
     * @param member empty: nobody's
     */
    record Held(Optional<Member> member, long epoch) implements Keeping {
      /** Whether it is this member's. */
      public boolean by(Member who) {
        return member.equals(Optional.of(who));
      }
    }

    /** No answer in time. */
    record Unavailable(String detail) implements Keeping {}
  }
}
