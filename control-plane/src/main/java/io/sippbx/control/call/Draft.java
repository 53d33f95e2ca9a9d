package io.sippbx.control.call;

import io.sippbx.control.carried.Carried;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The working copy of a call during one decision: the policies change it in place, and {@link
 * #decision} makes a value of it. It lives within one call of {@code decide} and is seen by nobody
 * else, so that the decision stays a pure function.
 */
final class Draft {

  final CallKey key;
  final Instant now;

  CallerLeg caller;
  final List<CalleeLeg> callees;
  List<List<Target>> untried;
  Optional<Call.Legs> legs;
  Optional<Call.PendingAnswer> pendingAnswer;
  Optional<Call.Refusal> refusal;
  MediaPart media;
  Optional<Reinvite> reinvite;
  final List<Renewal> renewals;
  final List<Call.Relayed> relayed;
  final List<Call.Bye> byes;
  Call.Facts facts;
  Optional<Termination> termination;
  boolean endPublished;
  Lease lease;

  private final SortedMap<TimerId, Instant> timers;
  private final List<Effect> beside = new ArrayList<>();
  private final List<Effect> effects = new ArrayList<>();
  private final List<CallHappening> happenings = new ArrayList<>();
  private final Carried carried;
  private int branches;
  private int forks;
  private int reinvites;
  private int events;
  private Decision.Commit commit = Decision.Commit.NONE;
  private boolean removed;

  /** A call that is about to begin. */
  Draft(
      CallKey key,
      Instant now,
      CallerLeg caller,
      List<List<Target>> route,
      MediaPart media,
      Call.Facts facts) {
    this.key = key;
    this.now = now;
    this.caller = caller;
    this.callees = new ArrayList<>();
    this.untried = route;
    this.legs = Optional.empty();
    this.pendingAnswer = Optional.empty();
    this.refusal = Optional.empty();
    this.media = media;
    this.reinvite = Optional.empty();
    this.renewals = new ArrayList<>();
    this.relayed = new ArrayList<>();
    this.byes = new ArrayList<>();
    this.facts = facts;
    this.termination = Optional.empty();
    this.lease = Lease.NONE;
    this.timers = new TreeMap<>();
    this.carried = Carried.NOTHING;
  }

  /** A call as it was stored. */
  Draft(Call call, Instant now) {
    this.key = call.key();
    this.now = now;
    this.caller = call.caller();
    this.callees = new ArrayList<>(call.callees());
    this.untried = call.untried();
    this.legs = call.legs();
    this.pendingAnswer = call.pendingAnswer();
    this.refusal = call.refusal();
    this.media = call.media();
    this.reinvite = call.reinvite();
    this.renewals = new ArrayList<>(call.renewals());
    this.relayed = new ArrayList<>(call.relayed());
    this.byes = new ArrayList<>(call.byes());
    this.facts = call.facts();
    this.termination = call.termination();
    this.endPublished = call.endPublished();
    this.lease = call.lease();
    this.timers = new TreeMap<>(call.timers());
    this.carried = call.carried();
    this.branches = call.counters().branches();
    this.forks = call.counters().forks();
    this.reinvites = call.counters().reinvites();
    this.events = call.counters().events();
  }

  /** What was decided. */
  Decision decision() {
    events += happenings.size();
    var call =
        new Call(
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
            timers,
            facts,
            termination,
            endPublished,
            lease,
            new Call.Counters(branches, forks, reinvites, events),
            carried);
    return new Decision(
        removed ? Optional.empty() : Optional.of(settling(call)),
        commit,
        beside,
        effects,
        happenings);
  }

  /**
   * What came without a commit (an ACK, above all) is written down by itself once the call is quiet
   * for it, on the next beat (see {@link Beat}): else the record would say for as long as the call
   * lasts that something is open, and whoever took it over would wait for an ACK that came long
   * ago. So is what the world is to know.
   */
  private Call settling(Call call) {
    TimerId settle = TimerId.of(TimerId.Kind.SETTLE);
    if (commit == Decision.Commit.NOW) {
      return call.withoutTimer(settle);
    }
    boolean due = commit == Decision.Commit.LATER && (call.isQuiescent() || !happenings.isEmpty());
    return due && !timers.containsKey(settle) ? call.withTimer(settle, now) : call;
  }

  /** If anything is to be written down: by whom. */
  void signed(long start) {
    if (commit != Decision.Commit.NONE) {
      facts = facts.with(facts.trail().changed(now, start));
    }
  }

  /** The state must be in the store before the effects run. */
  void change() {
    commit = Decision.Commit.NOW;
  }

  /** The state changed in a way that peers would bring about again by themselves. */
  void note() {
    if (commit == Decision.Commit.NONE) {
      commit = Decision.Commit.LATER;
    }
  }

  /** The record goes. */
  void remove() {
    removed = true;
    timers.clear();
    change();
  }

  void effect(Effect effect) {
    effects.add(effect);
  }

  void effectBesideCommit(Effect effect) {
    beside.add(effect);
  }

  void happening(CallHappening happening) {
    happenings.add(happening);
    change();
  }

  /** The same with the next commit, on the next beat at the latest. */
  void happeningSoon(CallHappening happening) {
    happenings.add(happening);
    note();
  }

  void respond(ServerTransactionId transaction, SipResponse response) {
    effects.add(new Effect.Respond(transaction, response));
  }

  void request(SipRequest request, Destination to) {
    effects.add(new Effect.Request(request, to));
    change();
  }

  void start(TimerId timer, Duration after) {
    timers.put(timer, now.plus(after));
    change();
  }

  /**
   * Starts a timer of which the store need not know at once: with an older deadline it would fire
   * too early, which does no harm.
   */
  void startAgain(TimerId timer, Duration after) {
    timers.put(timer, now.plus(after));
    note();
  }

  /** Stops a timer if it runs. */
  void stop(TimerId timer) {
    if (timers.remove(timer) != null) {
      note();
    }
  }

  /** The timers that run. */
  SortedMap<TimerId, Instant> timers() {
    return Collections.unmodifiableSortedMap(timers);
  }

  boolean holds(TimerId timer) {
    return timers.containsKey(timer);
  }

  int nextBranchNumber() {
    return branches++;
  }

  int nextForkOrdinal() {
    return forks++;
  }

  int nextReinviteOrdinal() {
    return ++reinvites;
  }

  /** The tag of the caller-side dialog of a fork. */
  Tag callerTag(int forkOrdinal) {
    return new CallTag(key, Side.CALLER, forkOrdinal).tag();
  }

  void replace(CalleeLeg leg) {
    callees.set(leg.ordinal(), leg);
  }

  CalleeLeg callee(int ordinal) {
    return callees.get(ordinal);
  }

  /** The leg of this side; the call must have been answered. */
  Leg leg(Side side) {
    return legs.orElseThrow(
            () -> new IllegalStateException("Expected an answered call, but " + key + " is not"))
        .of(side);
  }

  void replace(Leg leg) {
    legs = legs.map(both -> both.with(leg));
  }

  /** Our own re-INVITE of this side, sent or to be sent. */
  Optional<Renewal> renewal(Side side) {
    for (Renewal each : renewals) {
      if (each.side() == side) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  /** In the place of that of its side, if there was one; always in the order of the sides. */
  void replace(Renewal renewal) {
    remove(renewal.side());
    renewals.add(renewal);
    renewals.sort(Comparator.comparing(Renewal::side));
  }

  /** Nothing is to be told to this side any more. */
  void remove(Side side) {
    renewals.removeIf(each -> each.side() == side);
  }

  boolean isUp() {
    return legs.isPresent() && termination.isEmpty();
  }
}
