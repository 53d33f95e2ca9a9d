package io.sippbx.control.call;

import io.sippbx.control.cluster.Roster.Standing;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.cluster.TakeOver;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a call on this node: takes one input, decides, commits, runs the effects, takes
 * the next. While a commit is under way inputs wait, within a bound. Lives on the call's loop.
 *
 * <p>Whose the call is stands in its record. What this node reads or is told in a conflict decides:
 * it goes on with what is its own or nobody's, takes over from who is gone, and gives what it has
 * to who is there. A call that is this node's own is sent for only in the term of the lease in
 * which its record was asked for; in another one it stands still until the record was read again.
 */
final class CallMailbox {

  /** Between two looks at what waits while the store or the lease is away. */
  private static final Duration TICK = Duration.ofMillis(500);

  /** After this the outcome of a commit is found out by the next one. */
  private static final Duration UNDECIDED = Duration.ofMinutes(30);

  private final CallKey key;
  private final CallRuntime runtime;
  private final Deque<Waiting> inputs = new ArrayDeque<>();
  private final Map<TimerId, Scheduled> timers = new TreeMap<>();
  private final Map<ServerTransactionId, SuccessRepeater> repeaters = new LinkedHashMap<>();
  private final SendPermit permit = this::maySend;

  /** What was committed in a term that is over; done when the record is found to stand still. */
  private final List<Effect> withheld = new ArrayList<>();

  private @Nullable Call call;

  /** The record as it stands in the store, as far as this node knows. */
  private Optional<Versioned<Call>> stored = Optional.empty();

  /** The term in which that was asked for. */
  private long term = SendLease.NONE;

  private @Nullable Claim claim;
  private @Nullable Waiting doneAhead;

  /** The commit under way, once its answer has been waited for too long. */
  private @Nullable Pending overdue;

  private Loop.@Nullable Timer tick;
  private int conflicts;
  private boolean busy;
  private boolean releasing;
  private boolean closed;
  private boolean defective;

  private record Scheduled(Instant deadline, Loop.Timer timer) {}

  /** A commit under way. */
  private static final class Pending {
    private final CallCommit<Call> commit;
    private final Waiting waiting;
    private final Decision decision;
    private final long sinceNs;

    /** What only ends of the decision was done before the commit. */
    private boolean doneAhead;

    /** Who asked was told to ask again. */
    private boolean refused;

    Pending(CallCommit<Call> commit, Waiting waiting, Decision decision, long sinceNs) {
      this.commit = commit;
      this.waiting = waiting;
      this.decision = decision;
      this.sinceNs = sinceNs;
    }
  }

  /**
   * A keeper has found the call among those of a dead member.
   *
   * @param told is called once
   */
  record Claim(Member dead, long epoch, Consumer<TakeOver.Outcome> told) {}

  CallMailbox(CallKey key, CallRuntime runtime) {
    this.key = key;
    this.runtime = runtime;
  }

  /** The keeper's part: what becomes of the call is told. Before {@link #read}. */
  void claim(Claim by) {
    claim = by;
  }

  /** Asks the store how the record stands; inputs wait. */
  void read() {
    busy = true;
    long asked = runtime.fence().term();
    runtime
        .store()
        .read(
            key,
            answer -> {
              if (!closed) {
                stands(answer, asked);
              }
            });
  }

  private void stands(ReadAnswer<Call> answer, long asked) {
    busy = false;
    switch (answer) {
      case ReadAnswer.Found<Call> found -> take(found.current(), asked);
      case ReadAnswer.Absent<Call> none -> gone();
      case ReadAnswer.Unavailable<Call> unavailable -> {
        if (stored.isPresent()) {
          startTicking();
        } else {
          letGo().forEach(each -> runtime.refuse(each.input(), 503));
        }
      }
    }
  }

