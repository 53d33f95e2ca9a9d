package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.InviteClientTransaction.Action;
import io.sippbx.control.sip.transaction.InviteClientTransaction.Event;
import io.sippbx.control.sip.transaction.InviteClientTransaction.State;
import io.sippbx.control.sip.transaction.InviteClientTransaction.Step;
import io.sippbx.control.sip.transaction.InviteClientTransaction.Timer;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Runs an {@link InviteClientTransaction}. */
@SuppressWarnings("EnumOrdinal") // the slot of a timer; nothing is stored by it
final class OpenInviteClient extends OpenClient {

  private static final Timer[] TIMERS = Timer.values();

  private final InviteClientTransaction machine;
  private State state;
  private @Nullable SipRequest ack;

  OpenInviteClient(
      TransactionLayer layer,
      InviteClientTransaction machine,
      ClientTransactionId id,
      SipRequest request,
      Destination destination) {
    super(layer, Counters.Kind.INVITE_CLIENT, TIMERS.length, id, request, destination);
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

  void await() {
    run(machine.await(), null, null);
  }

  void cancelled() {
    run(machine.next(state, new Event.Cancelled()), null, null);
  }

  @Override
  void response(SipResponse response, Flow flow) {
    Step step = machine.next(state, new Event.ResponseReceived(response.status()));
    boolean isOver = state instanceof State.Refused || state instanceof State.Completed;
    if (response.isFinal() && (step.actions().isEmpty() || isOver)) {
      layer.count(Counters.Counter.RETRANSMISSIONS_IN);
    }
    run(step, response, flow);
  }

  /** The user knows of this final response and will not forget it. */
  void acknowledged(SipResponse response) {
    run(machine.next(state, new Event.Acknowledged()), response, null);
  }

  @Override
  void timerFired(int timer) {
    if (TIMERS[timer] == Timer.A) {
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
        case Action.SendAck() -> sendAck(response);
        case Action.StartTimer(Timer timer, Duration after) -> startTimer(timer.ordinal(), after);
        case Action.StopTimer(Timer timer) -> stopTimer(timer.ordinal());
        case Action.PassUp(int status) -> {
          if (status >= 200 && status < 300) {
            request = null;
          }
          if (status >= 300 && response != null && !layer.user().acknowledgesLater()) {
            acknowledged(response);
          }
          passUp(response, flow);
        }
        case Action.Fail(Failure failure) -> fail(failure);
      }
    }
    boundTheWait();
  }

  private void sendAck(@Nullable SipResponse response) {
    if (ack != null) {
      layer.count(Counters.Counter.RETRANSMISSIONS_OUT);
    } else if (request != null && response != null) {
      ack = FailureAck.of(request, response);
      request = null;
    }
    send(ack);
  }
}
