package io.sippbx.control.call;

import java.util.List;

/**
 * The end of one side of an answered call.
 *
 * <pre>
 * Up, ByeWanted -- hang up          --> ByeSent    send BYE
 * Up        -- hang up, ACK is due    --> ByeWanted
 * ByeWanted -- acknowledged            --> ByeSent    send BYE
 * Up, ByeWanted, ByeSent -- BYE        --> Gone       answer 200
 * ByeSent   -- final response          --> Gone
 * Gone      -- BYE                     --> Gone       answer 200
 * </pre>
 *
 * Every other (state, event) pair is absorbed. Who was sent a 2xx is sent BYE only once the ACK has
 * come or is not waited for any more (RFC 3261 15).
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-15">RFC 3261 15</a>
 */
public final class LegEnd {

  private LegEnd() {}

  /** Where the leg is. */
  public enum State {
    UP,
    /** BYE is due once our 2xx is acknowledged. */
    BYE_WANTED,
    BYE_SENT,
    GONE
  }

  /** What can happen. */
  public enum Event {
    /** We end the leg, and the peer has acknowledged our last 2xx. */
    HANG_UP,
    /** We end the leg, and an ACK for our 2xx is due. */
    HANG_UP_UNACKNOWLEDGED,
    /** The ACK came, or is not waited for any more. */
    ACKNOWLEDGED,
    /** The peer sent BYE. */
    BYE,
    /** Our BYE was answered, whatever the status, or will not be. */
    BYE_DONE
  }

  /** What the call must do. */
  public enum Action {
    SEND_BYE,
    ANSWER_200
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
    return switch (event) {
      case BYE -> new Step(State.GONE, List.of(Action.ANSWER_200));
      case HANG_UP ->
          switch (state) {
            case UP, BYE_WANTED -> new Step(State.BYE_SENT, List.of(Action.SEND_BYE));
            case BYE_SENT, GONE -> new Step(state, List.of());
          };
      case HANG_UP_UNACKNOWLEDGED ->
          switch (state) {
            case UP -> new Step(State.BYE_WANTED, List.of());
            case BYE_WANTED, BYE_SENT, GONE -> new Step(state, List.of());
          };
      case ACKNOWLEDGED ->
          switch (state) {
            case BYE_WANTED -> new Step(State.BYE_SENT, List.of(Action.SEND_BYE));
            case UP, BYE_SENT, GONE -> new Step(state, List.of());
          };
      case BYE_DONE ->
          switch (state) {
            case BYE_SENT -> new Step(State.GONE, List.of());
            case UP, BYE_WANTED, GONE -> new Step(state, List.of());
          };
    };
  }
}