  /** What stands in the store has been told; nothing is under way. */
  private void take(Versioned<Call> current, long asked) {
    Optional<Member> owner = current.owner();
    if (claim != null && !owner.equals(Optional.of(claim.dead()))) {
      tell(TakeOver.Outcome.NOT_ITS);
      if (stored.isEmpty() && inputs.isEmpty()) {
        close();
        return;
      }
    }
    if (owner.isEmpty()) {
      ownerless(current, asked);
      return;
    }
    switch (runtime.standing(owner.get())) {
      case Standing.SELF -> {
        if (isOurs() && isStored(current)) {
          goOn(asked);
        } else {
          takeOver(current, asked);
        }
      }
      case Standing.GONE -> takeOver(current, asked);
      case Standing.PRESENT -> lose(owner.get());
      case Standing.UNKNOWN -> hold();
    }
    if (releasing && !busy && !closed) {
      releaseOrCommit();
    }
  }

  private boolean isStored(Versioned<Call> current) {
    return stored
        .filter(
            known ->
                known.version() == current.version() && known.commit().equals(current.commit()))
        .isPresent();
  }

  /** Nothing has happened meanwhile. */
  private void goOn(long asked) {
    term = asked;
    if (!mayAct()) {
      freeze();
      return;
    }
    List<Effect> before = List.copyOf(withheld);
    withheld.clear();
    carryOut(before);
    drain();
  }

  /** Whoever had it open has it open no more: that is taken up before anything else happens. */
  private void takeOver(Versioned<Call> current, long asked) {
    if (runtime.isWithdrawn()) {
      bequeath();
      return;
    }
    open(current, asked);
    if (inputs.isEmpty() || !(inputs.getFirst().input() instanceof Input.TakenOver)) {
      inputs.addFirst(runtime.own(new Input.TakenOver()));
    }
    drain();
  }

  private void ownerless(Versioned<Call> current, long asked) {
    Call record = current.record();
    if (runtime.isWithdrawn() && !record.isTombstone()) {
      bequeath();
      return;
    }
    if (isOurs()) {
      // Another went on with it, and is done: what this node had open of it is history.
      for (Waiting each : letGo()) {
        if (each.received().isPresent()) {
          runtime.offerOrRead(key, each);
        }
      }
      return;
    }
    open(current, asked);
    if (record.isQuiescent()) {
      runtime.quiet().settled(key);
    } else if (!record.isTombstone()) {
      inputs.addFirst(runtime.own(new Input.TakenOver()));
    }
    syncTimers();
    drain();
  }

  private void open(Versioned<Call> current, long asked) {
    forgetOpen();
    call = current.record();
    stored = Optional.of(current);
    term = asked;
    runtime.noteState(this, call);
  }

  /** It is another's, who is given what waits. */
  private void lose(Member owner) {
    letGo().forEach(each -> runtime.forwarder().give(key, owner, each));
  }

  /** Who has it cannot be told yet, or it is not for this node: what waits is looked at again. */
  private void hold() {
    letGo().forEach(each -> runtime.forwarder().hold(key, each));
  }

  /** This node takes no call any more: who will keep it is given what waits. */
  private void bequeath() {
    List<Waiting> waiting = letGo();
    runtime
        .heir(key)
        .ifPresentOrElse(
            heir -> waiting.forEach(each -> runtime.forwarder().give(key, heir, each)),
            () -> waiting.forEach(each -> runtime.forwarder().hold(key, each)));
  }

  private void gone() {
    tell(TakeOver.Outcome.NOT_ITS);
    letGo().forEach(each -> each.absent().accept(each.input()));
  }

  /** This node has the call no more: nothing is sent for it, and what waited is given back. */
  private List<Waiting> letGo() {
    if (isOurs()) {
      runtime.counters().letGo.increment();
    }
    forgetOpen();
    List<Waiting> waiting = List.copyOf(inputs);
    close();
    return waiting;
  }

  private void forgetOpen() {
    if (isOurs() && call != null) {
      runtime.forget(call);
      runtime.effects().forgetAll(permit);
    }
    withheld.clear();
    stopTimers();
  }

