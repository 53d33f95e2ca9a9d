package io.sippbx.control.cluster;

import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;

/**
 * A control node's heartbeat as it stands in the store.
 *
 * @param incarnation of the node's start; another one means that the former is gone for good
 * @param sequence from 1, one more with each beat of an incarnation: that it rises shows that the
 *     node lives, whatever the clocks of the two nodes say
 * @param leaving the node hands over what it has and takes nothing new
 * @param announced what it tells of itself
 */
public record Beat(
    NodeId node, Incarnation incarnation, long sequence, boolean leaving, Announced announced) {

  /** Refuses a sequence below 1. */
  public Beat {
    if (sequence < 1) {
      throw new IllegalArgumentException("Expected a sequence of 1 or more, but got " + sequence);
    }
  }

  /** A heartbeat that tells nothing more. */
  public Beat(NodeId node, Incarnation incarnation, long sequence, boolean leaving) {
    this(node, incarnation, sequence, leaving, Announced.NOTHING);
  }

  /** Which start of which node this is. */
  public Member member() {
    return new Member(node, incarnation);
  }
}
