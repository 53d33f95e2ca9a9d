package io.sippbx.control.sip.transaction;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The INVITE server transaction, with the Accepted state of RFC 6026.
 *
 * <pre>
 * Proceeding -- respond 1xx     --> Proceeding  send
 * Proceeding -- INVITE          --> Proceeding  send the last 1xx, if there was one
 * Proceeding -- ACK             --> Proceeding  pass the ACK up
 * Proceeding -- respond 2xx     --> Accepted    send, start L
 * Proceeding -- respond 300-699 --> Completed   send, start H and G
 * Completed  -- INVITE          --> Completed   send
 * Completed  -- G               --> Completed   send, restart G at min(2*G, T2)
 * Completed  -- ACK             --> Confirmed   stop G and H, start I
 * Completed  -- H               --> Terminated  fail
 * Confirmed  -- I               --> Terminated
 * Accepted   -- respond 2xx     --> Accepted    send
 * Accepted   -- ACK             --> Accepted    pass the ACK up
 * Accepted   -- L               --> Terminated
 * Proceeding, Completed, Accepted -- transport --> the same   report
 * any        -- abandoned       --> Terminated
 * </pre>
 *
 * Every other (state, event) pair is absorbed: the state is kept and there is nothing to do.
 *
 * <p>An ACK in Proceeding is for a final response of somebody else who has the same address, and
 * another copy of the INVITE: the transaction user can know what that means.
 *
 * <p>A deviation: no 100 is sent by the transaction itself after 200 ms. The 100 is an effect of
 * the call's first commit (law 2 of the design): until then, the caller's repeats, which are
 * absorbed here, are what brings the call back when this node dies.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.2.1">RFC 3261 17.2.1</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6026#section-7.1">RFC 6026 7.1</a>
 */
public final class InviteServerTransaction {

  /** Where the transaction is. Immutable; safe to share between threads. */
  public sealed interface State {
    /** No final response yet; {@code responded} once there was a provisional one. */
    record Proceeding(boolean responded) implements State {}

    /** A response of 300 to 699 was sent; {@code retransmitAfter} is the value of Timer G. */
    record Completed(Duration retransmitAfter) implements State {}

    /** It was acknowledged; further ACKs are absorbed until I. */
    record Confirmed() implements State {}

    /**
     * A 2xx was sent; the transaction user repeats it, the INVITE's repeats are absorbed until L.
     */
    record Accepted() implements State {}

    /** The end. The driver stops what timers still run and forgets the transaction. */
    record Terminated() implements State {}
  }

  /** What can happen to the transaction. */
  public sealed interface Event {
    /** The INVITE came again. */
    record RequestReceived() implements Event {}

    /** An ACK matched this transaction. */
    record AckReceived() implements Event {}

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

    /** Give the INVITE to the transaction user. */
    record PassUp() implements Action {}

    /** Give the ACK to the transaction user. */
    record PassAckUp() implements Action {}

    /** Start {@code timer}; replaces a running timer of the same name. */
    record StartTimer(Timer timer, Duration after) implements Action {}

    /** Stop {@code timer} if it runs. */
    record StopTimer(Timer timer) implements Action {}

    /** Tell the transaction user that a response was not sent; the transaction goes on. */
    record Report() implements Action {}

    /** Tell the transaction user that its final response was never acknowledged. */
    record Fail() implements Action {}
  }

  /** Timer names of RFC 3261 Table 4 and RFC 6026 7.1. */
  public enum Timer {
    G,
    H,
    I,
    L
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
   * @param reliable true over TCP, TLS and WebSocket: no Timer G, and Timer I is zero
   */
  public InviteServerTransaction(TimerSettings timers, boolean reliable) {
    this.timers = timers;
    this.reliable = reliable;
  }

  /** The first step of a new transaction, before any event. */
  public Step start() {
    return new Step(new State.Proceeding(false), List.of(new Action.PassUp()));
  }

  /** The first step of a transaction that another node began and had not responded to. */
  public Step resume() {
    return new Step(new State.Proceeding(false), List.of());
  }

  /**
   * The first step of a transaction that another node began; whether its last response was heard is
   * not known. A final one that has to be acknowledged is sent again; a 2xx is the transaction
   * user's to repeat.
   */
  public Step resume(int lastStatus) {
    if (lastStatus < 200) {
      return new Step(new State.Proceeding(true), List.of());
    }
    return finalResponse(lastStatus, lastStatus >= 300);
  }