  /** Leaves with the node: once what is under way is committed, another goes on from the record. */
  void release() {
    releasing = true;
    if (!busy && !closed) {
      releaseOrCommit();
    }
  }

  /** What only this node has heard (an ACK) is written down first: its heir could not know it. */
  private void releaseOrCommit() {
    if (call != null && isOurs() && mayAct() && !call.equals(stored.get().record())) {
      commit(
          runtime.own(new Input.TimerFired(TimerId.of(TimerId.Kind.SETTLE))),
          new Decision(Optional.of(call), Decision.Commit.NOW, List.of(), List.of(), List.of()));
      return;
    }
    if (isOurs()) {
      runtime.counters().released.increment();
      runtime.counters().letGo.decrement();
    }
    hold();
  }

  /** A term has begun: what is this node's own is read again before anything is sent for it. */
  void reopened() {
    if (busy || closed) {
      // What is under way sees to it when it is answered.
      return;
    }
    if (isOurs()) {
      runtime.counters().frozen.increment();
      read();
    } else {
      drain();
    }
  }

  void offer(Waiting waiting) {
    if (inputs.size() >= runtime.limits().mailboxInputs()) {
      runtime.observer().dropped(key, CallObserver.Drop.MAILBOX_FULL);
      return;
    }
    inputs.add(waiting);
    if (overdue != null) {
      attendWaiting();
    }
    drain();
  }

  private void offer(Input input) {
    offer(runtime.own(input));
  }

  private boolean isOurs() {
    return stored.flatMap(Versioned::owner).filter(runtime.self()::equals).isPresent();
  }

  private boolean mayAct() {
    if (isOurs()) {
      return runtime.fence().isOpenFor(term);
    }
    return call != null && call.isTombstone() || runtime.fence().term() != SendLease.NONE;
  }

  private boolean maySend() {
    return !isOurs() || runtime.fence().allows(term);
  }

  private void drain() {
    while (!busy && !closed && !releasing && !inputs.isEmpty()) {
      if (!mayAct()) {
        freeze();
        return;
      }
      process(inputs.remove());
    }
  }

  private void freeze() {
    if (isOurs() && runtime.fence().term() != SendLease.NONE) {
      read();
    } else {
      startTicking();
    }
  }

  private void startTicking() {
    if (tick == null && !closed) {
      tick = runtime.loop().schedule(TICK, this::tick);
    }
  }

  /**
   * While the store or the lease is away: what only ends goes ahead, what may be asked again is.
   */
  private void tick() {
    tick = null;
    if (!busy && isOurs() && !mayAct()) {
      freeze();
    } else {
      drain();
    }
    if (closed || inputs.isEmpty() && (!isOurs() || mayAct())) {
      return;
    }
    goAhead();
    long oldestNs = runtime.loop().nowNs() - runtime.limits().patience().toNanos();
    var refused = new ArrayList<Waiting>();
    inputs.removeIf(
        each -> each.mayBeRefused() && each.sinceNs() - oldestNs <= 0 && refused.add(each));
    refused.forEach(each -> runtime.refuse(each.input(), call == null ? 503 : 500));
    startTicking();
  }

  /**
   * BYE and CANCEL are answered and passed on though nothing can be committed: whatever else is
   * done to the call meanwhile, it ends. They stay where they are, to be committed.
   */
  private void goAhead() {
    Waiting first = inputs.stream().filter(Waiting::onlyEnds).findFirst().orElse(null);
    if (first == null || first.equals(doneAhead) || call == null || call.isTombstone()) {
      return;
    }
    doneAhead = first;
    Decision decision;
    try {
      decision = decide(first.input());
    } catch (RuntimeException e) {
      runtime.observer().defect(key, "ahead", e);
      return;
    }
    carryOut(decision.effects().stream().filter(CallMailbox::onlyEnds).toList());
  }

