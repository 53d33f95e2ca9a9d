package io.sippbx.control.loop;

import java.util.List;

/**
 * The node's event loops. What belongs together (a call, a registration, a peer's request) is
 * pinned to one of them by a hash.
 *
 * @param all at least one, in a fixed order
 */
public record Loops(List<Loop> all) {

  /** Copies {@code all} and refuses an empty list. */
  public Loops {
    all = List.copyOf(all);
    if (all.isEmpty()) {
      throw new IllegalArgumentException("Expected at least one loop, but got none");
    }
  }

  /** The loop for a thing with this hash; always the same one. */
  public Loop of(int hash) {
    return all.get(Math.floorMod(hash, all.size()));
  }
}
