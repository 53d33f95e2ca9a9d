package io.sippbx.control.media;

import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which node the next call goes to: of those that take calls the one with the most free pairs. What
 * was placed and is not in a node's report yet is taken off: from the placing until the first
 * report after the Apply was answered, which has it in.
 *
 * <p>For use by several threads; never waits for more than a few steps of another.
 */
final class Placement {

  /** Pairs of a call with one stream, which is what is reckoned before its Apply says more. */
  static final int PAIRS_OF_A_CALL = 2;

  private final long unusedNs;
  private final TreeMap<NodeId, Candidate> candidates = new TreeMap<>();

  private static final class Candidate {
    final List<Reservation> reserved = new ArrayList<>();
    long freePairs;
    long freeSessions;
    long placed;

    long pairsLeft() {
      long left = freePairs;
      for (Reservation reservation : reserved) {
        left -= reservation.pairs;
      }
      return left;
    }

    long sessionsLeft() {
      return freeSessions - reserved.size();
    }
  }

  private static final class Reservation {
    final long sinceNs;
    int pairs = PAIRS_OF_A_CALL;
    @Nullable CallKey call;
    boolean answered;

    Reservation(long sinceNs) {
      this.sinceNs = sinceNs;
    }
  }

  /** {@code unusedNs}: a placing that no Apply follows is forgotten after so long. */
  Placement(long unusedNs) {
    this.unusedNs = unusedNs;
  }

  /** The node for a new call. */
  synchronized Optional<NodeId> place(long nowNs) {
    NodeId best = null;
    Candidate chosen = null;
    for (Map.Entry<NodeId, Candidate> entry : candidates.entrySet()) {
      Candidate candidate = entry.getValue();
      candidate.reserved.removeIf(r -> r.call == null && nowNs - r.sinceNs >= unusedNs);
      if (candidate.pairsLeft() < PAIRS_OF_A_CALL || candidate.sessionsLeft() < 1) {
        continue;
      }
      if (chosen == null
          || candidate.pairsLeft() > chosen.pairsLeft()
          || candidate.pairsLeft() == chosen.pairsLeft() && candidate.placed < chosen.placed) {
        best = entry.getKey();
        chosen = candidate;
      }
    }
    if (chosen != null) {
      chosen.placed++;
      chosen.reserved.add(new Reservation(nowNs));
    }
    return Optional.ofNullable(best);
  }

  /** The first Apply of a call goes out to a node. */
  synchronized void applying(NodeId node, CallKey call, int pairs, long nowNs) {
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
      mine = new Reservation(nowNs);
      candidate.reserved.add(mine);
    }
    mine.call = call;
    mine.pairs = pairs;
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
    candidate.freePairs =
        Integer.toUnsignedLong(status.getPairsTotal())
            - Integer.toUnsignedLong(status.getPairsInUse())
            - Integer.toUnsignedLong(status.getPairsResting())
            - Integer.toUnsignedLong(status.getPairsSetAside());
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
