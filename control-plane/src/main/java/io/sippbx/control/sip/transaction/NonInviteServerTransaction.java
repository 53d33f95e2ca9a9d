package io.sippbx.control.sip.transaction;

import java.time.Duration;
import java.util.List;

/**
 * The non-INVITE server transaction.
 *
 * <pre>
 * Trying     -- respond 1xx     --> Proceeding  send
 * Proceeding -- respond 1xx     --> Proceeding  send
 * Proceeding -- request         --> Proceeding  send
 * Trying, Proceeding -- respond 200-699 --> Completed  send, start J
 * Completed  -- request         --> Completed   send
 * Completed  -- J               --> Terminated
 * Proceeding, Completed -- transport --> the same  report
 * any        -- abandoned       --> Terminated
 * </pre>
 *
 * Every other (state, event) pair is absorbed: the state is kept and there is nothing to do.
 *
 * <p>A deviation: a response that cannot be sent does not end the transaction (17.2.4 says that it
 * should), for the reason for which RFC 6026 7.1 forbids it for INVITE: the next repeat of the
 * request would be taken for a new one.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.2.2">RFC 3261 17.2.2</a>
 */
public final class NonInviteServerTransaction {

  /** Where the transaction is. Immutable; safe to share between threads. */
  public sealed interface State {
    /** No response yet. */
    record Trying() implements State {}

    /** A provisional response was sent. */
    record Proceeding() implements State {}

    /** A final response was sent; repeats of the request get it again until J. */
    record Completed() implements State {}

    /** The end. The driver stops what timers still run and forgets the transaction. */
    record Terminated() implements State {}
  }

  /** What can happen to the transaction. */
  public sealed interface Event {
    /** The request came again. */
    record RequestReceived() implements Event {}

    /** The transaction user responds; {@code status} is 100 to 699. */
    record Respond(int status) implements Event {}

    /** A timer started by an earlier {@link Action.StartTimer} ran out. */
    record TimerFired(Timer timer) implements Event {}

    /** The transport reported that a response cannot be sent. */
    record TransportFailed() implements Event {}

    /** The transaction user wants to hear nothing more. */
    record Abandoned() implements Event {}
  }

  /** What the driver must do, in list order. */
  public sealed interface Action {
    /** Send the last response that the transaction user gave while it was allowed to. */
    record SendResponse() implements Action {}

    /** Give the request to the transaction user. */
    record PassUp() implements Action {}

    /** Start {@code timer}; replaces a running timer of the same name. */
    record StartTimer(Timer timer, Duration after) implements Action {}

    /** Tell the transaction user that a response was not sent; the transaction goes on. */
    record Report() implements Action {}
  }

  /** Timer names of RFC 3261 Table 4. */
  public enum Timer {
    J
  }

  /** The result of one event: the next state and what to do. */
  public record Step(State state, List<Action> actions) {
    /** Copies {@code actions}. */
    public Step {
      actions = List.copyOf(actions);
    }
  }

  private final Duration timerJ;

  /**
   * @param reliable true over TCP, TLS and WebSocket: Timer J is zero
   */
  public NonInviteServerTransaction(TimerSettings timers, boolean reliable) {
    this.timerJ = reliable ? Duration.ZERO : timers.patience();
  }

  /** The first step of a new transaction, before any event. */
  public Step start() {
    return new Step(new State.Trying(), List.of(new Action.PassUp()));
  }

  /** The first step of a transaction that another node began and had not responded to. */
  public Step resume() {
    return new Step(new State.Trying(), List.of());
  }

  /**
   * The first step of a transaction that another node began; whether its last response was heard is
   * not known, so a final one is sent again.
   */
  public Step resume(int lastStatus) {
    return lastStatus < 200 ? new Step(new State.Proceeding(), List.of()) : finalResponse();
  }

  /** The transition function. Pure: equal arguments give equal results. */
  public Step next(State state, Event event) {
    return switch (state) {
      case State.Trying trying -> trying(trying, event);
      case State.Proceeding proceeding -> proceeding(proceeding, event);
      case State.Completed completed -> completed(completed, event);
      case State.Terminated terminated -> absorb(terminated);
    };
  }

  private Step trying(State.Trying trying, Event event) {
    return switch (event) {
      case Event.RequestReceived() -> absorb(trying);
      case Event.Respond(int status) -> respond(status);
      case Event.TimerFired fired -> absorb(trying);
      case Event.TransportFailed() -> absorb(trying);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step proceeding(State.Proceeding proceeding, Event event) {
    return switch (event) {
      case Event.RequestReceived() -> send(proceeding);
      case Event.Respond(int status) -> respond(status);
      case Event.TimerFired fired -> absorb(proceeding);
      case Event.TransportFailed() -> new Step(proceeding, List.of(new Action.Report()));
      case Event.Abandoned() -> terminated();
    };
  }

  private static Step completed(State.Completed completed, Event event) {
    return switch (event) {
      case Event.RequestReceived() -> send(completed);
      // "Any other final responses passed by the TU to the server transaction MUST be discarded
      // while in the Completed state" (17.2.2).
      case Event.Respond respond -> absorb(completed);
      case Event.TimerFired(Timer timer) ->
          switch (timer) {
            case J -> terminated();
          };
      case Event.TransportFailed() -> new Step(completed, List.of(new Action.Report()));
      case Event.Abandoned() -> terminated();
    };
  }

  private Step respond(int status) {
    return status < 200 ? send(new State.Proceeding()) : finalResponse();
  }

  private Step finalResponse() {
    return new Step(
        new State.Completed(),
        List.of(new Action.SendResponse(), new Action.StartTimer(Timer.J, timerJ)));
  }

  private static Step send(State state) {
    return new Step(state, List.of(new Action.SendResponse()));
  }

  private static Step terminated() {
    return new Step(new State.Terminated(), List.of());
  }

  private static Step absorb(State state) {
    return new Step(state, List.of());
  }
}
