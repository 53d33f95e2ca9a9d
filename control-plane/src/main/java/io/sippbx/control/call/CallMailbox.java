package io.sippbx.control.call;

import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a call on this node: takes one input, decides, commits, runs the effects, takes
 * the next. While a commit is under way inputs wait, within a bound. Lives on the call's loop.
 */
final class CallMailbox {

  private final CallKey key;
  private final CallRuntime runtime;
  private final Deque<Input> inputs = new ArrayDeque<>();
  private final Map<TimerId, Scheduled> timers = new TreeMap<>();
  private final Map<ServerTransactionId, SuccessRepeater> repeaters = new LinkedHashMap<>();
  private @Nullable Call call;

  /** The record as it stands in the store, as far as this node knows. */
  private Optional<Versioned<Call>> stored = Optional.empty();

  private boolean busy;
  private boolean closed;
  private boolean defective;

  private record Scheduled(Instant deadline, Loop.Timer timer) {}

  CallMailbox(CallKey key, CallRuntime runtime) {
    this.key = key;
    this.runtime = runtime;
  }

  /** Takes up a record that was read from the store. */
  void load(Versioned<Call> current) {
    call = current.record();
    stored = Optional.of(current);
    busy = false;
    if (!current.record().isQuiescent() && !current.record().isTombstone()) {
      // Whoever had it open has it open no more: that is taken up before anything else happens.
      inputs.addFirst(new Input.TakenOver());
    } else {
      syncTimers();
    }
    runtime.noteState(this, call);
    drain();
  }

  /** The store was asked for the record: inputs wait. */
  void waitForRecord() {
    busy = true;
  }

  /** There is no record: what waited is given back. */
  List<Input> abandon() {
    var waiting = List.copyOf(inputs);
    close();
    return waiting;
  }

  @Nullable Call call() {
    return call;
  }

  void offer(Input input) {
    if (inputs.size() >= runtime.limits().mailboxInputs()) {
      runtime.observer().dropped(key, CallObserver.Drop.MAILBOX_FULL);
      return;
    }
    inputs.add(input);
    drain();
  }

  private void drain() {
    while (!busy && !closed && !inputs.isEmpty()) {
      process(inputs.remove(), 1);
    }
  }

