package io.sippbx.control.call;

import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** INVITEs of ours: who is sent one, and where to. */
final class Launching {

  /** INVITEs of a call for each target that it may have, those that were begun anew among them. */
  private static final int MOST_LEGS = 2;

  private final CallSettings settings;
  private final Messages messages;
  private final Negotiation negotiation;
  private final CallerSide caller;
  private final Ending ending;

  Launching(
      CallSettings settings,
      Messages messages,
      Negotiation negotiation,
      CallerSide caller,
      Ending ending) {
    this.settings = settings;
    this.messages = messages;
    this.negotiation = negotiation;
    this.caller = caller;
    this.ending = ending;
  }

  /** INVITEs the targets of the next group that has one that can be reached; else it is over. */
  void nextGroup(Draft d) {
    while (!d.untried.isEmpty()) {
      List<Target> group = d.untried.getFirst();
      d.untried = d.untried.subList(1, d.untried.size());
      if (launch(d, group, Breadth.of(d.caller.invite()), false)) {
        return;
      }
    }
    Call.Refusal refusal = d.refusal.orElse(new Call.Refusal(480, Optional.empty()));
    caller.refuse(d, refusal);
  }

  /** INVITEs where a callee has redirected the call to, with what that callee was allowed. */
  boolean follow(Draft d, CalleeLeg redirecting, List<Target> targets) {
    return launch(d, targets, Breadth.of(redirecting.invite()), true);
  }

  /**
   * INVITEs targets at the same time, as many as {@code breadth} and the limit of targets allow.
   *
   * @return false if none was sent: nobody can be reached
   */
  private boolean launch(Draft d, List<Target> targets, Breadth breadth, boolean redirected) {
    var reachable = new ArrayList<Target>();
    boolean loops = false;
    for (Target target : targets) {
      loops |= target.hops().stream().anyMatch(this::isOurselves);
      reachable(target).ifPresent(reachable::add);
    }
    int room = Math.min(settings.maxTargets() - d.callees.size(), breadth.most());
    int branches = Math.min(room, reachable.size());
    for (int i = 0; i < branches; i++) {
      CalleeLeg leg =
          invite(d, d.callees.size(), reachable.get(i), breadth.share(i, branches), redirected);
      d.callees.add(leg);
      d.request(leg.invite(), leg.hop());
    }
    if (branches <= 0 && loops && d.refusal.isEmpty()) {
      d.refusal = Optional.of(new Call.Refusal(482, Optional.empty()));
    }
    return branches > 0;
  }

  /** A request sent there would come back here, as a call of its own each time (RFC 5393). */
  private boolean isOurselves(Destination hop) {
    return messages.local(hop).equals(Optional.of(hop.remote()));
  }

  /** Where this leg's INVITE can be sent if it fails where it is now. */
  Optional<Target> otherWay(CalleeLeg leg) {
    return leg.untried().flatMap(this::reachable);
  }

  /**
   * The same INVITE in a new transaction to the next destination: "identical to the previous, but
   * has a different value of the Via branch ID" (RFC 3263 4.3). What the first one's early dialogs
   * were is of no use any more.
   */
  void failOver(Draft d, CalleeLeg leg, Target rest) {
    CalleeLeg next = invite(d, leg.ordinal(), rest, Breadth.of(leg.invite()), leg.redirected());
    d.replace(next);
    d.request(next.invite(), next.hop());
  }

  /**
   * The same callee once more, in a dialog of its own.
   *
   * @return false if it is not: it cannot be reached, or was begun anew too often
   */
  boolean anew(Draft d, CalleeLeg leg) {
    var hops = new ArrayList<Destination>(leg.spare());
    hops.addFirst(leg.hop());
    SipRequest invite = leg.invite();
    Optional<Target> target = reachable(new Target(invite.uri(), invite.routes(), hops));
    if (target.isEmpty() || d.callees.size() >= MOST_LEGS * settings.maxTargets()) {
      return false;
    }
    CalleeLeg next =
        invite(d, d.callees.size(), target.get(), Breadth.of(invite), leg.redirected());
    d.callees.add(next);
    d.request(next.invite(), next.hop());
    return true;
  }

  /** The target without the destinations that we have no listener for, or that are ourselves. */
  private Optional<Target> reachable(Target target) {
    var hops = new ArrayList<Destination>(target.hops());
    hops.removeIf(hop -> messages.local(hop).isEmpty() || isOurselves(hop));
    return hops.isEmpty()
        ? Optional.empty()
        : Optional.of(new Target(target.uri(), target.routes(), hops));
  }

  /**
   * For how long an INVITE may be rung by (RFC 3261 13.3.1): of one whose responses were all lost
   * nobody tells its callee that the call is over, as a CANCEL is due only where a response was
   * heard (9.1). So much longer than callees may ring that ours to end it comes first.
   */
  private Duration validFor() {
    return settings.noAnswer().plus(settings.timers().t1().multipliedBy(64));
  }

  private CalleeLeg invite(
      Draft d, int ordinal, Target target, Breadth breadth, boolean redirected) {
    Endpoint local = messages.local(target.hop()).orElseThrow();
    Branch branch = ending.nextBranch(d);
    SipRequest.Builder builder =
        messages.inviteToCallee(d.key, ordinal, branch, d.caller.invite(), target, local);
    builder.header(HeaderName.MAX_BREADTH, breadth.toString());
    builder.expires(validFor().toSeconds());
    LegSdp sdp = negotiation.offerForCallee(d, ordinal, local);
    sdp.told().ifPresent(offer -> builder.body(Messages.SDP, offer.toBytes()));
    return new CalleeLeg(
        ordinal,
        branch,
        builder.build(),
        target.hop(),
        target.hops().subList(1, target.hops().size()),
        sdp,
        redirected,
        OutgoingInvite.State.CALLING,
        List.of());
  }
}
