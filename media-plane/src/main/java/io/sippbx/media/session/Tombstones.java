package io.sippbx.media.session;

import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/** What is remembered of sessions that ended, for a time, up to a limit. */
final class Tombstones {

  private final SessionSettings settings;
  private final NodeLoop loop;

  /** In the order of their ends in time. */
  private final LinkedHashMap<CallKey, Tombstone> tombstones = new LinkedHashMap<>();

  private long forgotten;

  Tombstones(SessionSettings settings, NodeLoop loop) {
    this.settings = settings;
    this.loop = loop;
  }

  /** What remains of a session, in few objects: there are thousands. */
  static final class Tombstone {
    private final long revision;
    private final boolean refusesAll;
    private final byte[] last;
    private final long untilNs;

    private Tombstone(long revision, boolean refusesAll, SessionState last, long untilNs) {
      this.revision = revision;
      this.refusesAll = refusesAll;
      this.last = LastState.toOctets(last);
      this.untilNs = untilNs;
    }

    long revision() {
      return revision;
    }

    /** Whether the node ended it by itself. */
    boolean refusesAll() {
      return refusesAll;
    }

    /** What it was at its end. */
    SessionState last(CallKey call) {
      return LastState.ofOctets(call, last);
    }
  }

  @Nullable Tombstone get(CallKey call) {
    return tombstones.get(call);
  }

  int size() {
    return tombstones.size();
  }

  /** How many were dropped early because there were too many. */
  long forgotten() {
    return forgotten;
  }

  void bury(CallKey call, long revision, boolean refusesAll, SessionState last) {
    tombstones.remove(call);
    if (tombstones.size() >= settings.maxTombstones()) {
      tombstones.pollFirstEntry();
      forgotten++;
    }
    tombstones.put(
        call,
        new Tombstone(revision, refusesAll, last, loop.nowNs() + settings.tombstone().toNanos()));
  }

  /** Forgets those whose time is over. */
  void expire(long nowNs) {
    var oldest = tombstones.values().iterator();
    while (oldest.hasNext() && oldest.next().untilNs - nowNs <= 0) {
      oldest.remove();
    }
  }
}
