package io.sippbx.media.session;

import io.sippbx.shared.identity.CallKey;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** What is known of one call key, and what waits to be done with it. */
final class SessionEntry {
  final CallKey call;
  final ArrayDeque<SessionRequest> waiting = new ArrayDeque<>(2);
  boolean busy;

  /** Whether an Apply that opens the session is under way: it has its place below the limit. */
  boolean opening;

  @Nullable MediaSession session;
  @Nullable ControlNode claimant;

  /** When the claim ended; of no meaning while the claimant is connected. */
  long unclaimedSinceNs;

  boolean timedOut;

  /** When the last MEDIA_TIMEOUT was told. */
  long timedOutNs;

  SessionEntry(CallKey call) {
    this.call = call;
  }
}
