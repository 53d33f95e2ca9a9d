package io.sippbx.media.session;

import io.sippbx.media.relay.End;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.shared.identity.CallKey;
import java.util.Optional;
import java.util.OptionalLong;

/** When sessions begin to be heard, and when they are silent: told to whom it concerns. */
final class Silences {

  private final SessionSettings settings;
  private final SessionPath path;
  private final NodeLoop loop;
  private final Claims claims;
  private final SessionListener listener;
  private long firstPackets;
  private long mediaTimeouts;

  Silences(
      SessionSettings settings,
      SessionPath path,
      NodeLoop loop,
      Claims claims,
      SessionListener listener) {
    this.settings = settings;
    this.path = path;
    this.loop = loop;
    this.claims = claims;
    this.listener = listener;
  }

  /** First packets that were told. */
  long firstPackets() {
    return firstPackets;
  }

  /** Time-outs that were told, repetitions included. */
  long mediaTimeouts() {
    return mediaTimeouts;
  }

  /** The first packet of an end came. */
  void firstPacket(SessionEntry entry, MediaSession session, int streamIndex, End end) {
    firstPackets++;
    entry.timedOut = false;
    tell(
        entry,
        new SessionEvent.FirstPacket(entry.call, session.spec().revision(), streamIndex, end));
  }

  /** Nothing came for the media time-out. */
  void mediaTimeout(SessionEntry entry, MediaSession session) {
    entry.timedOut = true;
    tellTimeout(entry, session);
  }

  /** Whether nobody knows the session and nothing came for long. */
  boolean isOrphan(SessionEntry entry, long nowNs) {
    long timeoutNs = settings.orphanTimeout().toNanos();
    if (claims.isClaimed(entry) || nowNs - entry.unclaimedSinceNs < timeoutNs) {
      return false;
    }
    OptionalLong lastNs = lastPacketNs(entry.call);
    return lastNs.isEmpty() || nowNs - lastNs.getAsLong() >= timeoutNs;
  }

  /** Tells again of a session that is silent still. */
  void repeatTimeout(SessionEntry entry, MediaSession session, long nowNs) {
    long timeoutNs = session.spec().mediaTimeout().toNanos();
    OptionalLong lastNs = lastPacketNs(entry.call);
    if (timeoutNs == 0 || lastNs.isPresent() && lastNs.getAsLong() - entry.timedOutNs > 0) {
      entry.timedOut = false;
    } else if (nowNs - entry.timedOutNs >= timeoutNs) {
      tellTimeout(entry, session);
    }
  }

  /** When the last packet of any end came. */
  private OptionalLong lastPacketNs(CallKey call) {
    Optional<SessionCounts> counts = path.counts(call);
    boolean any = false;
    long latestNs = 0;
    if (counts.isPresent()) {
      for (SessionCounts.Stream stream : counts.get().streams()) {
        for (End end : End.values()) {
          OptionalLong lastNs = stream.end(end).lastPacketNs();
          if (lastNs.isPresent() && (!any || lastNs.getAsLong() - latestNs > 0)) {
            any = true;
            latestNs = lastNs.getAsLong();
          }
        }
      }
    }
    return any ? OptionalLong.of(latestNs) : OptionalLong.empty();
  }

  private void tellTimeout(SessionEntry entry, MediaSession session) {
    entry.timedOutNs = loop.nowNs();
    mediaTimeouts++;
    tell(entry, new SessionEvent.MediaTimeout(entry.call, session.spec().revision()));
  }

  private void tell(SessionEntry entry, SessionEvent event) {
    listener.event(event, claims.claimant(entry));
  }
}
