package io.sippbx.control.call;

import io.sippbx.control.cluster.Fence;
import io.sippbx.control.cluster.Roster;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.cluster.TakeOver;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
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
  private final Fence fence;
  private final Forwarder forwarder;
  private final QuietCalls quiet;
  private final EndedCalls ended;
  private final Map<CallKey, CallMailbox> mailboxes = new LinkedHashMap<>();
  private final Unhurried unhurried;
  private final Beat beat;
  private boolean withdrawn;
  private boolean gone;

  /** The calls of {@code loop}, on which {@code store} and {@code effects} answer. */
  public CallRuntime(Loop loop, CallStore<Call> store, CallEffects effects, CallShared shared) {
    this.loop = loop;
    this.store = store;
    this.effects = effects;
    this.shared = shared;
    this.fence = new Fence(loop, shared.ownership().lease(), this::reopened);
    this.forwarder = new Forwarder(this);
    this.quiet = new QuietCalls(loop, shared.limits().quietCalls(), this::evict, this::look);
    this.ended = new EndedCalls(loop, shared.limits().endedCalls());
    this.beat = new Beat(loop, shared.limits().unhurried());
    this.unhurried = new Unhurried(loop, beat, this::takeUp);
  }

  /** What this loop did not send because it may have been another's to send. */
  public Fence sending() {
    return fence;
  }

  /** Whether this node holds the call now. */
  public boolean holds(CallKey call) {
    return mailboxes.containsKey(call) || isFolded(call);
  }

  private boolean isFolded(CallKey call) {
    return ended.contains(call) || quiet.contains(call);
  }

  /**
   * Whether this node has the call in flight with its transactions open: a response for which none
   * of them waits is then of no use. It is of use where the record is still being read, or the call
   * is about to be taken over.
   */
  public boolean isInHand(CallKey call) {
    CallMailbox mailbox = mailboxes.get(call);
    return mailbox != null && mailbox.isInHand();
  }

  /** The call as this node holds it now. */
  public Optional<Call> call(CallKey call) {
    CallMailbox mailbox = mailboxes.get(call);
    if (mailbox != null) {
      return mailbox.current();
    }
    return ended
        .get(call)
        .or(() -> quiet.get(call).map(QuietCalls.Settled::call))
        .map(FoldedCall::record);
  }

  /** Calls held, tombstones among them. */
  public int size() {
    return mailboxes.size() + ended.size() + quiet.size();
  }

  /** The mailbox of a call that this node holds; made again for one that was folded. */
  private @Nullable CallMailbox mailbox(CallKey call) {
    CallMailbox mailbox = mailboxes.get(call);
    if (mailbox != null) {
      return mailbox;
    }
    return ended
        .take(call)
        .map(tombstone -> unfold(call, tombstone, loop.nowNs()))
        .or(() -> quiet.take(call).map(settled -> unfold(call, settled.call(), settled.readNs())))
        .orElse(null);
  }

  private CallMailbox unfold(CallKey call, FoldedCall folded, long readNs) {
    var unfolded = new CallMailbox(call, this);
    mailboxes.put(call, unfolded);
    unfolded.unfold(folded.unfold(call, store), readNs);
    return unfolded;
  }

  /** The first INVITE of a call that this node does not hold. */
  public void begin(CallKey call, Input.InviteArrived input, Received received) {
    if (!holds(call) && (withdrawn || fence.term() == SendLease.NONE)) {
      find(
          call,
          found -> {
            if (found == Found.YES) {
              offerOrRead(call, input, received, absent -> unserved(call, input));
            } else {
              unserved(call, input);
            }
          });
      return;
    }
    CallMailbox mailbox = mailbox(call);
    if (mailbox == null) {
      mailbox = new CallMailbox(call, this);
      mailboxes.put(call, mailbox);
    }
    mailbox.offer(waiting(input, Optional.of(received), absent -> begin(call, input, received)));
  }

  /** The INVITE of no call that anybody has, where this node takes none. */
  private void unserved(CallKey call, Input.InviteArrived input) {
    shared.active().note(call, false);
    if (input.leased()) {
      effects.giveLeaseBack(call, () -> {});
    }
    refuse(input, 503);
  }

  /** Whether there is a call of some key. */
  public enum Found {
    YES,
    NO,
    /** The store does not say. */
    UNTOLD
  }

  /**
   * Looks whether any node has such a call. Answered on the loop, inline for a call that this node
   * holds or is about to read.
   */
  public void find(CallKey call, Consumer<Found> answer) {
    if (holds(call)) {
      answer.accept(Found.YES);
      return;
    }
    store.read(
        call,
        said ->
            answer.accept(
                switch (said) {
                  case ReadAnswer.Found<Call> there -> Found.YES;
                  case ReadAnswer.Absent<Call> none -> Found.NO;
                  case ReadAnswer.Unavailable<Call> away -> Found.UNTOLD;
                }));
  }

  /** An input for a call that exists or is gone: in the second case it is dropped. Any thread. */
  public void offer(CallKey call, Input input) {
    if (loop.inLoop()) {
      CallMailbox mailbox = mailbox(call);
      if (mailbox != null) {
        mailbox.offer(own(input));
      }
    } else {
      loop.execute(() -> offer(call, input));
    }
  }

  /**
   * An input from the network. If this node does not hold the call, its record is read; if the call
   * is another's, that one is given the message.
   *
   * @param absent is given the input when there is no such call
   */
  public void offerOrRead(CallKey call, Input input, Received received, Consumer<Input> absent) {
    offerOrRead(call, waiting(input, Optional.of(received), absent));
  }

  /**
   * The same for a response for which no transaction waits. If the call is taken over for it, its
   * transactions are made anew, and the one that it answers is given it first: else it would send
   * its request again to a peer that has answered.
   */
  public void offerStray(
      CallKey call, Input.ResponseArrived input, Received received, Consumer<Input> absent) {
    offerOrRead(call, new Waiting(input, Optional.of(received), absent, loop.nowNs(), true, false));
  }

  void offerOrRead(CallKey call, Waiting waiting) {
    if (waiting.isUnhurried() && !withdrawn) {
      unhurried.add(call, waiting);
    } else {
      unhurried.takeUp(call);
      takeUp(call, waiting);
    }
  }

  private void takeUp(CallKey call, Waiting waiting) {
    CallMailbox mailbox = mailbox(call);
    if (mailbox == null) {
      mailbox = new CallMailbox(call, this);
      mailboxes.put(call, mailbox);
      mailbox.read();
    }
    mailbox.offer(waiting);
  }

  /**
   * Goes on with a call that was in flight on a dead member, if its record says so. Any thread.
   *
   * @param told is called once, on the loop
   */
  public void takeOver(TakeOver.Orphan orphan, Consumer<TakeOver.Outcome> told) {
    loop.execute(
        () -> {
          if (ended.contains(orphan.call())) {
            told.accept(TakeOver.Outcome.NOT_ITS);
            return;
          }
          CallMailbox mailbox = mailboxes.get(orphan.call());
          if (mailbox != null) {
            // What has it in hand already reads the same record.
            told.accept(mailbox.isOwned() ? TakeOver.Outcome.NOT_ITS : TakeOver.Outcome.FAILED);
            return;
          }
          // As it was when it was quiet here last: another had taken it up since.
          quiet.forget(orphan.call());
          var fresh = new CallMailbox(orphan.call(), this);
          mailboxes.put(orphan.call(), fresh);
          fresh.claim(new CallMailbox.Claim(orphan.dead(), orphan.epoch(), told));
          fresh.read();
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
    // Where the call has an owner by now, its commit has taken the timer out of the store.
    loop.execute(() -> offerOrRead(call, own(new Input.TimerFired(timer))));
  }

  /** A term of the lease has begun. */
  private void reopened(long term) {
    List.copyOf(mailboxes.values()).forEach(CallMailbox::reopened);
  }

  /**
   * Takes no call any more, and lets each go that it has: as soon as what is under way is
   * committed, whoever reads its record may go on with it. On the loop.
   */
  public void release() {
    unhurried.takeUp();
    withdrawn = true;
    ended.clear();
    for (CallKey each : quiet.folded()) {
      quiet.forget(each);
      shared.active().note(each, false);
    }
    List.copyOf(mailboxes.values()).forEach(CallMailbox::release);
  }

  /** Whether a call of this loop is named this node's own by its record. On the loop. */
  public boolean ownsCalls() {
    for (CallMailbox mailbox : mailboxes.values()) {
      if (mailbox.isOwned()) {
        return true;
      }
    }
    return false;
  }

  /**
   * The calls that this node alone may go on with, and whose media is on {@code node}. On the loop.
   */
  public List<CallKey> ownedOn(NodeId node) {
    var owned = new ArrayList<CallKey>();
    for (CallMailbox mailbox : mailboxes.values()) {
      if (mailbox.isOwned()
          && mailbox.current().filter(each -> each.media().isOn(node)).isPresent()) {
        owned.add(mailbox.key());
      }
    }
    return owned;
  }

  /** This node has gone from the cluster: its calls are free to be taken. On the loop. */
  public void gone() {
    gone = true;
  }

  /** Who is to have what this node takes no more, once that may be taken. */
  Optional<Member> heir(CallKey call) {
    return gone
        ? shared
            .ownership()
            .roster()
            .keeper(Partition.of(call))
            .filter(heir -> !heir.equals(self()))
        : Optional.empty();
  }

  /** Whether this node takes no call any more. */
  boolean isWithdrawn() {
    return withdrawn;
  }

  /** Whether a message of this call should be given to {@code member}, who seems to have it. */
  public boolean isElsewhere(CallKey call, Member member) {
    CallMailbox mailbox = mailboxes.get(call);
    // A call that was quiet when it was here last may be in another's hands by now.
    boolean mayBeHere = mailbox != null && (mailbox.isOwned() || mailbox.current().isEmpty());
    return !mayBeHere && standing(member) == Roster.Standing.PRESENT;
  }

  /**
   * Gives a message to a member without a look at the record.
   *
   * @param failed what is done here, on the loop, where it cannot be given
   */
  public void give(Member member, Received received, Runnable failed) {
    mesh()
        .deliver(
            member,
            received.message(),
            received.flow(),
            received.hops(),
            delivery -> {
              switch (delivery) {
                case DELIVERED -> counters().handedOver.increment();
                case FAILED -> loop.execute(failed);
              }
            });
  }

  private Waiting waiting(Input input, Optional<Received> received, Consumer<Input> absent) {
    return new Waiting(input, received, absent, loop.nowNs(), false, false);
  }

  /** What {@code done}, which went ahead, has told the caller: for whoever has the call. */
  Waiting refusedAhead(SipResponse refusal, Waiting done) {
    return new Waiting(
        new Input.RefusedAhead(refusal),
        done.received().map(by -> new Received(refusal, by.flow(), by.hops())),
        absent -> {},
        done.sinceNs(),
        false,
        true);
  }

  /** An input of this node's own making. */
  Waiting own(Input input) {
    return waiting(input, Optional.empty(), absent -> {});
  }

  /** The same, of what a peer was told before it was written. */
  Waiting owed(Input input) {
    return new Waiting(input, Optional.empty(), absent -> {}, loop.nowNs(), false, true);
  }

  /** What is told of a call's media, which this node has, or nobody; else likewise. Any thread. */
  public void mediaHappened(MediaEvent event) {
    loop.execute(() -> offerOrRead(event.call(), own(new Input.MediaHappened(event))));
  }

  /** Ends a call that this node has, or that nobody has; else it is for its owner. Any thread. */
  public void hangUp(CallKey call, Reason reason) {
    loop.execute(() -> offerOrRead(call, own(new Input.HangUp(reason))));
  }

  /** Ends every call of this loop, for a shutdown that hands nothing over. */
  public void hangUpAll(Reason reason) {
    unhurried.takeUp();
    quiet.folded().forEach(this::mailbox);
    for (CallMailbox mailbox : List.copyOf(mailboxes.values())) {
      mailbox.offer(own(new Input.HangUp(reason)));
    }
  }

  /**
   * Whether no call of this loop has anything more to say to its peers: each has ended, its end is
   * told, its BYEs are answered and no callee is still to be cancelled. Repeats are not counted.
   */
  public boolean isQuiet() {
    if (quiet.size() > 0) {
      return false;
    }
    for (CallMailbox mailbox : mailboxes.values()) {
      if (mailbox.current().filter(call -> !isQuiet(call)).isPresent()) {
        return false;
      }
    }
    return true;
  }

  private static boolean isQuiet(Call call) {
    return call.endPublished() && call.byes().isEmpty() && !CalleeLeg.isAnyOpen(call.callees());
  }

  /** An input cannot be served: it is answered where it has a transaction. */
  void refuse(Input input, int status) {
    switch (input) {
      case Input.InviteArrived in ->
          effects.respond(
              in.transaction(), Messages.refusal(in.invite(), status), SendPermit.ALWAYS);
      case Input.RequestArrived in ->
          effects.respond(
              in.transaction(), Messages.refusal(in.request(), status), SendPermit.ALWAYS);
      case Input.AckArrived in -> {}
      case Input.RefusalAcknowledged in -> {}
      case Input.ResponseArrived in -> {}
      case Input.RequestFailed in -> {}
      case Input.TimerFired in -> {}
      case Input.MediaApplied in -> {}
      case Input.MediaReleased in -> {}
      case Input.MediaPlaced in -> {}
      case Input.LeaseGivenBack in -> {}
      case Input.MediaHappened in -> {}
      case Input.TakenOver in -> {}
      case Input.RefusedAhead in -> {}
      case Input.HangUp in -> {}
    }
  }

  /** The transactions of an input that another node answers. */
  void forget(Input input) {
    switch (input) {
      case Input.InviteArrived in -> effects.forget(in.transaction());
      case Input.RequestArrived in -> effects.forget(in.transaction());
      case Input.AckArrived in -> {}
      case Input.RefusalAcknowledged in -> {}
      case Input.ResponseArrived in -> {}
      case Input.RequestFailed in -> {}
      case Input.TimerFired in -> {}
      case Input.MediaApplied in -> {}
      case Input.MediaReleased in -> {}
      case Input.MediaPlaced in -> {}
      case Input.LeaseGivenBack in -> {}
      case Input.MediaHappened in -> {}
      case Input.TakenOver in -> {}
      case Input.RefusedAhead in -> {}
      case Input.HangUp in -> {}
    }
  }

  /** The requests of peers that this call has open: their repeats are another's. */
  void forget(Call call) {
    effects.forget(call.caller().transaction());
    call.reinvite().ifPresent(reinvite -> effects.forget(reinvite.transaction()));
    call.relayed().forEach(relayed -> effects.forget(relayed.transaction()));
  }

  void noteState(CallMailbox mailbox, @Nullable Call call) {
    boolean isActive = call != null && call.termination().isEmpty();
    shared.active().note(mailbox.key(), isActive);
  }

  Beat beat() {
    return beat;
  }

  QuietCalls quiet() {
    return quiet;
  }

  private void evict(CallKey call) {
    CallMailbox mailbox = mailboxes.get(call);
    if (mailbox != null && mailbox.isIdle()) {
      mailbox.evict();
      mailboxes.remove(call);
      store.released(call);
      quiet.isAway(call);
    }
  }

  /** A call that is counted here may have been ended elsewhere. */
  private void look(CallKey call) {
    if (holds(call)) {
      return;
    }
    store.read(
        call,
        answer -> {
          boolean goesOn =
              switch (answer) {
                case ReadAnswer.Found<Call>(Versioned<Call> found) ->
                    found.owner().isEmpty() && found.record().termination().isEmpty();
                case ReadAnswer.Absent<Call> none -> false;
                case ReadAnswer.Unavailable<Call> unavailable -> true;
              };
          if (holds(call)) {
            return;
          }
          if (goesOn) {
            quiet.isAway(call);
          } else {
            // Ended, or counted by who owns it now.
            shared.active().note(call, false);
          }
        });
  }

  void closed(CallKey call, CallMailbox mailbox) {
    quiet.forget(call);
    shared.active().note(call, false);
    mailboxes.remove(call, mailbox);
    store.released(call);
  }

  /** A call is a tombstone that nobody owns: it is kept as octets, here and by the store. */
  void ended(CallKey call, CallMailbox mailbox, Versioned<Call> current) {
    Instant until =
        current.record().timers().getOrDefault(TimerId.of(TimerId.Kind.TOMBSTONE), loop.now());
    ended.put(call, FoldedCall.fold(call, current, shared.codec(), store), until);
    closed(call, mailbox);
  }

  /** A call is up and nobody owns it: likewise. */
  void settled(CallKey call, CallMailbox mailbox, Versioned<Call> current, long readNs) {
    mailboxes.remove(call, mailbox);
    FoldedCall folded = FoldedCall.fold(call, current, shared.codec(), store);
    quiet.settled(call, new QuietCalls.Settled(folded, readNs));
  }

  CommitId nextCommitId() {
    return new CommitId(shared.commitIds().getAsLong());
  }

  Member self() {
    return shared.ownership().self();
  }

  Roster.Standing standing(Member member) {
    return shared.ownership().roster().of(member);
  }

  Mesh mesh() {
    return shared.ownership().mesh();
  }

  Fence fence() {
    return fence;
  }

  Forwarder forwarder() {
    return forwarder;
  }

  RoutingCounters counters() {
    return shared.counters();
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
