package io.sippbx.control.sip.transaction;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The INVITE client transaction, with the Accepted state of RFC 6026.
 *
 * <pre>
 * Calling    -- A         --> Calling     send, restart A at 2*A
 * Calling    -- 1xx       --> Proceeding  stop A and B, pass up
 * Proceeding -- 1xx       --> Proceeding  pass up
 * Calling, Proceeding -- 2xx     --> Accepted   stop A and B, start M, pass up
 * Calling, Proceeding -- 300-699 --> Refused    stop A and B, pass up
 * Calling, Proceeding -- B       --> Terminated fail(TIMEOUT)
 * Calling    -- transport --> Terminated  fail(TRANSPORT)
 * Proceeding -- cancelled --> Proceeding  start B
 * Refused    -- 300-699   --> Refused     pass up
 * Refused    -- acknowledged --> Completed  send ACK, start D
 * Completed  -- 300-699   --> Completed   send ACK
 * Completed  -- D         --> Terminated
 * Accepted   -- 2xx       --> Accepted    pass up
 * Accepted   -- M         --> Terminated
 * any        -- abandoned --> Terminated
 * </pre>
 *
 * Every other (state, event) pair is absorbed: the state is kept and there is nothing to do.
 *
 * <p>Timer B runs in Proceeding only after a CANCEL: a cancelled INVITE without a final response is
 * given up after 64*T1 (RFC 3261 9.1); else the transaction user decides how long it may ring. A
 * deviation: the ACK waits for the transaction user's word, which is given when what it means is in
 * the store; until then the peer repeats its response, whoever goes on with the call. Another
 * deviation: an ACK that cannot be sent leaves Completed as it is, because the user has its final
 * response already, and the next repeat of that response may be acknowledged.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.1.1.2">RFC 3261 17.1.1.2</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6026#section-7.2">RFC 6026 7.2</a>
 */
public final class InviteClientTransaction {

  /** Where the transaction is. Immutable; safe to share between threads. */
  public sealed interface State {
    /** No response yet; {@code retransmitAfter} is the current value of Timer A. */
    record Calling(Duration retransmitAfter) implements State {}

    /** A provisional response has been received; {@code cancelled} once a CANCEL was sent. */
    record Proceeding(boolean cancelled) implements State {}

    /** A final response of 300 to 699 has been passed up, and so is each repeat of it. No timer. */
    record Refused() implements State {}

    /** It has been acknowledged, and so is each repeat of it until D. */
    record Completed() implements State {}

    /** A 2xx has been passed up; so is each further one, of any fork, until M. */
    record Accepted() implements State {}

    /** The end. The driver stops what timers still run and forgets the transaction. */
    record Terminated() implements State {}
  }

  /** What can happen to the transaction. */
  public sealed interface Event {
    /** A response matched this transaction; {@code status} is 100 to 699. */
    record ResponseReceived(int status) implements Event {}

    /** A timer started by an earlier {@link Action.StartTimer} ran out. */
    record TimerFired(Timer timer) implements Event {}

    /** The transport reported that the request or the ACK cannot be sent. */
    record TransportFailed() implements Event {}

    /** A CANCEL for this transaction was sent. */
    record Cancelled() implements Event {}

    /** The transaction user knows of the final response and will not forget it. */
    record Acknowledged() implements Event {}

    /** The transaction user wants to hear nothing more. */
    record Abandoned() implements Event {}
  }

  /** What the driver must do, in list order. */
  public sealed interface Action {
    /** Send the request, byte for byte as the first time. */
    record SendRequest() implements Action {}

    /** Send the ACK for the final response, to where the request went (17.1.1.3). */
    record SendAck() implements Action {}

    /** Give the response to the transaction user. */
    record PassUp(int status) implements Action {}

    /** Start {@code timer}; replaces a running timer of the same name. */
    record StartTimer(Timer timer, Duration after) implements Action {}

    /** Stop {@code timer} if it runs. */
    record StopTimer(Timer timer) implements Action {}

    /** Tell the transaction user that there will be no final response. */
    record Fail(Failure failure) implements Action {}
  }

  /** Timer names of RFC 3261 Table 4 and RFC 6026 7.2. */
  public enum Timer {
    A,
    B,
    D,
    M
  }

  /** The result of one event: the next state and what to do. */
  public record Step(State state, List<Action> actions) {
    /** Copies {@code actions}. */
    public Step {
      actions = List.copyOf(actions);
    }
  }

  // "MUST be at least 32 seconds for unreliable transports" (17.1.1.2).
  private static final Duration LEAST_D = Duration.ofSeconds(32);

  private final TimerSettings timers;
  private final boolean reliable;
  private final Duration timerD;

  /**
   * @param reliable true over TCP, TLS and WebSocket: no Timer A, and Timer D is zero
   */
  public InviteClientTransaction(TimerSettings timers, boolean reliable) {
    this.timers = timers;
    this.reliable = reliable;
    var patience = timers.patience();
    this.timerD = reliable ? Duration.ZERO : patience.compareTo(LEAST_D) > 0 ? patience : LEAST_D;
  }

