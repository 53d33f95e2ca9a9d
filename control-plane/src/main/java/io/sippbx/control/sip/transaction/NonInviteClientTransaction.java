package io.sippbx.control.sip.transaction;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The non-INVITE client transaction.
 *
 * <pre>
 * Trying     -- E   --> Trying      send, restart E at min(2*E, T2)
 * Trying     -- 1xx --> Proceeding  pass up
 * Proceeding -- E   --> Proceeding  send, restart E at T2
 * Proceeding -- 1xx --> Proceeding  pass up
 * Trying, Proceeding -- 200-699   --> Completed   stop E and F, start K, pass up
 * Trying, Proceeding -- F         --> Terminated  fail(TIMEOUT)
 * Trying, Proceeding -- transport --> Terminated  fail(TRANSPORT)
 * Completed  -- K   --> Terminated
 * any        -- abandoned --> Terminated
 * </pre>
 *
 * Every other (state, event) pair is absorbed: the state is kept and there is nothing to do.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.1.2.2">RFC 3261 17.1.2.2</a>
 */
public final class NonInviteClientTransaction {

  /** Where the transaction is. Immutable; safe to share between threads. */
  public sealed interface State {
    /** No response yet; {@code retransmitAfter} is the current value of Timer E. */
    record Trying(Duration retransmitAfter) implements State {}

    /** A provisional response has been received. */
    record Proceeding() implements State {}

    /** A final response has been passed up; its repeats are absorbed until K. */
    record Completed() implements State {}

    /** The end. The driver stops what timers still run and forgets the transaction. */
    record Terminated() implements State {}
  }

  /** What can happen to the transaction. */
  public sealed interface Event {
    /** A response matched this transaction; {@code status} is 100 to 699. */
    record ResponseReceived(int status) implements Event {}

    /** A timer started by an earlier {@link Action.StartTimer} ran out. */
    record TimerFired(Timer timer) implements Event {}

    /** The transport reported that the request cannot be sent. */
    record TransportFailed() implements Event {}

    /** The transaction user wants to hear nothing more. */
    record Abandoned() implements Event {}
  }

  /** What the driver must do, in list order. */
  public sealed interface Action {
    /** Send the request, byte for byte as the first time. */
    record SendRequest() implements Action {}

    /** Give the response to the transaction user. */
    record PassUp(int status) implements Action {}

    /** Start {@code timer}; replaces a running timer of the same name. */
    record StartTimer(Timer timer, Duration after) implements Action {}

    /** Stop {@code timer} if it runs. */
    record StopTimer(Timer timer) implements Action {}

    /** Tell the transaction user that there will be no final response. */
    record Fail(Failure failure) implements Action {}
  }

  /** Timer names of RFC 3261 Table 4. */
  public enum Timer {
    E,
    F,
    K
  }

  /** The result of one event: the next state and what to do. */
  public record Step(State state, List<Action> actions) {
    /** Copies {@code actions}. */
    public Step {
      actions = List.copyOf(actions);
    }
  }

  private final TimerSettings timers;
  private final boolean reliable;

  /**
   * @param reliable true over TCP, TLS and WebSocket: no Timer E, and Timer K is zero
   */
  public NonInviteClientTransaction(TimerSettings timers, boolean reliable) {
    this.timers = timers;
    this.reliable = reliable;
  }

  /** The first step of a new transaction, before any event. */
  public Step start() {
    return resume(timers.patience());
  }

  /**
   * The first step of a transaction that another node began: the request is sent once more, for the
   * peer repeats its last response to it.
   *
   * @param remaining what is left of Timer F
   */
  public Step resume(Duration remaining) {
    var actions = new ArrayList<Action>();
    actions.add(new Action.SendRequest());
    actions.add(new Action.StartTimer(Timer.F, remaining));
    if (!reliable) {
      actions.add(new Action.StartTimer(Timer.E, timers.t1()));
    }
    return new Step(new State.Trying(timers.t1()), actions);
  }

  /** The transition function. Pure: equal arguments give equal results. */
  public Step next(State state, Event event) {
    return switch (state) {
      case State.Trying(Duration retransmitAfter) -> {
        var nextE = timers.doubledUpToT2(retransmitAfter);
        yield whileWaiting(state, new State.Trying(nextE), nextE, event);
      }
      case State.Proceeding proceeding -> whileWaiting(proceeding, proceeding, timers.t2(), event);
      case State.Completed completed ->
          switch (event) {
            case Event.TimerFired(Timer timer) ->
                timer == Timer.K ? terminated() : absorb(completed);
            case Event.ResponseReceived received -> absorb(completed);
            case Event.TransportFailed() -> absorb(completed);
            case Event.Abandoned() -> terminated();
          };
      case State.Terminated terminated -> absorb(terminated);
    };
  }

  private Step whileWaiting(State state, State afterE, Duration nextE, Event event) {
    return switch (event) {
      case Event.ResponseReceived(int status) when status < 200 ->
          new Step(new State.Proceeding(), List.of(new Action.PassUp(status)));
      case Event.ResponseReceived(int status) ->
          new Step(
              new State.Completed(),
              List.of(
                  new Action.StopTimer(Timer.E),
                  new Action.StopTimer(Timer.F),
                  new Action.StartTimer(Timer.K, reliable ? Duration.ZERO : timers.t4()),
                  new Action.PassUp(status)));
      case Event.TimerFired(Timer timer) ->
          switch (timer) {
            case E ->
                new Step(
                    afterE,
                    List.of(new Action.SendRequest(), new Action.StartTimer(Timer.E, nextE)));
            case F -> failed(Failure.TIMEOUT);
            case K -> absorb(state);
          };
      case Event.TransportFailed() -> failed(Failure.TRANSPORT);
      case Event.Abandoned() -> terminated();
    };
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
