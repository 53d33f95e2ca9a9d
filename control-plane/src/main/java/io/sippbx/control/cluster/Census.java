package io.sippbx.control.cluster;

import io.sippbx.shared.identity.Member;
import java.util.List;

/**
 * All members that the store knows at one moment; each list in the order of their names.
 *
 * @param beating whose heartbeats stand there; of a node one at most
 * @param lapsed whose heartbeats have vanished, or were replaced by another incarnation's
 * @param left who went by themselves
 */
public record Census(List<Beat> beating, List<Member> lapsed, List<Member> left) {

  /** Copies the lists. */
  public Census {
    beating = List.copyOf(beating);
    lapsed = List.copyOf(lapsed);
    left = List.copyOf(left);
  }
}
