package io.sippbx.control.call;

import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one loop: a mailbox for each live call. Lives on its loop, but for {@link #offer},
 * which may be called from any thread.
 */
public final class CallRuntime {

  private final Loop loop;
  private final CallStore<Call> store;
  private final CallEffects effects;
  private final CallShared shared;
  private final Map<CallKey, CallMailbox> mailboxes = new LinkedHashMap<>();

  /** The calls of {@code loop}, on which {@code store} and {@code effects} answer. */
  public CallRuntime(Loop loop, CallStore<Call> store, CallEffects effects, CallShared shared) {
    this.loop = loop;
    this.store = store;
    this.effects = effects;
    this.shared = shared;
  }

  /** Whether this node holds the call now. */
  public boolean holds(CallKey call) {
    return mailboxes.containsKey(call);
  }

  /** The call as this node holds it now. */
  public Optional<Call> call(CallKey call) {
    CallMailbox mailbox = mailboxes.get(call);
    return mailbox == null ? Optional.empty() : mailbox.current();
  }

  /** Calls held, tombstones among them. */
  public int size() {
    return mailboxes.size();
  }

  /** The first INVITE of a call that this node does not hold. */
  public void begin(CallKey call, Input.InviteArrived input) {
    mailboxes.computeIfAbsent(call, key -> new CallMailbox(key, this)).offer(input);
  }

  /** An input for a call that exists or is gone: in the second case it is dropped. Any thread. */
  public void offer(CallKey call, Input input) {
    if (loop.inLoop()) {
      CallMailbox mailbox = mailboxes.get(call);
      if (mailbox != null) {
        mailbox.offer(input);
      }
    } else {
      loop.execute(() -> offer(call, input));
    }
  }

  /**
   * An input from the network: if this node does not hold the call, its record is read.
   *
   * @param absent is given the input when there is no such call
   */
  public void offerOrRead(CallKey call, Input input, Consumer<Input> absent) {
    CallMailbox mailbox = mailboxes.get(call);
    if (mailbox != null) {
      mailbox.offer(input);
      return;
    }
    var fresh = new CallMailbox(call, this);
    mailboxes.put(call, fresh);
    fresh.waitForRecord();
    fresh.offer(input);
    store.read(
        call,
        answer -> {
          switch (answer) {
            case ReadAnswer.Found<Call> found -> fresh.load(found.current());
            case ReadAnswer.Absent<Call> none -> fresh.abandon().forEach(absent);
            case ReadAnswer.Unavailable<Call> unavailable ->
                fresh.abandon().forEach(each -> refuse(each, 503));
          }
        });
  }

  /**
   * Goes on with a call that was in flight on a node that is dead, or on this one before it was
   * started again. One that this node holds, or that nobody has open, is left alone. Any thread.
   */
  public void takeOver(CallKey call) {
    loop.execute(
        () -> {
          if (mailboxes.containsKey(call)) {
            return;
          }
          var fresh = new CallMailbox(call, this);
          mailboxes.put(call, fresh);
          fresh.waitForRecord();
          store.read(
              call,
              answer -> {
                switch (answer) {
                  case ReadAnswer.Found<Call> found -> fresh.load(found.current());
                  case ReadAnswer.Absent<Call> none -> fresh.abandon();
                  // Its keeper asks again: it is in flight still.
                  case ReadAnswer.Unavailable<Call> unavailable ->
                      fresh.abandon().forEach(each -> refuse(each, 503));
                }
              });
        });
  }

  /**
   * A long timer that the store held is due. Its call is read if this node does not hold it; one of
   * a kind that this node does not know is left to a newer node. Any thread.
   */
  public void timerDue(CallKey call, String name) {
    TimerId timer;
    try {
      timer = TimerId.named(name);
    } catch (IllegalArgumentException e) {
      return;
    }
    loop.execute(() -> offerOrRead(call, new Input.TimerFired(timer), absent -> {}));
  }

  /** Ends every call of this loop, for a shutdown that hands nothing over. */
  public void hangUpAll(Reason reason) {
    for (CallMailbox mailbox : List.copyOf(mailboxes.values())) {
      mailbox.offer(new Input.HangUp(reason));
    }
  }

  /**
   * Whether no call of this loop has anything more to say to its peers: each has ended, its end is
   * told, its BYEs are answered and no callee is still to be cancelled. Repeats are not counted.
   */
  public boolean isQuiet() {
    for (CallMailbox mailbox : mailboxes.values()) {
      if (mailbox.current().filter(call -> !isQuiet(call)).isPresent()) {
        return false;
      }
    }
    return true;
  }

  private static boolean isQuiet(Call call) {
    return call.endPublished()
        && call.byes().isEmpty()
        && call.callees().stream().noneMatch(leg -> leg.state().isOpen());
  }

  /** An input cannot be served: it is answered where it has a transaction. */
  void refuse(Input input, int status) {
    switch (input) {
      case Input.InviteArrived in ->
          effects.respond(in.transaction(), Messages.refusal(in.invite(), status));
      case Input.RequestArrived in ->
          effects.respond(in.transaction(), Messages.refusal(in.request(), status));
      case Input.AckArrived in -> {}
      case Input.ResponseArrived in -> {}
      case Input.RequestFailed in -> {}
      case Input.TimerFired in -> {}
      case Input.MediaApplied in -> {}
      case Input.MediaReleased in -> {}
      case Input.MediaPlaced in -> {}
      case Input.LeaseGivenBack in -> {}
      case Input.MediaHappened in -> {}
      case Input.TakenOver in -> {}
      case Input.HangUp in -> {}
    }
  }

  void noteState(CallMailbox mailbox, @Nullable Call call) {
    boolean isActive = call != null && call.termination().isEmpty();
    shared.active().note(mailbox.key(), isActive);
  }

  void closed(CallKey call, CallMailbox mailbox) {
    shared.active().note(call, false);
    mailboxes.remove(call, mailbox);
  }

  CommitId nextCommitId() {
    return new CommitId(shared.commitIds().getAsLong());
  }

  Member self() {
    return shared.self();
  }

  Loop loop() {
    return loop;
  }

  CallStore<Call> store() {
    return store;
  }

  CallDecider decider() {
    return shared.decider();
  }

  CallEffects effects() {
    return effects;
  }

  CallEventEncoder encoder() {
    return shared.encoder();
  }

  CallObserver observer() {
    return shared.observer();
  }

  CallLimits limits() {
    return shared.limits();
  }

  TimerSettings timers() {
    return shared.timers();
  }
}
