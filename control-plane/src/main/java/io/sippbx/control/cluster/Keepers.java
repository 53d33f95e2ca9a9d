package io.sippbx.control.cluster;

import io.sippbx.shared.identity.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Which node keeps which partition: the one with the highest weight for it (rendezvous hashing), so
 * that a node that comes or goes moves only the partitions that it gets or had. Every node works it
 * out by itself; that two of them differ for a while does no harm, because a keeper acts under an
 * epoch that the store checks.
 */
public final class Keepers {

  private Keepers() {}

  /**
   * The keeper of a partition.
   *
   * @param partition its number
   * @param living nodes that take part, in any order
   */
  public static Optional<NodeId> of(int partition, List<NodeId> living) {
    NodeId best = null;
    long highest = 0;
    for (NodeId node : living) {
      long weight = weight(partition, node);
      int order = best == null ? 1 : Long.compareUnsigned(weight, highest);
      if (best == null || order > 0 || order == 0 && node.compareTo(best) < 0) {
        best = node;
        highest = weight;
      }
    }
    return Optional.ofNullable(best);
  }

  /** The same in every node and every build: a change would move every partition at once. */
  private static long weight(int partition, NodeId node) {
    long hash = 0xcbf29ce484222325L;
    for (byte octet : node.text().getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (octet & 0xff)) * 0x100000001b3L;
    }
    return mixed(hash + mixed(partition + 1L));
  }

  private static long mixed(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }
}