  private static boolean onlyEnds(Effect effect) {
    return switch (effect) {
      case Effect.Respond respond -> respond.response().isFinal();
      case Effect.Request request ->
          request.request().method().equals(Method.BYE)
              || request.request().method().equals(Method.CANCEL);
      case Effect.RespondUntilAck until -> false;
      case Effect.StopSuccess stop -> false;
      case Effect.ResumeServer resume -> false;
      case Effect.ResumeClient resume -> false;
      case Effect.Ack ack -> false;
      case Effect.ApplyMedia apply -> false;
      case Effect.PlaceMedia place -> false;
      case Effect.RenewLease renew -> false;
      case Effect.GiveLeaseBack back -> false;
      case Effect.ReleaseMedia release -> false;
    };
  }

  private void process(Waiting waiting) {
    Decision decision;
    try {
      decision = decide(waiting.input());
    } catch (RuntimeException e) {
      runtime.refuse(waiting.input(), 500);
      failed("decide", e);
      return;
    }
    if (decision.commit() == Decision.Commit.NOW) {
      commit(waiting, decision);
    } else {
      call = decision.call().orElse(null);
      carryOut(decision.beside());
      carryOut(decision.effects());
      syncTimers();
    }
  }

  private Decision decide(Input input) {
    Instant now = runtime.loop().now();
    if (call != null) {
      return runtime.decider().decide(call, input, now);
    }
    if (input instanceof Input.InviteArrived first) {
      return runtime.decider().begin(key, first, now);
    }
    throw new IllegalStateException("Expected an INVITE as first input of " + key);
  }

  private void commit(Waiting waiting, Decision decision) {
    CommitId id = runtime.nextCommitId();
    List<CallHappening> happenings = decision.happenings();
    Instant now = runtime.loop().now();
    Optional<Call> next = decision.call();
    List<CallEvent> events =
        next.map(
                each ->
                    runtime
                        .encoder()
                        .encode(
                            key,
                            id.toString(),
                            each.counters().events() - happenings.size() + 1,
                            now,
                            happenings))
            .orElse(List.of());
    var commit =
        new CallCommit<>(
            key,
            stored,
            id,
            next,
            events,
            next.map(each -> CallPlaces.index(each, runtime.self())).orElse(CallIndex.NONE),
            next.map(each -> CallPlaces.keep(each, now)).orElse(CallCommit.LAST_RESORT),
            claim == null ? OptionalLong.empty() : OptionalLong.of(claim.epoch()));
    busy = true;
    carryOut(decision.beside());
    send(new Pending(commit, waiting, decision, runtime.loop().nowNs()));
  }

  private void send(Pending pending) {
    if (closed) {
      return;
    }
    long asked = runtime.fence().term();
    runtime.store().commit(pending.commit, answer -> answered(pending, asked, answer));
  }

  private void answered(Pending pending, long asked, CommitAnswer<Call> answer) {
    if (closed) {
      return;
    }
    if (answer instanceof CommitAnswer.Unknown<Call>) {
      unanswered(pending);
      return;
    }
    overdue = null;
    Waiting waiting = pending.waiting;
    switch (answer) {
      case CommitAnswer.Applied<Call> applied -> committed(pending, applied.version(), asked);
      case CommitAnswer.AlreadyApplied<Call> already ->
          committed(pending, already.version(), asked);
      case CommitAnswer.Conflict<Call> conflict -> {
        busy = false;
        conflicts++;
        if (pending.refused) {
          conflicts = 0;
        } else if (conflicts < runtime.limits().commitAttempts()) {
          inputs.addFirst(waiting);
        } else {
          conflicts = 0;
          runtime.observer().dropped(key, CallObserver.Drop.CONTENDED);
          runtime.refuse(waiting.input(), 503);
        }
        take(conflict.current(), asked);
      }
      case CommitAnswer.Gone<Call> gone -> {
        busy = false;
        if (!pending.refused) {
          inputs.addFirst(waiting);
        }
        gone();
      }
      case CommitAnswer.Fenced<Call> fenced -> {
        busy = false;
        tell(TakeOver.Outcome.FAILED);
        hold();
      }
      case CommitAnswer.Full<Call> full -> {
        runtime.observer().dropped(key, CallObserver.Drop.OUTBOX_FULL);
        if (call == null) {
          undo(waiting.input(), pending.decision);
        }
        putOff(pending);
      }
      case CommitAnswer.Unknown<Call> unknown -> {}
    }
    if (releasing && !busy && !closed) {
      releaseOrCommit();
    }
  }

