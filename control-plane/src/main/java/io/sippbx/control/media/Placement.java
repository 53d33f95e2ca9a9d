package io.sippbx.control.media;

import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.PortPairs;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which node the next call goes to: of those that take calls the one with the most free pairs of
 * the IP versions that the call needs; where it needs both, the scarcer decides. What was placed
 * and is not in a node's report yet is taken off: from the placing until the first report after the
 * Apply was answered, which has it in.
 *
 * <p>For use by several threads; never waits for more than a few steps of another.
 */
final class Placement {

  private final long unusedNs;
  private final TreeMap<NodeId, Candidate> candidates = new TreeMap<>();

  private static final class Candidate {
    final List<Reservation> reserved = new ArrayList<>();
    PortPairs v4 = PortPairs.getDefaultInstance();
    PortPairs v6 = PortPairs.getDefaultInstance();
    long freeSessions;
    long placed;

    /** What is left of what a call needs most; below 0 if it does not fit. */
    long room(MediaNeed need) {
      long v4Left = free(v4);
      long v6Left = free(v6);
      for (Reservation reservation : reserved) {
        v4Left -= reservation.need.v4();
        v6Left -= reservation.need.v6();
      }
      long room = Long.MAX_VALUE;
      if (need.v4() > 0) {
        room = v4Left - need.v4();
      }
      return need.v6() > 0 ? Math.min(room, v6Left - need.v6()) : room;
    }

    private static long free(PortPairs pairs) {
      return Integer.toUnsignedLong(pairs.getTotal())
          - Integer.toUnsignedLong(pairs.getInUse())
          - Integer.toUnsignedLong(pairs.getResting())
          - Integer.toUnsignedLong(pairs.getSetAside());
    }

    long sessionsLeft() {
      return freeSessions - reserved.size();
    }
  }

  private static final class Reservation {
    final long sinceNs;
    MediaNeed need;
    @Nullable CallKey call;
    boolean answered;

    Reservation(MediaNeed need, long sinceNs) {
      this.need = need;
      this.sinceNs = sinceNs;
    }
  }

  /** {@code unusedNs}: a placing that no Apply follows is forgotten after so long. */
  Placement(long unusedNs) {
    this.unusedNs = unusedNs;
  }

  /** The node for a new call. */
  Optional<NodeId> place(MediaNeed need, long nowNs) {
    return place(need, List.of(), nowNs);
  }

  /** The node for a call, other than these. */
  synchronized Optional<NodeId> place(MediaNeed need, List<NodeId> except, long nowNs) {
    NodeId best = null;
    Candidate chosen = null;
    long mostRoom = -1;
    for (Map.Entry<NodeId, Candidate> entry : candidates.entrySet()) {
      Candidate candidate = entry.getValue();
      candidate.reserved.removeIf(r -> r.call == null && nowNs - r.sinceNs >= unusedNs);
      long room = candidate.room(need);
      if (room < 0 || candidate.sessionsLeft() < 1 || except.contains(entry.getKey())) {
        continue;
      }
      if (chosen == null
          || room > mostRoom
          || room == mostRoom && candidate.placed < chosen.placed) {
        best = entry.getKey();
        chosen = candidate;
        mostRoom = room;
      }
    }
    if (chosen != null) {
      chosen.placed++;
      chosen.reserved.add(new Reservation(need, nowNs));
    }
    return Optional.ofNullable(best);
  }

  /** The first Apply of a call goes out to a node. */
  synchronized void applying(NodeId node, CallKey call, MediaNeed need, long nowNs) {
    Candidate candidate = candidates.get(node);
    if (candidate == null) {
      return;
    }
    Reservation mine = null;
    for (Reservation reservation : candidate.reserved) {
      if (call.equals(reservation.call)) {
        mine = reservation;
        break;
      }
      if (mine == null && reservation.call == null) {
        mine = reservation;
      }
    }
    if (mine == null) {
      mine = new Reservation(need, nowNs);
      candidate.reserved.add(mine);
    }
    mine.call = call;
    mine.need = need;
  }

  /** The Apply has been answered: with a session, which the next report has in, or without. */
  synchronized void answered(NodeId node, CallKey call, boolean held) {
    Candidate candidate = candidates.get(node);
    if (candidate != null) {
      candidate.reserved.removeIf(r -> call.equals(r.call) && !held);
      candidate.reserved.forEach(r -> r.answered |= call.equals(r.call));
    }
  }

  /** A node has reported. */
  synchronized void reported(NodeId node, NodeStatus status) {
    if (status.getState() != NodeState.NODE_STATE_RUNNING) {
      candidates.remove(node);
      return;
    }
    Candidate candidate = candidates.computeIfAbsent(node, n -> new Candidate());
    candidate.reserved.removeIf(r -> r.answered);
    candidate.v4 = status.getPairsV4();
    candidate.v6 = status.getPairsV6();
    int limit = status.getSessionsLimit();
    candidate.freeSessions =
        limit == 0
            ? Long.MAX_VALUE
            : Integer.toUnsignedLong(limit) - Integer.toUnsignedLong(status.getSessions());
  }

  /** A node is given nothing until it reports again. */
  synchronized void withdrawn(NodeId node) {
    candidates.remove(node);
  }

  /** Nodes that are given calls. */
  synchronized int size() {
    return candidates.size();
  }
}
