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
 * @param stage how far the session was told to be wanted
 * @param released the session was ended, or never opened
 * @param totals the last counts, once it was released
 */
public record MediaPart(
    Optional<NodeId> node,
    long revision,
    long heldRevision,
    MediaPlan plan,
    List<StreamAddresses> addresses,
    Stage stage,
    Released released,
    Optional<MediaTotals> totals) {

  /** What the node may do with the session by itself. It rises and never falls. */
  public enum Stage {
    /** The call's first commit is under way: the node drops what is not confirmed in time. */
    TENTATIVE,
    /** The call is being set up, however long that takes; nobody need send yet. */
    KEPT,
    /** The call is answered: the node tells when nothing comes any more. */
    WATCHED
  }

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
    return new MediaPart(
        node, 0, 0, plan, List.of(), Stage.TENTATIVE, Released.NO, Optional.empty());
  }

  /** The session shall have these streams from now on. */
  MediaPart wanting(MediaPlan wanted, Stage now) {
    return new MediaPart(
        node, revision + 1, heldRevision, wanted, addresses, atLeast(now), released, totals);
  }

  private Stage atLeast(Stage now) {
    return now.compareTo(stage) > 0 ? now : stage;
  }

  /** Whether the node, told this, would hold another session than now. */
  boolean wouldChange(MediaPlan wanted, Stage now) {
    return !wanted.streams().equals(plan.streams()) || (revision > 0 && atLeast(now) != stage);
  }

  MediaPart holding(long held, List<StreamAddresses> now) {
    return new MediaPart(node, revision, held, plan, now, stage, released, totals);
  }

  MediaPart with(Released now, Optional<MediaTotals> counts) {
    return new MediaPart(node, revision, heldRevision, plan, addresses, stage, now, counts);
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
        call,
        revision,
        plan.streams(),
        stage != Stage.TENTATIVE,
        stage == Stage.WATCHED ? mediaTimeout : Duration.ZERO);
  }
}