  /**
   * Whether the commit stands is not known, and must be before anything else is committed: it is
   * sent again until there is an answer. Meanwhile what only ends goes ahead, and who may ask again
   * is told so.
   */
  private void unanswered(Pending pending) {
    CallLimits limits = runtime.limits();
    if (pending.waiting.onlyEnds() && !pending.doneAhead && call != null) {
      pending.doneAhead = true;
      carryOut(pending.decision.effects().stream().filter(CallMailbox::onlyEnds).toList());
    }
    Duration passed = Duration.ofNanos(runtime.loop().nowNs() - pending.sinceNs);
    Duration soon = passed.plus(limits.commitRetry());
    if (soon.compareTo(limits.commitRetry().multipliedBy(limits.commitAttempts())) < 0) {
      runtime.loop().schedule(limits.commitRetry(), () -> send(pending));
    } else if (passed.compareTo(UNDECIDED) > 0) {
      overdue = null;
      putOff(pending);
    } else {
      overdue(pending);
      runtime.loop().schedule(TICK, () -> send(pending));
    }
  }

  private void overdue(Pending pending) {
    if (overdue == null) {
      overdue = pending;
      runtime.observer().dropped(key, CallObserver.Drop.STORE_UNAVAILABLE);
      if (pending.waiting.mayBeRefused()) {
        pending.refused = true;
        refuse(pending.waiting);
      }
    }
    attendWaiting();
  }

  /** The store is away: nothing that waits need wait for it where it may be done or refused. */
  private void attendWaiting() {
    goAhead();
    var refused = new ArrayList<Waiting>();
    inputs.removeIf(each -> each.mayBeRefused() && refused.add(each));
    refused.forEach(this::refuse);
  }

  private void refuse(Waiting waiting) {
    runtime.refuse(waiting.input(), call == null ? 503 : 500);
  }

  /** It cannot be committed: who may ask again is told so, what must be done waits. */
  private void putOff(Pending pending) {
    Waiting waiting = pending.waiting;
    busy = false;
    if (call == null) {
      if (!pending.refused) {
        inputs.addFirst(waiting);
      }
      letGo().forEach(this::refuse);
    } else if (waiting.mayBeRefused()) {
      if (!pending.refused) {
        refuse(waiting);
      }
      drain();
    } else {
      inputs.addFirst(waiting);
      goAhead();
      startTicking();
    }
  }

  /** What ends that a request stands in the record which was refused because nobody knew. */
  private static Optional<Input> takeBack(Waiting refused, Call standing) {
    if (!(refused.input() instanceof Input.RequestArrived in)) {
      return Optional.of(new Input.HangUp(Reason.STORE_UNAVAILABLE));
    }
    Optional<Reinvite> reinvite =
        standing.reinvite().filter(each -> each.transaction().equals(in.transaction()));
    if (reinvite.isPresent() && reinvite.get().sent().isEmpty()) {
      SipRequest cancel = Messages.cancel(in.request());
      return Optional.of(
          new Input.RequestArrived(ServerTransactionId.of(cancel), cancel, in.flow(), in.hop()));
    }
    // Nobody was sent it: that is as if who should have been had refused it.
    return reinvite
        .flatMap(Reinvite::sent)
        .or(
            () ->
                standing.relayed().stream()
                    .filter(each -> each.transaction().equals(in.transaction()))
                    .map(Call.Relayed::sent)
                    .findFirst())
        .map(
            sent ->
                new Input.ResponseArrived(
                    sent.topVia().branch().orElseThrow(),
                    SipResponse.to(sent, 500).build(),
                    in.hop(),
                    List.of()));
  }

