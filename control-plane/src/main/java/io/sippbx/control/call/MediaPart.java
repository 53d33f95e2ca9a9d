package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening.MediaTotals;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The media session of a call: what the node was told, and what it answered.
 *
 * @param node where the session is
 * @param revision of the last Apply; 0 before the first
 * @param heldRevision the latest revision that the node said it holds; 0 before the first answer
 * @param plan whose streams the node was told last
 * @param addresses where the node receives
 * @param released the session was ended, or never opened
 * @param totals the last counts, once it was released
 */
public record MediaPart(
    Optional<NodeId> node,
    long revision,
    long heldRevision,
    MediaPlan plan,
    List<StreamAddresses> addresses,
    boolean confirmed,
    Released released,
    Optional<MediaTotals> totals) {

  /** How far the end of the session is. */
  public enum Released {
    NO,
    /** The node was told. */
    ASKED,
    /** The node has answered, or will not; or there was no session. */
    DONE
  }

  /** Copies {@code addresses}. */
  public MediaPart {
    addresses = List.copyOf(addresses);
  }

  /** No session yet. */
  static MediaPart none(Optional<NodeId> node, MediaPlan plan) {
    return new MediaPart(node, 0, 0, plan, List.of(), false, Released.NO, Optional.empty());
  }

  /** The session shall have these streams from now on. */
  MediaPart wanting(MediaPlan wanted, boolean nowConfirmed) {
    return new MediaPart(
        node, revision + 1, heldRevision, wanted, addresses, nowConfirmed, released, totals);
  }

  MediaPart holding(long held, List<StreamAddresses> now) {
    return new MediaPart(node, revision, held, plan, now, confirmed, released, totals);
  }

  MediaPart with(Released now, Optional<MediaTotals> counts) {
    return new MediaPart(node, revision, heldRevision, plan, addresses, confirmed, now, counts);
  }

  /** Whether the addresses of every wanted stream are known. */
  boolean hasAllAddresses() {
    for (StreamSpec stream : plan.streams()) {
      boolean known = false;
      for (StreamAddresses address : addresses) {
        known |=
            address.index() == stream.index()
                && address.aRtp().ip().isV6() == stream.a().v6()
                && address.bRtp().ip().isV6() == stream.b().v6();
      }
      if (!known) {
        return false;
      }
    }
    return true;
  }

  /** The instruction for the state wanted. */
  SessionSpec spec(CallKey call, Duration mediaTimeout) {
    return new SessionSpec(
        call, revision, plan.streams(), confirmed, confirmed ? mediaTimeout : Duration.ZERO);
  }
}
