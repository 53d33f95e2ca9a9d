package io.sippbx.control.call;

import io.sippbx.shared.identity.CallKey;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The calls of this node that are being set up or are up, against {@code sip.max_concurrent_calls}.
 * A set of keys, not a number that is counted up and down: noting the same thing twice does no
 * harm. Any thread.
 */
public final class ActiveCalls {

  private final Set<CallKey> keys = ConcurrentHashMap.newKeySet();
  private final int limit;

  /**
   * @param limit at least 1
   */
  public ActiveCalls(int limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("Expected a limit of 1 or more, but got " + limit);
    }
    this.limit = limit;
  }

  /**
   * Takes a place for a call before it begins; false when there is none. Between looking and taking
   * other loops may take places too, so that the limit may be passed by one a loop and no more.
   */
  public boolean tryTake(CallKey call) {
    if (keys.contains(call)) {
      return true;
    }
    if (keys.size() >= limit) {
      return false;
    }
    keys.add(call);
    return true;
  }

  /** Keeps or gives back a call's place. */
  public void note(CallKey call, boolean active) {
    if (active) {
      keys.add(call);
    } else {
      keys.remove(call);
    }
  }

  /** How many there are. */
  public int size() {
    return keys.size();
  }
}
