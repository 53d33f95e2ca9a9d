package io.sippbx.control.call;

import io.sippbx.control.cluster.Roster.Standing;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.cluster.TakeOver;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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

  /** For which the first commit waits for the media node, to be made with what comes of that. */
  private static final Duration MEDIA_FIRST = Duration.ofMillis(20);

  private final CallKey key;
  private final CallRuntime runtime;
  private final WaitingInputs inputs;
  private final HeldRecord held;
  private final CallTimers timers;
  private final EffectRunner effects;
  private final Beat beat;
  private final Runnable onBeat = this::drain;

  private @Nullable Call call;
  private @Nullable Claim claim;
  private @Nullable Waiting doneAhead;

  /** The first commit, while it waits for the media node. */
  private @Nullable First first;

  /** Of what was decided since the last commit, and is to be committed with the next one. */
  private final List<CallHappening> untold = new ArrayList<>();

  /** The commit whose answer is waited for. */
  private @Nullable PendingCommit underWay;

  /** The same, once that has taken too long. */
  private @Nullable PendingCommit overdue;

  private Loop.@Nullable Timer tick;

  /** What was committed last is not done, nor do its timers run, before the record was read. */
  private boolean toBeRead;

  /** When the record that is known was asked for, or later. */
  private long readNs;

  private int conflicts;
  private boolean busy;
  private boolean releasing;
  private boolean closed;
  private boolean defective;

  /**
   * A keeper has found the call among those of a dead member.
   *
   * @param told is called once
   */
  record Claim(Member dead, long epoch, Consumer<TakeOver.Outcome> told) {}

  /**
   * @param term of the lease in which it was decided
   */
  private record First(
      Waiting waiting, Decision decision, long sinceNs, long term, Loop.Timer timer) {}

  CallMailbox(CallKey key, CallRuntime runtime) {
    this.key = key;
    this.runtime = runtime;
    this.inputs = new WaitingInputs(runtime.limits().mailboxInputs());
    this.held = new HeldRecord(runtime.self(), runtime.fence());
    this.timers =
        new CallTimers(runtime.loop(), fired -> offer(runtime.own(new Input.TimerFired(fired))));
    this.effects =
        new EffectRunner(key, runtime, held::maySend, defect -> failed("effect", defect));
    this.beat = runtime.beat();
    this.readNs = runtime.loop().nowNs();
  }

  /** The keeper's part: what becomes of the call is told. Before {@link #read}. */
  void claim(Claim by) {
    claim = by;
  }

  /** Asks the store how the record stands; inputs wait. */
  void read() {
    busy = true;
    long asked = runtime.fence().term();
    long askedNs = runtime.loop().nowNs();
    runtime
        .store()
        .read(
            key,
            answer -> {
              if (!closed) {
                stands(answer, asked, askedNs);
              }
            });
  }

  private void stands(ReadAnswer<Call> answer, long asked, long askedNs) {
    busy = false;
    switch (answer) {
      case ReadAnswer.Found<Call> found -> {
        readNs = askedNs;
        take(found.current(), asked);
      }
      case ReadAnswer.Absent<Call> none -> gone();
      case ReadAnswer.Unavailable<Call> unavailable -> {
        if (held.current().isEmpty()) {
          hold();
        } else if (inputs.first().filter(this::mayBeForAnother).isPresent()) {
          runtime.forwarder().hold(key, inputs.next());
          drain();
          if (releasing && !busy && !closed) {
            releaseOrCommit();
          }
        } else {
          standStill();
        }
      }
    }
  }

  /** What stands in the store has been told; nothing is under way. */
  private void take(Versioned<Call> current, long asked) {
    toBeRead = false;
    Optional<Member> owner = current.owner();
    if (claim != null && !owner.equals(Optional.of(claim.dead()))) {
      tell(TakeOver.Outcome.NOT_ITS);
      if (held.current().isEmpty() && inputs.isEmpty()) {
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
        if (isOwned() && held.isStill(current)) {
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

  /** Nothing has happened meanwhile. */
  private void goOn(long asked) {
    held.standsStill(asked);
    if (!mayAct()) {
      if (runtime.fence().term() == SendLease.NONE) {
        standStill();
      } else {
        read();
      }
      return;
    }
    effects.carryOutWithheld();
    syncTimers();
    drain();
  }

  /** Whoever had it open has it open no more: that is taken up before anything else happens. */
  private void takeOver(Versioned<Call> current, long asked) {
    if (runtime.isWithdrawn()) {
      bequeath();
      return;
    }
    open(current, asked);
    if (inputs.first().filter(each -> each.input() instanceof Input.TakenOver).isEmpty()) {
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
    if (isOwned()) {
      // Another went on with it, and is done: what this node had open of it is history.
      Optional<Termination> lost =
          Optional.ofNullable(call)
              .filter(CallMailbox::isHungUp)
              .flatMap(Call::termination)
              .filter(end -> record.termination().isEmpty());
      for (Waiting each : letGo()) {
        if (each.received().isPresent()) {
          runtime.offerOrRead(key, each);
        }
      }
      // But nothing follows on an end, so a fail-over has lost it.
      lost.ifPresent(end -> runtime.hangUp(key, end.reason()));
      return;
    }
    if (held.isStill(current)) {
      held.standsStill(asked);
    } else {
      open(current, asked);
    }
    if (record.isQuiescent()) {
      runtime.quiet().settled(key);
    } else if (!record.isTombstone()) {
      inputs.addFirst(runtime.own(new Input.TakenOver()));
    }
    syncTimers();
    drain();
  }

  /** Whether the call was up, and its peers are being told that it is not any more. */
  private static boolean isHungUp(Call call) {
    return call.termination().isPresent()
        && call.caller().state() == IncomingInvite.State.CONFIRMED
        && !call.isTombstone();
  }

  private void open(Versioned<Call> current, long asked) {
    forgetOpen();
    call = current.record();
    held.stands(Optional.of(current), asked);
    runtime.noteState(this, call);
  }

  /** It is another's, who is given what waits. */
  private void lose(Member owner) {
    letGo().forEach(each -> runtime.forwarder().give(key, owner, each));
  }

  /**
   * Who has it cannot be told, since that was never heard of or the store is away, or it is not for
   * this node: what waits is looked at again.
   */
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
    if (isOwned()) {
      runtime.counters().letGo.increment();
    }
    forgetOpen();
    List<Waiting> waiting = inputs.takeAll();
    close();
    return waiting;
  }

  private void forgetOpen() {
    if (isOwned() && call != null) {
      runtime.forget(call);
      effects.forgetTransactions();
    }
    effects.stop();
    timers.stop();
    untold.clear();
  }

  /** Leaves with the node: once what is under way is committed, another goes on from the record. */
  void release() {
    releasing = true;
    if (!busy && !closed) {
      releaseOrCommit();
    }
  }

  /**
   * What only this node knows is written down first, as its heir could not know it: what it has
   * told a peer already (of a call that was cancelled while the store was away, that its caller was
   * refused), and what it has heard (an ACK).
   */
  private void releaseOrCommit() {
    // Without a lease too, as after the store was away: the version tells whether it is another's.
    while (!busy && !closed && call != null && inputs.first().filter(Waiting::isOwed).isPresent()) {
      process(inputs.next());
    }
    if (busy || closed) {
      return;
    }
    if (call != null && isOwned() && mayAct() && !held.says(call)) {
      commit(
          runtime.own(new Input.TimerFired(TimerId.of(TimerId.Kind.SETTLE))),
          Decision.settling(call));
      return;
    }
    leave();
  }

  private void leave() {
    if (isOwned()) {
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
    if (isOwned()) {
      runtime.counters().frozen.increment();
      read();
    } else {
      drain();
    }
  }

  void offer(Waiting waiting) {
    if (first != null && waiting.input() instanceof Input.MediaApplied answer) {
      commitFirst(Optional.of(answer));
      return;
    }
    if (!inputs.add(waiting)) {
      runtime.observer().dropped(key, CallObserver.Drop.MAILBOX_FULL);
      return;
    }
    if (overdue != null) {
      attendWaiting();
    }
    drain();
  }

  private boolean mayAct() {
    return held.mayAct(call != null && call.isTombstone());
  }

  private void drain() {
    if (inputs.size() > 1) {
      beat.stop(onBeat);
      inputs.first().filter(CallMailbox::onlySettles).ifPresent(inputs::remove);
    }
    while (!busy && !closed && !releasing && !beat.isAwaited(onBeat) && !inputs.isEmpty()) {
      if (!mayAct()) {
        freeze();
        return;
      }
      process(inputs.next());
    }
    if (isIdle()) {
      // What came last may have changed nothing, and so ends in no commit that would say so.
      runtime.quiet().settled(key);
    }
    if (mayFold()) {
      fold();
    }
  }

  /** What comes next settles the call too, or brings this timer back. */
  private static boolean onlySettles(Waiting waiting) {
    return waiting.input() instanceof Input.TimerFired fired
        && fired.timer().kind() == TimerId.Kind.SETTLE;
  }

  /** What is this node's own may be another's by now, who is to be given what has come. */
  private void freeze() {
    if (isOwned()) {
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

  private void tick() {
    tick = null;
    if (!busy && isToBeRead()) {
      read();
    } else {
      drain();
      standStill();
    }
  }

  /**
   * While the store or the lease is away, and nobody is known to have the call instead: what only
   * ends goes ahead, what may be asked again is refused after a while.
   */
  private void standStill() {
    if (closed || inputs.isEmpty() && !isToBeRead()) {
      return;
    }
    goAhead();
    long oldestNs = runtime.loop().nowNs() - runtime.limits().patience().toNanos();
    inputs.takeRefusable(oldestNs).forEach(this::refuse);
    startTicking();
  }

  /** What is its own may be another's by now: nothing goes on before its record was read again. */
  private boolean isToBeRead() {
    return isOwned() && (!mayAct() || toBeRead);
  }

  /**
   * BYE and CANCEL are answered and passed on though nothing can be committed: whatever else is
   * done to the call meanwhile, it ends. They are to be committed before all else that waits, for
   * that is how it was for the peers. What is under way may come to stand all the same, so they
   * take no branch that it has taken.
   */
  private void goAhead() {
    Waiting first = inputs.firstEnd().orElse(null);
    if (first == null || first.equals(doneAhead) || call == null || call.isTombstone()) {
      return;
    }
    Waiting done = first.owed();
    doneAhead = done;
    Decision decision;
    try {
      decision = decide(beside(call), first.input());
    } catch (RuntimeException e) {
      runtime.observer().defect(key, "ahead", e);
      return;
    }
    List<Effect> ahead = EndEffects.of(decision.effects());
    effects.carryOut(ahead);
    inputs.remove(first);
    addFirstDone(done, ahead);
  }

  /**
   * Puts what went ahead before all else that waits. A commit whose outcome is not known, or of
   * another node, may turn out to have answered the caller.
   */
  private void addFirstDone(Waiting done, List<Effect> ahead) {
    if (call != null) {
      EndEffects.refusal(ahead, call.caller().transaction())
          .ifPresent(refusal -> inputs.addFirst(runtime.refusedAhead(refusal, done)));
    }
    inputs.addFirst(done);
  }

  /**
   * What was not committed is decided again, on what stands now, by whoever has the call: after
   * what went ahead meanwhile, as a caller that has heard 487 is not to be answered.
   */
  private void decideAgain(PendingCommit pending) {
    if (pending.isEndsDone()) {
      addFirstDone(pending.waiting().owed(), EndEffects.of(pending.decision().effects()));
    } else {
      inputs.addAfterOwed(pending.waiting());
    }
  }

  private Call beside(Call committed) {
    return underWay == null
        ? committed
        : underWay.decision().call().map(committed::branchingAfter).orElse(committed);
  }

  private void process(Waiting waiting) {
    if (waiting.isStray()
        && waiting.input() instanceof Input.ResponseArrived in
        && runtime.effects().receiveAgain(in.response(), waiting.received().orElseThrow().flow())) {
      return;
    }
    if (isEndOfNobodys(waiting.input())) {
      close();
      return;
    }
    if (onlySettles(waiting) && isTimeLeft()) {
      awaitBeat(waiting);
      return;
    }
    Decision decision;
    try {
      decision = decide(call, waiting.input());
    } catch (RuntimeException e) {
      runtime.refuse(waiting.input(), 500);
      failed("decide", e);
      return;
    }
    if (!releasing && mayBeForAnother(waiting) && isOfNoUse(waiting, decision)) {
      inputs.addFirst(waiting);
      read();
      return;
    }
    if (decision.commit() == Decision.Commit.NOW) {
      if (isInNoHurry(waiting, decision)) {
        awaitBeat(waiting);
      } else if (call == null && asksMedia(decision)) {
        awaitMedia(waiting, decision);
      } else {
        commit(waiting, decision);
      }
    } else {
      call = decision.call().orElse(null);
      untold.addAll(decision.happenings());
      effects.carryOut(decision.beside());
      effects.carryOut(decision.effects());
      syncTimers();
    }
  }

  /**
   * Whether the call is quiet as far as this node knows, and this is of something that is not:
   * another may have taken the call up since its record was read here.
   */
  private boolean mayBeForAnother(Waiting waiting) {
    return waiting.sinceNs() - readNs > 0
        && waiting.isOfWhatIsOpen()
        && call != null
        && call.isQuiescent()
        && held.isNobodys();
  }

  /**
   * A CANCEL of nothing is refused, what else is of nothing is passed over; a failure among it is
   * acknowledged, and so is for nobody else any more.
   */
  private static boolean isOfNoUse(Waiting waiting, Decision decision) {
    return decision.commit() != Decision.Commit.NOW
        && (waiting.onlyEnds()
            || decision.effects().stream().allMatch(Effect.AckFailure.class::isInstance));
  }

  /** A tombstone that nobody owns is in no list: its record ends in the store by itself. */
  private boolean isEndOfNobodys(Input input) {
    return input instanceof Input.TimerFired fired
        && fired.timer().kind() == TimerId.Kind.TOMBSTONE
        && call != null
        && call.isTombstone()
        && held.isNobodys();
  }

  private Decision decide(@Nullable Call current, Input input) {
    Instant now = runtime.loop().now();
    if (current != null) {
      return runtime.decider().decide(current, input, now);
    }
    if (input instanceof Input.InviteArrived first) {
      return runtime.decider().begin(key, first, now);
    }
    throw new IllegalStateException("Expected an INVITE as first input of " + key);
  }

  /** Nobody waits for what is done after the commit: nothing is. */
  private boolean isInNoHurry(Waiting waiting, Decision decision) {
    return decision.effects().isEmpty()
        && decision.beside().isEmpty()
        && isTimeLeft()
        && !waiting.mayBeRefused()
        && !waiting.onlyEnds();
  }

  /** Whether what is in no hurry is to wait for the beat. */
  private boolean isTimeLeft() {
    return claim == null && !releasing && inputs.isEmpty() && !beat.isNow();
  }

  /**
   * It is decided on the next beat, or before what comes next, as if it had come so late: of many
   * calls together that takes the store, and this node, less than of each by itself.
   */
  private void awaitBeat(Waiting waiting) {
    inputs.addFirst(waiting);
    beat.await(onBeat);
  }

  private static boolean asksMedia(Decision decision) {
    return decision.beside().stream().anyMatch(Effect.ApplyMedia.class::isInstance);
  }

  /**
   * The media node is asked, and what its answer leads to is committed with what led to the
   * question: one commit less. Nothing was said to a peer before, who says all again if this is
   * lost.
   */
  private void awaitMedia(Waiting waiting, Decision decision) {
    busy = true;
    first =
        new First(
            waiting,
            decision,
            runtime.loop().nowNs(),
            runtime.fence().term(),
            runtime.loop().schedule(MEDIA_FIRST, () -> commitFirst(Optional.empty())));
    effects.carryOut(decision.beside());
  }

  /**
   * @param answer of the media node; empty: it has not come in time
   */
  private void commitFirst(Optional<Input.MediaApplied> answer) {
    First due = first;
    if (due == null) {
      return;
    }
    first = null;
    due.timer().cancel();
    if (runtime.fence().term() != due.term()) {
      // The caller's repeats may have begun the call elsewhere; if not, media is asked again.
      busy = false;
      inputs.addFirst(due.waiting());
      gone();
      return;
    }
    commit(
        due.waiting(),
        answer.map(each -> then(due.decision(), each)).orElse(due.decision()),
        due.sinceNs());
  }

  /** Both as one. What cannot be decided is so again, and told, once the first is committed. */
  private Decision then(Decision begun, Input.MediaApplied answer) {
    try {
      Decision next = decide(begun.call().orElseThrow(), answer);
      effects.carryOut(next.beside());
      return begun.then(next);
    } catch (RuntimeException e) {
      inputs.addFirst(runtime.own(answer));
      return begun;
    }
  }

  private void commit(Waiting waiting, Decision decision) {
    effects.carryOut(decision.beside());
    commit(waiting, decision, runtime.loop().nowNs());
  }

  private void commit(Waiting waiting, Decision decision, long sinceNs) {
    busy = true;
    OptionalLong epoch = claim == null ? OptionalLong.empty() : OptionalLong.of(claim.epoch());
    PendingCommit pending =
        PendingCommit.of(
            runtime, key, held.current(), epoch, waiting, decision.after(untold), sinceNs);
    underWay = pending;
    send(pending);
  }

  private void send(PendingCommit pending) {
    if (closed) {
      return;
    }
    long asked = runtime.fence().term();
    runtime.store().commit(pending.commit(), answer -> answered(pending, asked, answer));
  }

  private void answered(PendingCommit pending, long asked, CommitAnswer<Call> answer) {
    if (closed) {
      return;
    }
    if (answer instanceof CommitAnswer.Unknown<Call>) {
      unanswered(pending);
      return;
    }
    underWay = null;
    overdue = null;
    Waiting waiting = pending.waiting();
    switch (answer) {
      case CommitAnswer.Applied<Call> applied -> committed(pending, applied.version(), asked);
      case CommitAnswer.AlreadyApplied<Call> already ->
          committed(pending, already.version(), asked);
      case CommitAnswer.Conflict<Call> conflict -> {
        busy = false;
        conflicts++;
        if (pending.isRefused()) {
          conflicts = 0;
        } else if (conflicts < runtime.limits().commitAttempts()) {
          decideAgain(pending);
        } else {
          conflicts = 0;
          runtime.observer().dropped(key, CallObserver.Drop.CONTENDED);
          giveUp(waiting, 503);
        }
        take(conflict.current(), asked);
      }
      case CommitAnswer.Gone<Call> gone -> {
        busy = false;
        if (!pending.isRefused()) {
          decideAgain(pending);
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
          effects.giveBack(pending);
        }
        putOff(pending);
        if (releasing && !closed) {
          leave();
        }
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
  private void unanswered(PendingCommit pending) {
    CallLimits limits = runtime.limits();
    if (pending.waiting().onlyEnds() && call != null) {
      effects.carryOut(pending.takeEnds());
    }
    Duration passed = pending.age(runtime.loop().nowNs());
    Duration soon = passed.plus(limits.commitRetry());
    if (soon.compareTo(limits.commitRetry().multipliedBy(limits.commitAttempts())) < 0) {
      runtime.loop().schedule(limits.commitRetry(), () -> send(pending));
    } else if (passed.compareTo(UNDECIDED) > 0) {
      underWay = null;
      overdue = null;
      putOff(pending);
    } else {
      overdue(pending);
      runtime.loop().schedule(TICK, () -> send(pending));
    }
  }

  private void overdue(PendingCommit pending) {
    if (overdue == null) {
      overdue = pending;
      runtime.observer().dropped(key, CallObserver.Drop.STORE_UNAVAILABLE);
      if (pending.waiting().mayBeRefused()) {
        pending.refuse();
        refuse(pending.waiting());
      }
    }
    attendWaiting();
  }

  /** The store is away: nothing that waits need wait for it where it may be done or refused. */
  private void attendWaiting() {
    goAhead();
    inputs.takeRefusable(runtime.loop().nowNs()).forEach(this::refuse);
  }

  private void refuse(Waiting waiting) {
    if (call == null) {
      runtime.refuse(waiting.input(), 503);
    } else {
      giveUp(waiting, 500);
    }
  }

  /** What cannot be done for a call that there is. */
  private void giveUp(Waiting waiting, int status) {
    if (waiting.isCopy()) {
      runtime.forget(waiting.input());
    } else {
      runtime.refuse(waiting.input(), status);
    }
  }

  /** It cannot be committed: who may ask again is told so, what must be done waits. */
  private void putOff(PendingCommit pending) {
    Waiting waiting = pending.waiting();
    busy = false;
    if (call == null) {
      if (!pending.isRefused()) {
        inputs.addFirst(waiting);
      }
      letGo().forEach(this::refuse);
    } else if (waiting.mayBeRefused()) {
      if (!pending.isRefused()) {
        refuse(waiting);
      }
      drain();
    } else {
      inputs.addAfterOwed(waiting);
      goAhead();
      startTicking();
    }
  }

  private void committed(PendingCommit pending, long version, long asked) {
    Waiting waiting = pending.waiting();
    Decision decision = pending.decision();
    held.stands(pending.standing(version), asked);
    call = decision.call().orElse(null);
    busy = false;
    conflicts = 0;
    untold.clear();
    if (waiting.input() instanceof Input.TakenOver) {
      runtime.counters().takenOver.increment();
      tell(TakeOver.Outcome.TAKEN);
    }
    if (!pending.commit().events().isEmpty()) {
      runtime.effects().publish(pending.commit().events());
    }
    for (CallHappening happening : decision.happenings()) {
      runtime.observer().happened(key, happening);
    }
    runtime.noteState(this, call);
    List<Effect> due = pending.effects();
    if (pending.isRefused() && call != null) {
      // It was told that it was not done, and so it is not; of a call that has ended with it, what
      // was taken is given back all the same.
      due = EndEffects.givingBack(due);
      TakeBack.of(waiting.input(), call)
          .reversed()
          .forEach(each -> inputs.addFirst(runtime.owed(each)));
    }
    if (isIdle()) {
      runtime.quiet().settled(key);
    }
    if (call != null && !held.maySend()) {
      // It stands in the record, and may have been taken over from there.
      effects.withhold(due);
      toBeRead = true;
      freeze();
      return;
    }
    effects.carryOut(due);
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

  private void syncTimers() {
    timers.sync(call == null ? Collections.emptyMap() : held.timers(call));
  }

  /** A defect of ours: the call is ended in order once, and dropped if that fails too. */
  private void failed(String where, RuntimeException defect) {
    runtime.observer().defect(key, where, defect);
    if (defective || call == null) {
      close();
    } else {
      defective = true;
      inputs.addFirst(runtime.own(new Input.HangUp(Reason.INTERNAL_ERROR)));
      // What was done on the beat is followed by nothing.
      runtime.loop().execute(this::drain);
    }
  }

  private void close() {
    closed = true;
    inputs.takeAll();
    call = null;
    held.forget();
    stop();
    tell(TakeOver.Outcome.FAILED);
    runtime.closed(key, this);
  }

  private void stop() {
    effects.stop();
    timers.stop();
    if (tick != null) {
      tick.cancel();
      tick = null;
    }
    beat.stop(onBeat);
    if (first != null) {
      first.timer().cancel();
      first = null;
    }
  }

  /** Whether the call is up, nobody owns it, and all that is known of it is in its record. */
  boolean isIdle() {
    return call != null
        && !busy
        && inputs.isEmpty()
        && call.isQuiescent()
        && held.isNobodys()
        && held.says(call);
  }

  /**
   * Whether nothing is done for the call before something comes for it: it is quiet, or only
   * repeats are still answered, whoever hears them.
   */
  private boolean mayFold() {
    return call != null
        && !busy
        && !closed
        && !releasing
        && claim == null
        && tick == null
        && inputs.isEmpty()
        && (call.isTombstone() || call.isQuiescent())
        && held.isNobodys()
        && held.says(call)
        && !effects.isBusy();
  }

  /** Makes room: the call is kept as octets. */
  private void fold() {
    Versioned<Call> current = held.current().orElseThrow();
    closed = true;
    call = null;
    held.forget();
    stop();
    if (current.record().isTombstone()) {
      runtime.ended(key, this, current);
    } else {
      runtime.settled(key, this, current, readNs);
    }
  }

  /**
   * The other way: something has come for a call that this node has kept as octets.
   *
   * @param sinceNs when the record was asked for, or later
   */
  void unfold(Versioned<Call> current, long sinceNs) {
    open(current, runtime.fence().term());
    readNs = sinceNs;
    syncTimers();
  }

  /** Leaves the memory; the call goes on in the store. */
  void evict() {
    closed = true;
    stop();
  }

  CallKey key() {
    return key;
  }

  Optional<Call> current() {
    return Optional.ofNullable(call);
  }

  /** Whether the record names this node, and all that it has asked for since has been done. */
  boolean isInHand() {
    return isOwned() && !effects.withholds();
  }

  /** Whether the record names this node. */
  boolean isOwned() {
    return held.isOurs();
  }
}
