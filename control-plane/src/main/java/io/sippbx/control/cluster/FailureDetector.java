package io.sippbx.control.cluster;

import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Tells which control nodes are dead. Pure: it is told what was seen and when, and keeps no clock.
 *
 * <ul>
 *   <li>A node is dead when its heartbeat has not risen for the lease and the margin <em>while this
 *       node was looking</em>, and the mesh to it is down.
 *   <li>An incarnation is dead at once when its node beats with another one.
 *   <li>After a gap of its own this node starts again: it judges nobody for one lease.
 *   <li>When more than half of all nodes seem dead at once, it is more likely this node, or the
 *       store, that is to blame: none is dead, and the alarm is raised.
 * </ul>
 *
 * Not safe for several threads. All times are of one monotonic clock in nanoseconds.
 */
public final class FailureDetector {

  private final NodeId self;
  private final long leaseNs;
  private final long patienceNs;
  private final long gapNs;
  private final Map<NodeId, Watched> watched = new TreeMap<>();
  private final List<Member> replaced = new ArrayList<>();
  private long lastLookNs;
  private long judgeFromNs;
  private boolean hasLooked;
  private boolean leaving;

  private static final class Watched {
    private Beat beat;
    private long roseNs;
    private boolean meshUp;

    private Watched(Beat beat, long roseNs) {
      this.beat = beat;
      this.roseNs = roseNs;
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
   */
  public record Verdict(
      List<NodeId> living, List<NodeId> staying, List<Member> dead, boolean alarm) {
    /** Copies the lists. */
    public Verdict {
      living = List.copyOf(living);
      staying = List.copyOf(staying);
      dead = List.copyOf(dead);
    }
  }

  /**
   * @param self this node, about which nothing is judged
   */
  public FailureDetector(NodeId self, LeaseSettings settings) {
    this.self = self;
    this.leaseNs = settings.lease().toNanos();
    this.patienceNs = settings.lease().plus(settings.margin()).toNanos();
    this.gapNs = settings.gap().toNanos();
  }

  /** All heartbeats were read from the store; those of nodes that beat no more may be missing. */
  public void looked(List<Beat> beats, long nowNs) {
    if (!hasLooked || nowNs - lastLookNs > gapNs) {
      startAgain(nowNs);
    }
    hasLooked = true;
    lastLookNs = nowNs;
    for (Beat beat : beats) {
      if (beat.node().equals(self)) {
        continue;
      }
      Watched known = watched.get(beat.node());
      if (known == null) {
        watched.put(beat.node(), new Watched(beat, nowNs));
      } else if (!known.beat.incarnation().equals(beat.incarnation())) {
        replaced.add(known.beat.member());
        boolean meshUp = known.meshUp;
        var next = new Watched(beat, nowNs);
        next.meshUp = meshUp;
        watched.put(beat.node(), next);
      } else if (beat.sequence() > known.beat.sequence()) {
        known.beat = beat;
        known.roseNs = nowNs;
      }
    }
  }

  /** The stream to a node has come up or gone down. */
  public void mesh(NodeId node, boolean up) {
    Watched known = watched.get(node);
    if (known != null) {
      known.meshUp = up;
    }
  }

  /** This node keeps nothing any more, whoever else there is. */
  public void leave() {
    leaving = true;
  }

  /** This node was not looking: its loop lagged, or the store could not be reached. */
  public void gap(long nowNs) {
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
    var silent = new ArrayList<Member>();
    boolean blind = !hasLooked || nowNs - lastLookNs > gapNs || nowNs - judgeFromNs < 0;
    if (!blind) {
      for (Watched each : watched.values()) {
        if (!each.meshUp && nowNs - each.roseNs >= patienceNs) {
          silent.add(each.beat.member());
        }
      }
    }
    boolean alarm = silent.size() * 2 > watched.size() + 1;
    if (alarm) {
      silent.clear();
    }
    var living = new TreeSet<NodeId>(List.of(self));
    var staying = new TreeSet<NodeId>(leaving ? List.of() : List.of(self));
    for (Watched each : watched.values()) {
      if (!silent.contains(each.beat.member())) {
        living.add(each.beat.node());
        if (!each.beat.leaving()) {
          staying.add(each.beat.node());
        }
      }
    }
    silent.addAll(replaced);
    silent.sort(null);
    return new Verdict(List.copyOf(living), List.copyOf(staying), silent, alarm);
  }

  /** Nothing of this dead member is left to take over: it is not told again. */
  public void forget(Member member) {
    replaced.remove(member);
    Watched known = watched.get(member.node());
    if (known != null && known.beat.member().equals(member)) {
      watched.remove(member.node());
    }
  }
}
