package io.sippbx.control.cluster;

import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
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

  /** Members that the store remembers; beyond it those that beat longest ago are forgotten. */
  int MAX_MEMBERS = 1_000;

  /** Former incarnations of a node that beats which are kept from beating in its place. */
  int MAX_FORMER = 8;

  /** How long it is remembered which partitions were found without calls of a dead member. */
  Duration SWEPT = Duration.ofHours(1);

  /**
   * Writes this node's heartbeat; it vanishes after {@code expiry} without another one, and the
   * member stays known until nothing of it is left to take over. A new incarnation of a node takes
   * the former's place, which beats no more while the new one does. A beat that is older than the
   * one that stands there changes nothing.
   */
  void beat(Beat beat, Duration expiry, Consumer<Beating> answer);

  /** All members that are known. */
  void census(Consumer<Answer<Census>> answer);

  /** This member goes by itself: it beats no more, and need not be waited for. */
  void leave(Member member, Consumer<Answer<Member>> answer);

  /**
   * These partitions hold no call in flight of a member that does not beat. When that is so of all
   * partitions, it is known no more.
   *
   * @param partitions 1 or more
   * @param answer how many partitions have not been found so yet; 0: it is known no more
   */
  void swept(Member dead, List<Partition> partitions, Consumer<Answer<Integer>> answer);

  /**
   * Makes {@code member} the keeper of a partition, under an epoch that is higher than all before,
   * if there is none, or if the present one is not of {@code living}. Who is the keeper already is
   * answered its epoch again.
   *
   * <p>An epoch is the store's time in milliseconds, or one more than the one before: so it is
   * higher than one that a fail-over has lost, too.
   *
   * @param living members that the asking node holds for alive; {@code member} need not be among
   *     them
   */
  void keep(Partition partition, Member member, List<Member> living, Consumer<Keeping> answer);

  /** Gives a partition up, if it is this member's. */
  void giveUp(Partition partition, Member member, Consumer<Keeping> answer);

  /** Refuses what says nothing. */
  static void checkSwept(List<Partition> partitions) {
    if (partitions.isEmpty()) {
      throw new IllegalArgumentException("Expected partitions that were swept, but got none");
    }
  }

  /** What became of a heartbeat. */
  sealed interface Beating {
    /** It stands there for all to see. */
    record Acknowledged() implements Beating {}

    /** Another process has started under this node's name and beats: this one is not the node. */
    record Superseded(Incarnation by) implements Beating {}

    /** No answer in time: it may have been written. */
    record Unavailable(String detail) implements Beating {}
  }

  /** What the store says. */
  sealed interface Answer<T> {
    /** It is done; what was asked for. */
    record Found<T>(T value) implements Answer<T> {}

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
