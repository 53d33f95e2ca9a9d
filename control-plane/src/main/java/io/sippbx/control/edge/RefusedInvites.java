package io.sippbx.control.edge;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The INVITEs of one loop that were refused for want of room or of the store, for as long as a copy
 * of one may still be on its way: to the caller the call is over, so the copy must not begin it. No
 * more than a key each; of more than the limit the oldest are forgotten. Lives on its loop.
 */
final class RefusedInvites {

  /** How long an INVITE may be repeated (RFC 3261 17.1.1.2). */
  static final Duration KEEP = TimerSettings.RFC_3261.patience();

  private final Loop loop;
  private final int limit;

  /** Each with when it is forgotten, the first first. */
  private final Map<CallKey, Long> refused = new LinkedHashMap<>();

  /**
   * @param limit at least 1
   */
  RefusedInvites(Loop loop, int limit) {
    this.loop = loop;
    this.limit = limit;
  }

  void add(CallKey call) {
    forgetOld();
    refused.remove(call);
    refused.put(call, loop.nowNs() + KEEP.toNanos());
    if (refused.size() > limit) {
      refused.remove(refused.keySet().iterator().next());
    }
  }

  boolean contains(CallKey call) {
    forgetOld();
    return refused.containsKey(call);
  }

  private void forgetOld() {
    long nowNs = loop.nowNs();
    Iterator<Long> oldest = refused.values().iterator();
    while (oldest.hasNext() && oldest.next() - nowNs <= 0) {
      oldest.remove();
    }
  }
}