  /** The first step of a new transaction, before any event. */
  public Step start() {
    return resume(timers.patience());
  }

  /**
   * The first step of a transaction that another node began: the request is sent once more, for the
   * peer repeats its last response to it.
   *
   * @param remaining what is left of Timer B
   */
  public Step resume(Duration remaining) {
    var actions = new ArrayList<Action>();
    actions.add(new Action.SendRequest());
    actions.add(new Action.StartTimer(Timer.B, remaining));
    if (!reliable) {
      actions.add(new Action.StartTimer(Timer.A, timers.t1()));
    }
    return new Step(new State.Calling(timers.t1()), actions);
  }

  /**
   * The first step of a transaction that another node began and cancelled: nothing is sent, for a
   * peer that has refused the INVITE, and forgotten that, would take it for a new one. CANCEL has
   * it say what it said last.
   */
  public Step await() {
    return new Step(new State.Proceeding(false), List.of());
  }

  /** The transition function. Pure: equal arguments give equal results. */
  public Step next(State state, Event event) {
    return switch (state) {
      case State.Calling calling -> calling(calling, event);
      case State.Proceeding proceeding -> proceeding(proceeding, event);
      case State.Refused refused -> refused(refused, event);
      case State.Completed completed -> completed(completed, event);
      case State.Accepted accepted -> accepted(accepted, event);
      case State.Terminated terminated -> absorb(terminated);
    };
  }

  private Step calling(State.Calling calling, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) when status < 200 ->
          new Step(
              new State.Proceeding(false),
              List.of(
                  new Action.StopTimer(Timer.A),
                  new Action.StopTimer(Timer.B),
                  new Action.PassUp(status)));
      case Event.ResponseReceived(int status) -> finalResponse(status);
      case Event.TimerFired(Timer timer) ->
          switch (timer) {
            case A -> {
              // Unlike Timer E, Timer A is not capped at T2.
              var doubled = calling.retransmitAfter().multipliedBy(2);
              yield new Step(
                  new State.Calling(doubled),
                  List.of(new Action.SendRequest(), new Action.StartTimer(Timer.A, doubled)));
            }
            case B -> failed(Failure.TIMEOUT);
            case D, M -> absorb(calling);
          };
      case Event.TransportFailed() -> failed(Failure.TRANSPORT);
      case Event.Cancelled(), Event.Acknowledged() -> absorb(calling);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step proceeding(State.Proceeding proceeding, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) when status < 200 ->
          new Step(proceeding, List.of(new Action.PassUp(status)));
      case Event.ResponseReceived(int status) -> finalResponse(status);
      case Event.TimerFired(Timer timer) ->
          switch (timer) {
            case B -> failed(Failure.TIMEOUT);
            case A, D, M -> absorb(proceeding);
          };
      // The request has been heard: a late report on one of its repeats says nothing.
      case Event.TransportFailed(), Event.Acknowledged() -> absorb(proceeding);
      case Event.Cancelled() ->
          proceeding.cancelled()
              ? absorb(proceeding)
              : new Step(
                  new State.Proceeding(true),
                  List.of(new Action.StartTimer(Timer.B, timers.patience())));
      case Event.Abandoned() -> terminated();
    };
  }

  private Step refused(State.Refused refused, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) ->
          status >= 300 ? new Step(refused, List.of(new Action.PassUp(status))) : absorb(refused);
      case Event.Acknowledged() ->
          new Step(
              new State.Completed(),
              List.of(new Action.SendAck(), new Action.StartTimer(Timer.D, timerD)));
      case Event.TimerFired(Timer timer) -> absorb(refused);
      case Event.TransportFailed(), Event.Cancelled() -> absorb(refused);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step completed(State.Completed completed, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) ->
          status >= 300 ? new Step(completed, List.of(new Action.SendAck())) : absorb(completed);
      case Event.TimerFired(Timer timer) -> timer == Timer.D ? terminated() : absorb(completed);
      case Event.TransportFailed(), Event.Cancelled(), Event.Acknowledged() -> absorb(completed);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step accepted(State.Accepted accepted, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) ->
          status >= 200 && status < 300
              ? new Step(accepted, List.of(new Action.PassUp(status)))
              : absorb(accepted);
      case Event.TimerFired(Timer timer) -> timer == Timer.M ? terminated() : absorb(accepted);
      case Event.TransportFailed(), Event.Cancelled(), Event.Acknowledged() -> absorb(accepted);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step finalResponse(int status) {
    var stopA = new Action.StopTimer(Timer.A);
    var stopB = new Action.StopTimer(Timer.B);
    var passUp = new Action.PassUp(status);
    return status < 300
        ? new Step(
            new State.Accepted(),
            List.of(stopA, stopB, new Action.StartTimer(Timer.M, timers.patience()), passUp))
        : new Step(new State.Refused(), List.of(stopA, stopB, passUp));
  }

  private static Step failed(Failure failure) {
    return new Step(new State.Terminated(), List.of(new Action.Fail(failure)));
  }

  private static Step terminated() {
    return new Step(new State.Terminated(), List.of());
  }

  private static Step absorb(State state) {
    return new Step(state, List.of());
  }
}
