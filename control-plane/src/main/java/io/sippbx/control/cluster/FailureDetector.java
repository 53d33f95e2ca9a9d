package io.sippbx.control.cluster;

import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Tells which control nodes are dead. Pure: it is told what was seen and when, and keeps no clock.
 *
 * <ul>
 *   <li>A node is dead when its heartbeat has not risen for the lease and the margin <em>while this
 *       node was looking</em>, and the mesh to it is down.
 *   <li>An incarnation is dead at once when its node beats with another one, and so is who went by
 *       itself.
 *   <li>Who had stopped before this node came is dead after the same time of looking, so that calls
 *       outlive a start of all nodes anew.
 *   <li>After a gap of its own this node starts again: it judges nobody for one lease.
 *   <li>When more than half of all nodes that have beaten seem dead at once, it is more likely this
 *       node, or the store, that is to blame: none is dead, and the alarm is raised.
 * </ul>
 *
 * Not safe for several threads. All times are of one monotonic clock in nanoseconds.
 */
public final class FailureDetector {

  private final Member self;
  private final long leaseNs;
  private final long patienceNs;
  private final long gapNs;
  private final SortedMap<Member, Watched> watched = new TreeMap<>();
  private final SortedSet<NodeId> meshUp = new TreeSet<>();
  // Of another incarnation's node, or gone by themselves: dead whoever looks.
  private final SortedSet<Member> gone = new TreeSet<>();
  private long lastLookNs;
  private long judgeFromNs;
  private boolean hasLooked;
  private boolean looking;
  private boolean leaving;

  private static final class Watched {
    private final Member member;
    // 0: it was never seen to beat, as it had stopped before this node came.
    private long sequence;
    private boolean leaving;
    private long roseNs;

    private Watched(Member member, long roseNs) {
      this.member = member;
      this.roseNs = roseNs;
    }

    private boolean hasBeaten() {
      return sequence > 0;
    }
  }

  /**
   * What there is to say at one moment.
   *
   * @param living nodes that are not dead, this one among them, in order: a node that is only late
   *     is living
   * @param staying those of {@code living} that are not leaving: who may keep partitions
   * @param dead whose calls may be taken over, in order
   * @param alarm so many seem dead that none is held for it
   * @param looking this node has looked, and had no gap since
   */
  public record Verdict(
      List<NodeId> living,
      List<NodeId> staying,
      List<Member> dead,
      boolean alarm,
      boolean looking) {
    /** Copies the lists. */
    public Verdict {
      living = List.copyOf(living);
      staying = List.copyOf(staying);
      dead = List.copyOf(dead);
    }
  }

  /**
   * @param self this start of this node, about which nothing is judged; all others of its node are
   *     dead
   */
  public FailureDetector(Member self, LeaseSettings settings) {
    this.self = self;
    this.leaseNs = settings.lease().toNanos();
    this.patienceNs = settings.lease().plus(settings.margin()).toNanos();
    this.gapNs = settings.gap().toNanos();
  }

  /** All that the store knows was read. Who is not among it is forgotten. */
  public void looked(Census census, long nowNs) {
    if (!hasLooked || nowNs - lastLookNs > gapNs) {
      startAgain(nowNs);
    }
    hasLooked = true;
    looking = true;
    lastLookNs = nowNs;
    var beating = new TreeSet<NodeId>(List.of(self.node()));
    var known = new TreeSet<Member>();
    for (Beat beat : census.beating()) {
      if (!beat.node().equals(self.node())) {
        beating.add(beat.node());
        known.add(beat.member());
        beats(beat, nowNs);
      }
    }
    gone.clear();
    for (Member member : census.lapsed()) {
      if (member.equals(self)) {
        continue;
      }
      if (beating.contains(member.node())) {
        gone.add(member);
      } else {
        known.add(member);
        watched.computeIfAbsent(member, each -> new Watched(each, nowNs));
      }
    }
    for (Member member : census.left()) {
      if (!member.equals(self)) {
        gone.add(member);
      }
    }
    watched.keySet().retainAll(known);
  }

  private void beats(Beat beat, long nowNs) {
    Watched known = watched.computeIfAbsent(beat.member(), each -> new Watched(each, nowNs));
    if (beat.sequence() > known.sequence) {
      known.sequence = beat.sequence();
      known.leaving = beat.leaving();
      known.roseNs = nowNs;
    }
  }

  /** The stream to a node has come up or gone down. */
  public void mesh(NodeId node, boolean up) {
    if (up) {
      meshUp.add(node);
    } else {
      meshUp.remove(node);
    }
  }

  /** This node keeps nothing any more, whoever else there is. */
  public void leave() {
    leaving = true;
  }

  /** This node was not looking: its loop lagged, or the store could not be reached. */
  public void gap(long nowNs) {
    looking = false;
    startAgain(nowNs);
  }

  private void startAgain(long nowNs) {
    judgeFromNs = nowNs + leaseNs;
    for (Watched each : watched.values()) {
      each.roseNs = nowNs;
    }
  }

  /** What is to be said now. */
  public Verdict verdict(long nowNs) {
    boolean blind = !looking || nowNs - lastLookNs > gapNs || nowNs - judgeFromNs < 0;
    var silent = new TreeSet<Member>();
    int beaten = 0;
    int fell = 0;
    for (Watched each : watched.values()) {
      boolean seemsDead =
          !blind && !meshUp.contains(each.member.node()) && nowNs - each.roseNs >= patienceNs;
      if (seemsDead) {
        silent.add(each.member);
      }
      if (each.hasBeaten()) {
        beaten++;
        fell += seemsDead ? 1 : 0;
      }
    }
    boolean alarm = fell * 2 > beaten + 1;
    if (alarm) {
      silent.clear();
    }
    var living = new TreeSet<NodeId>(List.of(self.node()));
    var staying = new TreeSet<NodeId>(leaving ? List.of() : List.of(self.node()));
    for (Watched each : watched.values()) {
      if (each.hasBeaten() && !silent.contains(each.member)) {
        living.add(each.member.node());
        if (!each.leaving) {
          staying.add(each.member.node());
        }
      }
    }
    silent.addAll(gone);
    return new Verdict(
        List.copyOf(living), List.copyOf(staying), List.copyOf(silent), alarm, looking);
  }
}