  /** The transition function. Pure: equal arguments give equal results. */
  public Step next(State state, Event event) {
    return switch (state) {
      case State.Proceeding proceeding -> proceeding(proceeding, event);
      case State.Completed completed -> completed(completed, event);
      case State.Confirmed confirmed -> confirmed(confirmed, event);
      case State.Accepted accepted -> accepted(accepted, event);
      case State.Terminated terminated -> absorb(terminated);
    };
  }

  private Step proceeding(State.Proceeding proceeding, Event event) {
    return switch (event) {
      case Event.RequestReceived() ->
          proceeding.responded() ? send(proceeding) : absorb(proceeding);
      case Event.AckReceived() -> new Step(proceeding, List.of(new Action.PassAckUp()));
      case Event.Respond(int status) ->
          status < 200 ? send(new State.Proceeding(true)) : finalResponse(status, true);
      case Event.TimerFired fired -> absorb(proceeding);
      case Event.TransportFailed() -> report(proceeding);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step completed(State.Completed completed, Event event) {
    return switch (event) {
      case Event.RequestReceived() -> send(completed);
      case Event.AckReceived() ->
          new Step(
              new State.Confirmed(),
              List.of(
                  new Action.StopTimer(Timer.G),
                  new Action.StopTimer(Timer.H),
                  new Action.StartTimer(Timer.I, reliable ? Duration.ZERO : timers.t4())));
      // "Any other final responses passed by the TU MUST be discarded" (17.2.2; here likewise).
      case Event.Respond respond -> absorb(completed);
      case Event.TimerFired(Timer timer) ->
          switch (timer) {
            case G -> {
              var nextG = timers.doubledUpToT2(completed.retransmitAfter());
              yield new Step(
                  new State.Completed(nextG),
                  List.of(new Action.SendResponse(), new Action.StartTimer(Timer.G, nextG)));
            }
            case H -> new Step(new State.Terminated(), List.of(new Action.Fail()));
            case I, L -> absorb(completed);
          };
      case Event.TransportFailed() -> report(completed);
      case Event.Abandoned() -> terminated();
    };
  }

  private static Step confirmed(State.Confirmed confirmed, Event event) {
    return switch (event) {
      case Event.TimerFired(Timer timer) -> timer == Timer.I ? terminated() : absorb(confirmed);
      case Event.RequestReceived() -> absorb(confirmed);
      case Event.AckReceived() -> absorb(confirmed);
      case Event.Respond respond -> absorb(confirmed);
      case Event.TransportFailed() -> absorb(confirmed);
      case Event.Abandoned() -> terminated();
    };
  }

  private static Step accepted(State.Accepted accepted, Event event) {
    return switch (event) {
      case Event.RequestReceived() -> absorb(accepted);
      case Event.AckReceived() -> new Step(accepted, List.of(new Action.PassAckUp()));
      case Event.Respond(int status) ->
          status >= 200 && status < 300 ? send(accepted) : absorb(accepted);
      case Event.TimerFired(Timer timer) -> timer == Timer.L ? terminated() : absorb(accepted);
      case Event.TransportFailed() -> report(accepted);
      case Event.Abandoned() -> terminated();
    };
  }

  private Step finalResponse(int status, boolean send) {
    var actions = new ArrayList<Action>();
    if (send) {
      actions.add(new Action.SendResponse());
    }
    if (status < 300) {
      actions.add(new Action.StartTimer(Timer.L, timers.patience()));
      return new Step(new State.Accepted(), actions);
    }
    actions.add(new Action.StartTimer(Timer.H, timers.patience()));
    if (!reliable) {
      actions.add(new Action.StartTimer(Timer.G, timers.t1()));
    }
    return new Step(new State.Completed(timers.t1()), actions);
  }

  private static Step send(State state) {
    return new Step(state, List.of(new Action.SendResponse()));
  }

  // "The INVITE server transaction MUST NOT discard state based only on encountering a
  // non-recoverable transport error when sending a response" (RFC 6026 7.1).
  private static Step report(State state) {
    return new Step(state, List.of(new Action.Report()));
  }

  private static Step terminated() {
    return new Step(new State.Terminated(), List.of());
  }

  private static Step absorb(State state) {
    return new Step(state, List.of());
  }
}
