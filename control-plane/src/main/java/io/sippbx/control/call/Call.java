package io.sippbx.control.call;

import io.sippbx.control.carried.Carried;
import io.sippbx.control.event.Party;
import io.sippbx.control.event.Termination;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.CallKey;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A call as it is stored between two inputs: legs, a media part, and what is open between them.
 *
 * @param caller the caller's side during set-up
 * @param callees every INVITE of ours, in the order of sending
 * @param untried groups of targets that have not been tried
 * @param legs the two sides once the call is answered; before that empty
 * @param pendingAnswer a callee's 2xx with an offer, while the media node is asked for ports
 * @param refusal the best final failure so far
 * @param renewals re-INVITEs of our own, one for a side at most
 * @param relayed requests within the dialogs that were passed on and have no final response
 * @param byes BYEs of ours that have no final response
 * @param timers deadlines
 * @param termination how it ended; present from the moment when it is being ended
 * @param endPublished whether the end has been told to the world: what remains is a tombstone
 * @param lease of the cluster's limit
 * @param counters what has been numbered so far, events among it
 * @param carried what a newer node added and this one does not know
 */
public record Call(
    CallKey key,
    CallerLeg caller,
    List<CalleeLeg> callees,
    List<List<Target>> untried,
    Optional<Legs> legs,
    Optional<PendingAnswer> pendingAnswer,
    Optional<Refusal> refusal,
    MediaPart media,
    Optional<Reinvite> reinvite,
    List<Renewal> renewals,
    List<Relayed> relayed,
    List<Bye> byes,
    SortedMap<TimerId, Instant> timers,
    Facts facts,
    Optional<Termination> termination,
    boolean endPublished,
    Lease lease,
    Counters counters,
    Carried carried) {

  /** Copies the collections. */
  public Call {
    callees = List.copyOf(callees);
    untried = List.copyOf(untried);
    renewals = List.copyOf(renewals);
    relayed = List.copyOf(relayed);
    byes = List.copyOf(byes);
    timers = Collections.unmodifiableSortedMap(new TreeMap<>(timers));
  }

  /** The two sides of an answered call. */
  public record Legs(Leg caller, Leg callee) {

    Leg of(Side side) {
      return side == Side.CALLER ? caller : callee;
    }

    Legs with(Leg leg) {
      return leg.side() == Side.CALLER ? new Legs(leg, callee) : new Legs(caller, leg);
    }
  }

  /** A 2xx that will be passed on when the media node has opened its streams. */
  public record PendingAnswer(int leg, int fork, SipResponse response) {}

  /** A final failure of a callee; without response: it could not be reached, or did not answer. */
  public record Refusal(int status, Optional<SipResponse> response) {}

  /**
   * A request that was passed on within the dialogs.
   *
   * @param request as it came, over {@code flow}
   * @param sent as it was passed on, to {@code hop}
   */
  public record Relayed(
      Side from,
      ServerTransactionId transaction,
      SipRequest request,
      Flow flow,
      Branch branch,
      SipRequest sent,
      Destination hop) {}

  /** A BYE of ours as it was sent, to {@code hop}; for a discarded fork it belongs to no leg. */
  public record Bye(Branch branch, Optional<Side> leg, SipRequest sent, Destination hop) {}

  /** What a record of the call says. */
  public record Facts(
      Party caller,
      Party callee,
      Instant startedAt,
      Optional<Instant> answeredAt,
      Optional<Instant> endedAt,
      String codec,
      boolean rang,
      boolean callerHolds,
      boolean calleeHolds,
      Trail trail) {

    /** The same with another trail. */
    Facts with(Trail other) {
      return new Facts(
          caller,
          callee,
          startedAt,
          answeredAt,
          endedAt,
          codec,
          rang,
          callerHolds,
          calleeHolds,
          other);
    }
  }

  /**
   * Which nodes had the call, and what it came to before the answer.
   *
   * @param firstNode that took the INVITE; empty for a call from before this was written down
   * @param progressAt when the callee was first heard of
   * @param earlyMedia whether a description was relayed before the answer
   * @param changedAt when the record was decided last
   * @param changedBy the start of the node that decided it
   * @param knownUp until when the call was known to be up, where a node that had it was gone
   */
  public record Trail(
      String firstNode,
      Optional<Instant> progressAt,
      boolean earlyMedia,
      Instant changedAt,
      long changedBy,
      Optional<Instant> knownUp) {

    Trail progressed(Instant at) {
      return progressAt.isPresent()
          ? this
          : new Trail(firstNode, Optional.of(at), earlyMedia, changedAt, changedBy, knownUp);
    }

    Trail withEarlyMedia() {
      return new Trail(firstNode, progressAt, true, changedAt, changedBy, knownUp);
    }

    Trail changed(Instant at, long by) {
      return new Trail(firstNode, progressAt, earlyMedia, at, by, knownUp);
    }

    /** A node that had it is gone: all that is known is what it wrote down last. */
    Trail recovered() {
      return new Trail(
          firstNode, progressAt, earlyMedia, changedAt, changedBy, Optional.of(changedAt));
    }
  }

  /** What has been numbered so far. */
  public record Counters(int branches, int forks, int reinvites, int events) {}

  /**
   * Whether the call is up and nothing of it is open: no transaction, and the media node holds what
   * it was told. Such a call has no owner.
   */
  public boolean isQuiescent() {
    return isUp()
        && caller.state() == IncomingInvite.State.CONFIRMED
        && !CalleeLeg.isAnyOpen(callees)
        && pendingAnswer.isEmpty()
        && reinvite.isEmpty()
        && relayed.isEmpty()
        && byes.isEmpty()
        && renewals.isEmpty()
        && media.isSettled()
        && !holds(TimerId.Kind.MOVE);
  }

  /** Whether a timer of this kind runs. */
  public boolean holds(TimerId.Kind kind) {
    for (TimerId timer : timers.keySet()) {
      if (timer.kind() == kind) {
        return true;
      }
    }
    return false;
  }

  Call withTimer(TimerId timer, Instant deadline) {
    var changed = new TreeMap<>(timers);
    changed.put(timer, deadline);
    return with(changed, counters);
  }

  Call withoutTimer(TimerId timer) {
    if (!timers.containsKey(timer)) {
      return this;
    }
    var changed = new TreeMap<>(timers);
    changed.remove(timer);
    return with(changed, counters);
  }

  /** This call, which takes no branch any more that {@code other} has taken. */
  Call branchingAfter(Call other) {
    int taken = Math.max(counters.branches(), other.counters.branches());
    return with(
        timers, new Counters(taken, counters.forks(), counters.reinvites(), counters.events()));
  }

  private Call with(SortedMap<TimerId, Instant> changed, Counters counted) {
    return new Call(
        key,
        caller,
        callees,
        untried,
        legs,
        pendingAnswer,
        refusal,
        media,
        reinvite,
        renewals,
        relayed,
        byes,
        changed,
        facts,
        termination,
        endPublished,
        lease,
        counted,
        carried);
  }

  /** Whether the call has been answered and is not being ended. */
  public boolean isUp() {
    return legs.isPresent() && termination.isEmpty();
  }

  /** Whether only repeats are still answered for it. */
  public boolean isTombstone() {
    return endPublished;
  }
}
