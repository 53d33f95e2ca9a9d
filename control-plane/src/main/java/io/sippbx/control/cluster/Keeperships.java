package io.sippbx.control.cluster;

import io.sippbx.control.cluster.FailureDetector.Verdict;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Member;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The partitions that this node keeps: takes those that fall to it as far as the store lets it, and
 * gives up those that fall to another. Lives on the loop of its {@link Membership}.
 */
public final class Keeperships {

  private final ClusterStore store;
  private final Member self;
  private final SortedMap<Partition, Long> kept = new TreeMap<>();
  // Those that fall to this node, whether it keeps them yet or not.
  private final TreeSet<Partition> due = new TreeSet<>();
  // Asked, and not answered yet.
  private final TreeSet<Partition> asked = new TreeSet<>();
  // Of which the store may name this node the keeper, also where its answer was lost.
  private final TreeSet<Partition> maybeHeld = new TreeSet<>();
  private boolean followed;
  // The next that is given up once more, if it falls to another.
  private int again;

  /** Keeps nothing yet. */
  public Keeperships(ClusterStore store, Member self) {
    this.store = store;
    this.self = self;
  }

  /** The partitions that are kept now, each with its epoch. */
  public SortedMap<Partition, Long> kept() {
    return Collections.unmodifiableSortedMap(kept);
  }

  /** Whether all partitions are kept that fall to this node; not before the first look. */
  public boolean isSettled() {
    return followed && kept.keySet().containsAll(due);
  }

  /** The store said that an epoch is over: the partition is another's by now. */
  public void fenced(Partition partition, long epoch) {
    kept.remove(partition, epoch);
  }

  /**
   * Who lives has been told.
   *
   * @param beats of the living, to tell their incarnations from dead ones
   */
  public void follow(Verdict verdict, List<Beat> beats) {
    List<Member> living = new ArrayList<>();
    for (Beat beat : beats) {
      if (verdict.living().contains(beat.node()) && !verdict.dead().contains(beat.member())) {
        living.add(beat.member());
      }
    }
    followed = true;
    due.clear();
    for (int number = 0; number < Partition.COUNT; number++) {
      var partition = new Partition(number);
      boolean mine = Keepers.of(number, verdict.staying()).filter(self.node()::equals).isPresent();
      if (mine) {
        due.add(partition);
      }
      if (asked.contains(partition)) {
        continue;
      }
      if (mine && !kept.containsKey(partition)) {
        asked.add(partition);
        maybeHeld.add(partition);
        store.keep(partition, self, living, answer -> asked(partition, answer));
      } else if (!mine && maybeHeld.contains(partition)) {
        giveUp(partition);
      }
    }
    giveUpAgain();
  }

  /**
   * One partition a look, in turn: a fail-over of the store may lose that it was given up, and then
   * this node stands there as its living keeper, knows nothing of it, and is in the way of the one
   * to whom it falls.
   */
  private void giveUpAgain() {
    var partition = new Partition(again);
    again = (again + 1) % Partition.COUNT;
    if (!due.contains(partition) && !asked.contains(partition)) {
      giveUp(partition);
    }
  }

  private void asked(Partition partition, ClusterStore.Keeping answer) {
    asked.remove(partition);
    if (answer instanceof ClusterStore.Keeping.Held held) {
      if (held.by(self)) {
        kept.put(partition, held.epoch());
      } else {
        maybeHeld.remove(partition);
      }
    }
  }

  private void giveUp(Partition partition) {
    // Nothing is done under the epoch from here on, whatever becomes of the message.
    kept.remove(partition);
    asked.add(partition);
    store.giveUp(partition, self, answer -> givenUp(partition, answer));
  }

  private void givenUp(Partition partition, ClusterStore.Keeping answer) {
    asked.remove(partition);
    if (answer instanceof ClusterStore.Keeping.Held held && !held.by(self)) {
      maybeHeld.remove(partition);
    }
  }
}
