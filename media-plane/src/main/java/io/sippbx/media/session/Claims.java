package io.sippbx.media.session;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Optional;

/** Which control nodes are connected, and so whose claims of sessions count. */
final class Claims {

  private final NodeLoop loop;

  /** Streams of each. */
  private final LinkedHashMap<ControlNode, Integer> connected = new LinkedHashMap<>();

  Claims(NodeLoop loop) {
    this.loop = loop;
  }

  void connected(ControlNode node) {
    connected.merge(node, 1, Integer::sum);
  }

  /** A stream has ended; with the last one the claims of the node do. */
  void disconnected(ControlNode node, Collection<SessionEntry> entries) {
    Integer left = connected.computeIfPresent(node, (n, count) -> count == 1 ? null : count - 1);
    if (left == null) {
      long nowNs = loop.nowNs();
      for (SessionEntry entry : entries) {
        if (node.equals(entry.claimant)) {
          entry.unclaimedSinceNs = nowNs;
        }
      }
    }
  }

  void claim(SessionEntry entry, ControlNode node) {
    entry.claimant = node;
    entry.unclaimedSinceNs = loop.nowNs();
  }

  boolean isClaimed(SessionEntry entry) {
    return entry.claimant != null && connected.containsKey(entry.claimant);
  }

  /** Who claimed the session last, if that control node is connected. */
  Optional<ControlNode> claimant(SessionEntry entry) {
    return isClaimed(entry) ? Optional.ofNullable(entry.claimant) : Optional.empty();
  }
}
