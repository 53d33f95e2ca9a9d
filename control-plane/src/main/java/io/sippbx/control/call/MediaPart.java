package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening.MediaTotals;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
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
 * @param totals the last counts of every node that has released it
 * @param anchor whether the legs know where the session is
 * @param former nodes that it has left and that may still hold it, oldest first
 */
public record MediaPart(
    Optional<NodeId> node,
    long revision,
    long heldRevision,
    MediaPlan plan,
    List<StreamAddresses> addresses,
    Stage stage,
    Released released,
    Optional<MediaTotals> totals,
    Anchor anchor,
    List<NodeId> former) {

  /** Nodes that a session has left at most: a call that moves on and on is given up. */
  static final int MAX_FORMER = 5;

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

  /** Whether the session is where the legs were told that it is. */
  public enum Anchor {
    /** It is, or the legs are told in the course of their offers and answers. */
    FIRM,
    /** Its node has lost it, and was told again with the ports that the legs know. */
    RESTORING,
    /** Another node was told. */
    MOVING,
    /** The node holds it on addresses that legs may still have to be told. */
    TELLING
  }

  /** Copies the lists. */
  public MediaPart {
    addresses = List.copyOf(addresses);
    former = List.copyOf(former);
  }

  /** No session yet. */
  static MediaPart none(Optional<NodeId> node, MediaPlan plan) {
    return new MediaPart(
        node,
        0,
        0,
        plan,
        List.of(),
        Stage.TENTATIVE,
        Released.NO,
        Optional.empty(),
        Anchor.FIRM,
        List.of());
  }

  /** The session shall have these streams from now on. */
  MediaPart wanting(MediaPlan wanted, Stage now) {
    return new MediaPart(
        node,
        revision + 1,
        heldRevision,
        wanted,
        addresses,
        atLeast(now),
        released,
        totals,
        anchor,
        former);
  }

  /** Its node shall hold it again, on the ports that the legs know. */
  MediaPart restoring() {
    return new MediaPart(
        node,
        revision + 1,
        heldRevision,
        plan.restored(addresses),
        addresses,
        stage,
        released,
        totals,
        Anchor.RESTORING,
        former);
  }

  /**
   * This node shall hold it from now on, on ports of the node's choice. The addresses stay those of
   * before until it has answered: what is said meanwhile is said of them, and mended later.
   */
  MediaPart movedTo(NodeId to) {
    var left = new ArrayList<NodeId>(former);
    node.filter(from -> !left.contains(from)).ifPresent(left::add);
    left.remove(to);
    return new MediaPart(
        Optional.of(to),
        revision + 1,
        heldRevision,
        plan.moved(),
        addresses,
        stage,
        released,
        totals,
        Anchor.MOVING,
        left);
  }

  /** No node has been told of it yet: this one shall be. */
  MediaPart placedOn(NodeId on) {
    return new MediaPart(
        Optional.of(on),
        revision,
        heldRevision,
        plan,
        addresses,
        stage,
        released,
        totals,
        anchor,
        former);
  }

  /** A node has this revision already: what is wanted now is later than that. */
  MediaPart above(long heard) {
    return new MediaPart(
        node,
        Math.max(revision, heard) + 1,
        heldRevision,
        plan,
        addresses,
        stage,
        released,
        totals,
        anchor,
        former);
  }

  private Stage atLeast(Stage now) {
    return now.compareTo(stage) > 0 ? now : stage;
  }

  /** Whether the node, told this, would hold another session than now. */
  boolean wouldChange(MediaPlan wanted, Stage now) {
    return !wanted.streams().equals(plan.streams()) || (revision > 0 && atLeast(now) != stage);
  }

  /** The node holds what it was told, on these addresses. */
  MediaPart holding(long held, List<StreamAddresses> now) {
    boolean perhapsNotTold = anchor != Anchor.FIRM || areOther(now);
    return new MediaPart(
        node,
        revision,
        held,
        plan,
        now,
        stage,
        released,
        totals,
        perhapsNotTold ? Anchor.TELLING : Anchor.FIRM,
        former);
  }

  /** Whether an address that may have been told is another now. */
  private boolean areOther(List<StreamAddresses> now) {
    for (StreamAddresses before : addresses) {
      for (StreamAddresses after : now) {
        if (before.index() == after.index()
            && (isOther(before.aRtp(), after.aRtp()) || isOther(before.bRtp(), after.bRtp()))) {
          return true;
        }
      }
    }
    return false;
  }

  /** An end that changes its IP version is told so by the offer that changes it. */
  private static boolean isOther(Endpoint before, Endpoint after) {
    return before.ip().isV6() == after.ip().isV6() && !before.equals(after);
  }

  MediaPart with(Released now) {
    return new MediaPart(
        node, revision, heldRevision, plan, addresses, stage, now, totals, anchor, former);
  }

  MediaPart with(Anchor now) {
    return new MediaPart(
        node, revision, heldRevision, plan, addresses, stage, released, totals, now, former);
  }

  /** With what a node has counted. */
  MediaPart counting(MediaTotals counts) {
    return new MediaPart(
        node,
        revision,
        heldRevision,
        plan,
        addresses,
        stage,
        released,
        Optional.of(totals.map(before -> before.plus(counts)).orElse(counts)),
        anchor,
        former);
  }

  /** A node that it has left does not hold it any more. */
  MediaPart without(NodeId left) {
    return new MediaPart(
        node,
        revision,
        heldRevision,
        plan,
        addresses,
        stage,
        released,
        totals,
        anchor,
        former.stream().filter(each -> !each.equals(left)).toList());
  }

  /** Whether it is on this node, and wanted. */
  boolean isOn(NodeId here) {
    return released == Released.NO && node.equals(Optional.of(here));
  }

  /** Whether nothing of its place is under way. */
  boolean isSettled() {
    return heldRevision >= revision && anchor == Anchor.FIRM && former.isEmpty();
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
