package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.NonInviteClientTransaction.Action;
import io.sippbx.control.sip.transaction.NonInviteClientTransaction.Event;
import io.sippbx.control.sip.transaction.NonInviteClientTransaction.State;
import io.sippbx.control.sip.transaction.NonInviteClientTransaction.Step;
import io.sippbx.control.sip.transaction.NonInviteClientTransaction.Timer;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Runs a {@link NonInviteClientTransaction}. */
@SuppressWarnings("EnumOrdinal") // the slot of a timer; nothing is stored by it
final class OpenNonInviteClient extends OpenClient {

  private static final Timer[] TIMERS = Timer.values();

  private final NonInviteClientTransaction machine;
  private State state;

  OpenNonInviteClient(
      TransactionLayer layer,
      NonInviteClientTransaction machine,
      ClientTransactionId id,
      SipRequest request,
      Destination destination) {
    super(layer, Counters.Kind.NON_INVITE_CLIENT, TIMERS.length, id, request, destination);
    this.machine = machine;
    this.state = new State.Terminated();
  }

  @Override
  void start() {
    run(machine.start(), null, null);
  }

  @Override
  void resume(Duration remaining) {
    run(machine.resume(remaining), null, null);
  }

  @Override
  void response(SipResponse response, Flow flow) {
    Step step = machine.next(state, new Event.ResponseReceived(response.status()));
    if (response.isFinal() && step.actions().isEmpty()) {
      layer.count(Counters.Counter.RETRANSMISSIONS_IN);
    }
    run(step, response, flow);
  }

  @Override
  void timerFired(int timer) {
    if (TIMERS[timer] == Timer.E) {
      layer.count(Counters.Counter.RETRANSMISSIONS_OUT);
    }
    run(machine.next(state, new Event.TimerFired(TIMERS[timer])), null, null);
  }

  @Override
  void transportFailed(SendFailure failure) {
    run(machine.next(state, new Event.TransportFailed()), null, null);
  }

  @Override
  void waitedTooLong() {
    forget();
    layer.user().failed(id, Failure.TIMEOUT);
  }

  @Override
  void forget() {
    run(machine.next(state, new Event.Abandoned()), null, null);
  }

  private void run(Step step, @Nullable SipResponse response, @Nullable Flow flow) {
    state = step.state();
    if (state instanceof State.Terminated) {
      end();
    }
    for (Action action : step.actions()) {
      switch (action) {
        case Action.SendRequest() -> sendRequest();
        case Action.StartTimer(Timer timer, Duration after) -> startTimer(timer.ordinal(), after);
        case Action.StopTimer(Timer timer) -> stopTimer(timer.ordinal());
        case Action.PassUp(int status) -> {
          if (status >= 200) {
            request = null;
          }
          passUp(response, flow);
        }
        case Action.Fail(Failure failure) -> fail(failure);
      }
    }
    boundTheWait();
  }
}
