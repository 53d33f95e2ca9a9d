package io.sippbx.shared.identity;

import java.util.Comparator;

/** One start of one control node. */
public record Member(NodeId node, Incarnation incarnation) implements Comparable<Member> {

  private static final Comparator<Member> ORDER =
      Comparator.comparing(Member::node).thenComparingLong(member -> member.incarnation().value());

  @Override
  public int compareTo(Member other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return node + "/" + incarnation;
  }
}