  /** The call never was: what was taken for it in advance is given back at once. */
  private void undo(Input input, Decision decision) {
    for (Effect effect : decision.beside()) {
      if (effect instanceof Effect.ApplyMedia apply) {
        runtime.effects().releaseMedia(apply.node(), key, apply.spec().revision(), answer -> {});
      }
    }
    if (input instanceof Input.InviteArrived in && in.leased()) {
      runtime.effects().giveLeaseBack(key, () -> {});
    }
  }

  private void committed(Pending pending, long version, long asked) {
    CallCommit<Call> commit = pending.commit;
    Waiting waiting = pending.waiting;
    Decision decision = pending.decision;
    List<Effect> effects =
        pending.doneAhead
            ? decision.effects().stream().filter(each -> !onlyEnds(each)).toList()
            : decision.effects();
    stored =
        commit
            .record()
            .map(next -> new Versioned<>(version, commit.id(), next, commit.index().owner()));
    call = decision.call().orElse(null);
    term = asked;
    busy = false;
    conflicts = 0;
    if (waiting.input() instanceof Input.TakenOver) {
      runtime.counters().takenOver.increment();
      tell(TakeOver.Outcome.TAKEN);
    }
    if (!commit.events().isEmpty()) {
      runtime.effects().publish(commit.events());
    }
    for (CallHappening happening : decision.happenings()) {
      runtime.observer().happened(key, happening);
    }
    runtime.noteState(this, call);
    if (pending.refused && call != null) {
      // It was told that it was not done, and so it is not.
      effects = List.of();
      takeBack(waiting, call).ifPresent(each -> inputs.addFirst(runtime.own(each)));
    }
    if (isIdle()) {
      runtime.quiet().settled(key);
    }
    if (call != null && !maySend()) {
      // It stands in the record, and may have been taken over from there.
      withheld.addAll(effects);
      freeze();
      return;
    }
    carryOut(effects);
    if (call == null) {
      close();
    } else {
      syncTimers();
    }
    drain();
  }

  private void tell(TakeOver.Outcome outcome) {
    Claim by = claim;
    if (by != null) {
      claim = null;
      by.told().accept(outcome);
    }
  }

  private void carryOut(List<Effect> effects) {
    for (Effect effect : effects) {
      try {
        carryOut(effect);
      } catch (RuntimeException e) {
        failed("effect", e);
      }
    }
  }

  private void carryOut(Effect effect) {
    CallEffects world = runtime.effects();
    switch (effect) {
      case Effect.Respond respond ->
          world.respond(respond.transaction(), respond.response(), permit);
      case Effect.RespondUntilAck until -> {
        SuccessRepeater old =
            repeaters.put(
                until.transaction(),
                SuccessRepeater.start(
                    runtime.loop(),
                    runtime.timers(),
                    () -> {
                      if (maySend()) {
                        world.respond(until.transaction(), until.response(), permit);
                      }
                    }));
        if (old != null) {
          old.stop();
        }
      }
      case Effect.StopSuccess stop -> {
        SuccessRepeater repeater = repeaters.remove(stop.transaction());
        if (repeater != null) {
          repeater.stop();
        }
      }
      case Effect.Request request -> world.request(request.request(), request.to(), permit);
      case Effect.ResumeServer resume ->
          world.resumeServer(resume.transaction(), resume.flow(), resume.lastResponse(), permit);
      case Effect.ResumeClient resume ->
          world.resumeClient(resume.request(), resume.to(), resume.remaining(), permit);
      case Effect.Ack ack -> world.ack(ack.ack(), ack.to());
      case Effect.ApplyMedia apply ->
          world.applyMedia(
              apply.node(),
              apply.spec(),
              answer ->
                  runtime.offer(key, new Input.MediaApplied(apply.spec().revision(), answer)));
      case Effect.PlaceMedia place ->
          world.placeMedia(
              place.need(),
              place.except(),
              to -> runtime.offer(key, new Input.MediaPlaced(place.from(), place.lost(), to)));
      case Effect.ReleaseMedia release ->
          world.releaseMedia(
              release.node(),
              key,
              release.revision(),
              answer ->
                  runtime.offer(
                      key, new Input.MediaReleased(release.node(), release.revision(), answer)));
      case Effect.RenewLease renew -> world.renewLease(key, renew.lasting());
      case Effect.GiveLeaseBack back ->
          world.giveLeaseBack(key, () -> runtime.offer(key, new Input.LeaseGivenBack()));
    }
  }

