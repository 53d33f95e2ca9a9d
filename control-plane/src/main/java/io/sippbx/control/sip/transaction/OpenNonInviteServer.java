package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.NonInviteServerTransaction.Action;
import io.sippbx.control.sip.transaction.NonInviteServerTransaction.Event;
import io.sippbx.control.sip.transaction.NonInviteServerTransaction.State;
import io.sippbx.control.sip.transaction.NonInviteServerTransaction.Step;
import io.sippbx.control.sip.transaction.NonInviteServerTransaction.Timer;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Runs a {@link NonInviteServerTransaction}. */
@SuppressWarnings("EnumOrdinal") // the slot of a timer; nothing is stored by it
final class OpenNonInviteServer extends OpenServer {

  private static final Timer[] TIMERS = Timer.values();

  private final NonInviteServerTransaction machine;
  private State state;

  OpenNonInviteServer(
      TransactionLayer layer,
      NonInviteServerTransaction machine,
      ServerTransactionId id,
      Flow flow) {
    super(layer, Counters.Kind.NON_INVITE_SERVER, TIMERS.length, id, flow);
    this.machine = machine;
    this.state = new State.Terminated();
  }

  @Override
  void start(SipRequest request) {
    run(machine.start(), request, null);
  }

  @Override
  void resume(@Nullable SipResponse last) {
    lastResponse = last;
    run(last == null ? machine.resume() : machine.resume(last.status()), null, null);
  }

  @Override
  boolean respond(SipResponse response) {
    Step step = machine.next(state, new Event.Respond(response.status()));
    if (step.actions().isEmpty()) {
      return false;
    }
    lastResponse = response;
    run(step, null, null);
    return true;
  }

  @Override
  void repeatReceived() {
    Step step = machine.next(state, new Event.RequestReceived());
    if (!step.actions().isEmpty()) {
      layer.count(Counters.Counter.RETRANSMISSIONS_OUT);
    }
    run(step, null, null);
  }

  @Override
  void timerFired(int timer) {
    run(machine.next(state, new Event.TimerFired(TIMERS[timer])), null, null);
    if (state instanceof State.Terminated) {
      layer.user().serverTransactionEnded(id, ServerEnd.DONE);
    }
  }

  @Override
  void transportFailed(SendFailure failure) {
    run(machine.next(state, new Event.TransportFailed()), null, failure);
  }

  @Override
  void waitedTooLong() {
    forget();
    layer.user().serverTransactionEnded(id, ServerEnd.NO_ANSWER);
  }

  @Override
  void forget() {
    run(machine.next(state, new Event.Abandoned()), null, null);
  }

  private void run(Step step, @Nullable SipRequest request, @Nullable SendFailure failure) {
    state = step.state();
    if (state instanceof State.Terminated) {
      end();
    }
    for (Action action : step.actions()) {
      switch (action) {
        case Action.SendResponse() -> sendLastResponse();
        case Action.StartTimer(Timer timer, Duration after) -> startTimer(timer.ordinal(), after);
        case Action.PassUp() -> passUp(request, flow());
        case Action.Report() -> report(failure);
      }
    }
    boundTheWait();
  }
}
