package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.transaction.InviteServerTransaction.Action;
import io.sippbx.control.sip.transaction.InviteServerTransaction.Event;
import io.sippbx.control.sip.transaction.InviteServerTransaction.State;
import io.sippbx.control.sip.transaction.InviteServerTransaction.Step;
import io.sippbx.control.sip.transaction.InviteServerTransaction.Timer;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Runs an {@link InviteServerTransaction}. */
@SuppressWarnings("EnumOrdinal") // the slot of a timer; nothing is stored by it
final class OpenInviteServer extends OpenServer {

  private static final Timer[] TIMERS = Timer.values();

  private final InviteServerTransaction machine;
  private State state;

  /** What is done now is no answer to anything. */
  private boolean byItself;

  /** Of the final response; only where an ACK is matched by it. */
  private @Nullable Tag toTag;

  OpenInviteServer(
      TransactionLayer layer, InviteServerTransaction machine, ServerTransactionId id, Flow flow) {
    super(layer, Counters.Kind.INVITE_SERVER, TIMERS.length, id, flow);
    this.machine = machine;
    this.state = new State.Terminated();
  }

  @Override
  void start(SipRequest request) {
    run(machine.start(), request, flow(), null);
  }

  @Override
  void resume(@Nullable SipResponse last) {
    if (last == null) {
      run(machine.resume(), null, null, null);
    } else {
      keep(last);
      run(machine.resume(last.status()), null, null, null);
    }
  }

  @Override
  boolean respond(SipResponse response) {
    Step step = machine.next(state, new Event.Respond(response.status()));
    if (step.actions().isEmpty()) {
      return false;
    }
    if (state instanceof State.Accepted) {
      layer.count(Counters.Counter.RETRANSMISSIONS_OUT);
    }
    keep(response);
    run(step, null, null, null);
    return true;
  }

  @Override
  void repeatReceived() {
    next(new Event.RequestReceived());
  }

  /**
   * Whether an ACK with this id is of this transaction: RFC 2543 clients are told apart by the tag
   * that we gave (17.2.3).
   */
  boolean matches(SipRequest ack) {
    return !id.isDerived() || ack.toTag().equals(Optional.ofNullable(toTag));
  }

  void ack(SipRequest ack, Flow from) {
    Step step = machine.next(state, new Event.AckReceived());
    if (step.actions().isEmpty()) {
      layer.count(Counters.Counter.RETRANSMISSIONS_IN);
    }
    boolean ofRefusal = state instanceof State.Completed;
    run(step, ack, from, null);
    if (ofRefusal) {
      layer.user().refusalAcknowledged(id, ack);
    }
  }

  @Override
  void timerFired(int timer) {
    byItself = true;
    next(new Event.TimerFired(TIMERS[timer]));
    byItself = false;
  }

  @Override
  void transportFailed(SendFailure failure) {
    run(machine.next(state, new Event.TransportFailed()), null, null, failure);
  }

  @Override
  void waitedTooLong() {
    forget();
    layer.user().serverTransactionEnded(id, ServerEnd.NO_ANSWER);
  }

  @Override
  void forget() {
    run(machine.next(state, new Event.Abandoned()), null, null, null);
  }

  private void sendIfPermitted() {
    if (!byItself || permit.maySend()) {
      sendLastResponse();
    }
  }

  private void keep(SipResponse response) {
    lastResponse = response;
    if (response.isFinal() && id.isDerived()) {
      toTag = response.toTag().orElse(null);
    }
  }

  /** An event whose step may repeat the response, or end the transaction by itself. */
  private void next(Event event) {
    Step step = machine.next(state, event);
    if (step.actions().contains(new Action.SendResponse())) {
      layer.count(Counters.Counter.RETRANSMISSIONS_OUT);
    }
    run(step, null, null, null);
    if (step.state() instanceof State.Terminated && step.actions().isEmpty()) {
      layer.user().serverTransactionEnded(id, ServerEnd.DONE);
    }
  }

  private void run(
      Step step, @Nullable SipRequest request, @Nullable Flow from, @Nullable SendFailure failure) {
    state = step.state();
    if (state instanceof State.Terminated) {
      end();
    }
    for (Action action : step.actions()) {
      switch (action) {
        case Action.SendResponse() -> sendIfPermitted();
        case Action.StartTimer(Timer timer, Duration after) -> startTimer(timer.ordinal(), after);
        case Action.StopTimer(Timer timer) -> stopTimer(timer.ordinal());
        case Action.PassUp(), Action.PassAckUp() -> passUp(request, from);
        case Action.Report() -> report(failure);
        case Action.Fail() -> {
          layer.count(Counters.Counter.TIMEOUTS);
          layer.user().serverTransactionEnded(id, ServerEnd.NO_ACK);
        }
      }
    }
    if (state instanceof State.Accepted || state instanceof State.Confirmed) {
      // Not sent again by the transaction: a 2xx is repeated by the user.
      lastResponse = null;
    }
    boundTheWait();
  }
}
