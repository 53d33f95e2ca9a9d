package io.sippbx.control.call;

import java.util.List;

/**
 * Our INVITE to a callee, as the call sees it: above the client transaction, which retransmits and
 * acknowledges failures.
 *
 * <pre>
 * Calling      -- provisional  --> Proceeding    relay provisional
 * Proceeding   -- provisional  --> Proceeding    relay provisional
 * Calling, Proceeding -- success --> Answered    relay success
 * Calling, Proceeding -- failure --> Failed      report failure
 * Calling, Proceeding -- fail over --> Calling   send again, to the next destination
 * Calling      -- cancel       --> CancelWaiting
 * Proceeding   -- cancel       --> Cancelling    send CANCEL, start the cancel timer
 * CancelWaiting -- provisional --> Cancelling    send CANCEL, start the cancel timer
 * CancelWaiting, Cancelling -- success --> Discarded  acknowledge and send BYE
 * CancelWaiting, Cancelling -- failure, fail over --> Failed  report cancelled
 * Cancelling   -- cancel timer --> Failed        report cancelled
 * Answered     -- cancel       --> Discarded     acknowledge and send BYE
 * Answered, Discarded -- success (another fork) --> same  acknowledge and send BYE
 * </pre>
 *
 * Every other (state, event) pair is absorbed. A CANCEL is never sent before a provisional response
 * (RFC 3261 9.1); a callee that answers all the same is acknowledged and sent BYE.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-9.1">RFC 3261 9.1</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-13.2.2">RFC 3261 13.2.2</a>
 */
public final class OutgoingInvite {

  private OutgoingInvite() {}

  /** Where the INVITE is. */
  public enum State {
    /** Sent; nothing was heard. */
    CALLING,
    /** A provisional response was heard. */
    PROCEEDING,
    /** To be cancelled once a provisional response allows it. */
    CANCEL_WAITING,
    /** CANCEL was sent; the final response is awaited. */
    CANCELLING,
    /** A 2xx was relayed. */
    ANSWERED,
    /** A 2xx came that nobody wanted: it was acknowledged and its dialog is being ended. */
    DISCARDED,
    /** There is no dialog and will be none. */
    FAILED;

    /** Whether a final response is still awaited. */
    public boolean isOpen() {
      return switch (this) {
        case CALLING, PROCEEDING, CANCEL_WAITING, CANCELLING -> true;
        case ANSWERED, DISCARDED, FAILED -> false;
      };
    }
  }

  /** What can happen. */
  public enum Event {
    /** A response from 101 to 199, or the first 100. */
    PROVISIONAL,
    /** A 2xx, in a dialog that has not answered yet. */
    SUCCESS,
    /** A final response from 300 to 699, or none at all: time-out, transport. */
    FAILURE,
    /** The destination is out of service, and there is another (RFC 3263 4.3). */
    FAIL_OVER,
    /** The call does not want this leg any more. */
    CANCEL,
    /** No final response came in 64*T1 after the CANCEL. */
    CANCEL_TIMER
  }

  /** What the call must do. */
  public enum Action {
    SEND_AGAIN,
    RELAY_PROVISIONAL,
    RELAY_SUCCESS,
    REPORT_FAILURE,
    REPORT_CANCELLED,
    SEND_CANCEL,
    START_CANCEL_TIMER,
    ACKNOWLEDGE_AND_BYE
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
      case CALLING ->
          switch (event) {
            case PROVISIONAL -> step(State.PROCEEDING, Action.RELAY_PROVISIONAL);
            case SUCCESS -> step(State.ANSWERED, Action.RELAY_SUCCESS);
            case FAILURE -> step(State.FAILED, Action.REPORT_FAILURE);
            case FAIL_OVER -> step(State.CALLING, Action.SEND_AGAIN);
            case CANCEL -> step(State.CANCEL_WAITING);
            case CANCEL_TIMER -> step(state);
          };
      case PROCEEDING ->
          switch (event) {
            case PROVISIONAL -> step(State.PROCEEDING, Action.RELAY_PROVISIONAL);
            case SUCCESS -> step(State.ANSWERED, Action.RELAY_SUCCESS);
            case FAILURE -> step(State.FAILED, Action.REPORT_FAILURE);
            case FAIL_OVER -> step(State.CALLING, Action.SEND_AGAIN);
            case CANCEL -> step(State.CANCELLING, Action.SEND_CANCEL, Action.START_CANCEL_TIMER);
            case CANCEL_TIMER -> step(state);
          };
      case CANCEL_WAITING ->
          switch (event) {
            case PROVISIONAL ->
                step(State.CANCELLING, Action.SEND_CANCEL, Action.START_CANCEL_TIMER);
            case SUCCESS -> step(State.DISCARDED, Action.ACKNOWLEDGE_AND_BYE);
            case FAILURE, FAIL_OVER -> step(State.FAILED, Action.REPORT_CANCELLED);
            case CANCEL, CANCEL_TIMER -> step(state);
          };
      case CANCELLING ->
          switch (event) {
            case SUCCESS -> step(State.DISCARDED, Action.ACKNOWLEDGE_AND_BYE);
            case FAILURE, FAIL_OVER, CANCEL_TIMER -> step(State.FAILED, Action.REPORT_CANCELLED);
            case PROVISIONAL, CANCEL -> step(state);
          };
      case ANSWERED ->
          switch (event) {
            case SUCCESS -> step(state, Action.ACKNOWLEDGE_AND_BYE);
            case CANCEL -> step(State.DISCARDED, Action.ACKNOWLEDGE_AND_BYE);
            case PROVISIONAL, FAILURE, FAIL_OVER, CANCEL_TIMER -> step(state);
          };
      case DISCARDED, FAILED ->
          switch (event) {
            case SUCCESS -> step(State.DISCARDED, Action.ACKNOWLEDGE_AND_BYE);
            case PROVISIONAL, FAILURE, FAIL_OVER, CANCEL, CANCEL_TIMER -> step(state);
          };
    };
  }

  private static Step step(State state, Action... actions) {
    return new Step(state, List.of(actions));
  }
}