  private void process(Input input, int attempt) {
    Decision decision;
    try {
      decision = decide(input);
    } catch (RuntimeException e) {
      runtime.refuse(input, 500);
      failed("decide", e);
      return;
    }
    if (decision.commit() == Decision.Commit.NOW) {
      commit(input, decision, attempt);
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

  private void commit(Input input, Decision decision, int attempt) {
    CommitId id = runtime.nextCommitId();
    List<CallHappening> happenings = decision.happenings();
    List<CallEvent> events =
        decision
            .call()
            .map(
                next ->
                    runtime
                        .encoder()
                        .encode(
                            key,
                            id.toString(),
                            next.counters().events() - happenings.size() + 1,
                            runtime.loop().now(),
                            happenings))
            .orElse(List.of());
    Optional<Call> next = decision.call();
    Instant now = runtime.loop().now();
    var commit =
        new CallCommit<>(
            key,
            stored,
            id,
            next,
            events,
            next.map(each -> CallPlaces.index(each, runtime.self())).orElse(CallIndex.NONE),
            next.map(each -> CallPlaces.keep(each, now)).orElse(CallCommit.LAST_RESORT),
            OptionalLong.empty());
    busy = true;
    carryOut(decision.beside());
    send(commit, input, decision, attempt, 1);
  }

  private void send(
      CallCommit<Call> commit, Input input, Decision decision, int attempt, int sending) {
    runtime
        .store()
        .commit(commit, answer -> answered(commit, input, decision, attempt, sending, answer));
  }

  private void answered(
      CallCommit<Call> commit,
      Input input,
      Decision decision,
      int attempt,
      int sending,
      CommitAnswer<Call> answer) {
    switch (answer) {
      case CommitAnswer.Applied<Call> applied -> committed(decision, commit, applied.version());
      case CommitAnswer.AlreadyApplied<Call> already ->
          committed(decision, commit, already.version());
      case CommitAnswer.Conflict<Call> conflict -> {
        call = conflict.current().record();
        stored = Optional.of(conflict.current());
        busy = false;
        if (attempt >= runtime.limits().commitAttempts()) {
          runtime.observer().dropped(key, CallObserver.Drop.CONTENDED);
        } else {
          process(input, attempt + 1);
        }
        drain();
      }
      case CommitAnswer.Gone<Call> gone -> close();
      case CommitAnswer.Fenced<Call> fenced -> close();
      case CommitAnswer.Unknown<Call> unknown -> {
        if (sending < runtime.limits().commitAttempts()) {
          runtime
              .loop()
              .schedule(
                  runtime.limits().commitRetry(),
                  () -> send(commit, input, decision, attempt, sending + 1));
        } else {
          runtime.observer().dropped(key, CallObserver.Drop.STORE_UNAVAILABLE);
          runtime.refuse(input, 503);
          if (call == null) {
            close();
          } else {
            busy = false;
            drain();
          }
        }
      }
    }
  }

  private void committed(Decision decision, CallCommit<Call> commit, long version) {
    stored =
        commit
            .record()
            .map(next -> new Versioned<>(version, commit.id(), next, commit.index().owner()));
    call = decision.call().orElse(null);
    busy = false;
    if (!commit.events().isEmpty()) {
      runtime.effects().publish(commit.events());
    }
    for (CallHappening happening : decision.happenings()) {
      runtime.observer().happened(key, happening);
    }
    carryOut(decision.effects());
    if (call == null) {
      close();
    } else {
      syncTimers();
    }
    runtime.noteState(this, call);
    drain();
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
      case Effect.Respond respond -> world.respond(respond.transaction(), respond.response());
      case Effect.RespondUntilAck until -> {
        SuccessRepeater old =
            repeaters.put(
                until.transaction(),
                SuccessRepeater.start(
                    runtime.loop(),
                    runtime.timers(),
                    () -> world.respond(until.transaction(), until.response())));
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
      case Effect.Request request -> world.request(request.request(), request.to());
      case Effect.ResumeServer resume ->
          world.resumeServer(resume.transaction(), resume.flow(), resume.lastResponse());
      case Effect.ResumeClient resume ->
          world.resumeClient(resume.request(), resume.to(), resume.remaining());
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

  /** The loop's timers are those of the record. */
  private void syncTimers() {
    Map<TimerId, Instant> wanted = call == null ? Collections.emptyMap() : call.timers();
    Iterator<Map.Entry<TimerId, Scheduled>> running = timers.entrySet().iterator();
    while (running.hasNext()) {
      Map.Entry<TimerId, Scheduled> each = running.next();
      if (!each.getValue().deadline().equals(wanted.get(each.getKey()))) {
        each.getValue().timer().cancel();
        running.remove();
      }
    }
    if (call == null) {
      return;
    }
    Instant now = runtime.loop().now();
    for (Map.Entry<TimerId, Instant> each : call.timers().entrySet()) {
      TimerId id = each.getKey();
      if (!timers.containsKey(id)) {
        Loop.Timer timer =
            runtime
                .loop()
                .schedule(
                    java.time.Duration.between(now, each.getValue()),
                    () -> {
                      timers.remove(id);
                      offer(new Input.TimerFired(id));
                    });
        timers.put(id, new Scheduled(each.getValue(), timer));
      }
    }
  }

  /** A defect of ours: the call is ended in order once, and dropped if that fails too. */
  private void failed(String where, RuntimeException defect) {
    runtime.observer().defect(key, where, defect);
    if (defective || call == null) {
      close();
    } else {
      defective = true;
      inputs.addFirst(new Input.HangUp(Reason.INTERNAL_ERROR));
    }
  }

  private void close() {
    closed = true;
    inputs.clear();
    call = null;
    for (Scheduled each : timers.values()) {
      each.timer().cancel();
    }
    timers.clear();
    for (SuccessRepeater each : repeaters.values()) {
      each.stop();
    }
    repeaters.clear();
    runtime.closed(key, this);
  }

  CallKey key() {
    return key;
  }

  Optional<Call> current() {
    return Optional.ofNullable(call);
  }
}