  /** The loop's timers are those of the record that the store does not keep itself. */
  private void syncTimers() {
    Map<TimerId, Instant> wanted = wanted();
    Iterator<Map.Entry<TimerId, Scheduled>> running = timers.entrySet().iterator();
    while (running.hasNext()) {
      Map.Entry<TimerId, Scheduled> each = running.next();
      if (!each.getValue().deadline().equals(wanted.get(each.getKey()))) {
        each.getValue().timer().cancel();
        running.remove();
      }
    }
    Instant now = runtime.loop().now();
    for (Map.Entry<TimerId, Instant> each : wanted.entrySet()) {
      TimerId id = each.getKey();
      if (!timers.containsKey(id)) {
        Loop.Timer timer =
            runtime
                .loop()
                .schedule(
                    Duration.between(now, each.getValue()),
                    () -> {
                      timers.remove(id);
                      offer(new Input.TimerFired(id));
                    });
        timers.put(id, new Scheduled(each.getValue(), timer));
      }
    }
  }

  private Map<TimerId, Instant> wanted() {
    Call current = call;
    if (current == null) {
      return Collections.emptyMap();
    }
    if (stored.isEmpty() || isOurs() || current.isTombstone()) {
      return current.timers();
    }
    // Nobody owns it: its timers come from the store, whoever has it in memory.
    var own = new TreeMap<>(current.timers());
    own.entrySet().removeAll(stored.get().record().timers().entrySet());
    return Collections.unmodifiableSortedMap(own);
  }

  /** A defect of ours: the call is ended in order once, and dropped if that fails too. */
  private void failed(String where, RuntimeException defect) {
    runtime.observer().defect(key, where, defect);
    if (defective || call == null) {
      close();
    } else {
      defective = true;
      inputs.addFirst(runtime.own(new Input.HangUp(Reason.INTERNAL_ERROR)));
    }
  }

  private void stopTimers() {
    for (Scheduled each : timers.values()) {
      each.timer().cancel();
    }
    timers.clear();
    for (SuccessRepeater each : repeaters.values()) {
      each.stop();
    }
    repeaters.clear();
  }

  private void close() {
    closed = true;
    inputs.clear();
    call = null;
    stored = Optional.empty();
    stopTimers();
    if (tick != null) {
      tick.cancel();
      tick = null;
    }
    tell(TakeOver.Outcome.FAILED);
    runtime.closed(key, this);
  }

  /** Whether the call is up, nobody owns it, and all that is known of it is in its record. */
  boolean isIdle() {
    return call != null
        && !busy
        && inputs.isEmpty()
        && call.isQuiescent()
        && stored
            .filter(known -> known.owner().isEmpty() && known.record().equals(call))
            .isPresent();
  }

  /** Leaves the memory; the call goes on in the store. */
  void evict() {
    closed = true;
    stopTimers();
    if (tick != null) {
      tick.cancel();
      tick = null;
    }
  }

  CallKey key() {
    return key;
  }

  Optional<Call> current() {
    return Optional.ofNullable(call);
  }

  /** Whether the record names this node. */
  boolean isOwned() {
    return isOurs();
  }
}
