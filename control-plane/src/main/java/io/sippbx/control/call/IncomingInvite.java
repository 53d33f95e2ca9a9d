package io.sippbx.control.call;

import java.util.List;

/**
 * The caller's INVITE, as the call sees it: above the server transaction.
 *
 * <pre>
 * Proceeding -- ring         --> Proceeding  send provisional
 * Proceeding -- answer       --> Answered    send 2xx until ACK, start the ACK timer
 * Proceeding -- reject       --> Rejected    send final
 * Proceeding -- cancelled    --> Rejected    send 487
 * Answered   -- ack          --> Confirmed   stop the 2xx, stop the ACK timer, relay ACK
 * Answered   -- ack timer    --> Confirmed   stop the 2xx, end the call
 * Answered   -- bye          --> Confirmed   stop the 2xx, stop the ACK timer
 * Confirmed  -- ack          --> Confirmed   relay ACK again
 * Rejected   -- ack          --> Confirmed
 * </pre>
 *
 * Every other (state, event) pair is absorbed. A BYE of the caller in place of the ACK tells that
 * it has the 2xx; after the ACK timer (64*T1) the dialog counts as confirmed and is ended with BYE
 * (13.3.1.4).
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-13.3.1">RFC 3261 13.3.1</a>
 */
public final class IncomingInvite {

  private IncomingInvite() {}

  /** Where the INVITE is. */
  public enum State {
    /** No final response was sent. */
    PROCEEDING,
    /** A 2xx is sent again and again until the ACK comes. */
    ANSWERED,
    /** The ACK came, or something that stands for it. */
    CONFIRMED,
    /** A final response from 300 to 699 was sent, whose ACK has not come. */
    REJECTED
  }

  /** What can happen. */
  public enum Event {
    /** A provisional response is to be sent. */
    RING,
    /** A 2xx is to be sent. */
    ANSWER,
    /** A final response from 300 to 699 is to be sent. */
    REJECT,
    /** The caller sent CANCEL. */
    CANCELLED,
    /** An ACK for the final response came. */
    ACK,
    /** The caller sent BYE. */
    BYE,
    /** No ACK came in 64*T1. */
    ACK_TIMER
  }

  /** What the call must do. */
  public enum Action {
    SEND_PROVISIONAL,
    SEND_SUCCESS_UNTIL_ACK,
    START_ACK_TIMER,
    SEND_FINAL,
    SEND_487,
    STOP_SUCCESS,
    STOP_ACK_TIMER,
    RELAY_ACK,
    END_CALL
  }

  /** The result of one event. */
  public record Step(State state, List<Action> actions) {
    /** Copies {@code actions}. */
    public Step {
      actions = List.copyOf(actions);
    }
  }

  /** The transition function. */
  public static Step next(State state, Event event) {
    return switch (state) {
      case PROCEEDING ->
          switch (event) {
            case RING -> step(state, Action.SEND_PROVISIONAL);
            case ANSWER ->
                step(State.ANSWERED, Action.SEND_SUCCESS_UNTIL_ACK, Action.START_ACK_TIMER);
            case REJECT -> step(State.REJECTED, Action.SEND_FINAL);
            case CANCELLED -> step(State.REJECTED, Action.SEND_487);
            case ACK, BYE, ACK_TIMER -> step(state);
          };
      case ANSWERED ->
          switch (event) {
            case ACK ->
                step(State.CONFIRMED, Action.STOP_SUCCESS, Action.STOP_ACK_TIMER, Action.RELAY_ACK);
            case BYE -> step(State.CONFIRMED, Action.STOP_SUCCESS, Action.STOP_ACK_TIMER);
            case ACK_TIMER -> step(State.CONFIRMED, Action.STOP_SUCCESS, Action.END_CALL);
            case RING, ANSWER, REJECT, CANCELLED -> step(state);
          };
      case CONFIRMED ->
          switch (event) {
            case ACK -> step(state, Action.RELAY_ACK);
            case RING, ANSWER, REJECT, CANCELLED, BYE, ACK_TIMER -> step(state);
          };
      case REJECTED ->
          switch (event) {
            case ACK -> step(State.CONFIRMED);
            case RING, ANSWER, REJECT, CANCELLED, BYE, ACK_TIMER -> step(state);
          };
    };
  }

  private static Step step(State state, Action... actions) {
    return new Step(state, List.of(actions));
  }
}
