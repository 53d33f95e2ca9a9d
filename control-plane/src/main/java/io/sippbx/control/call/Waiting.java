package io.sippbx.control.call;

import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.sip.message.Method;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An input that waits for its call.
 *
 * @param received how it came; empty: it is of this node's own making
 * @param absent is given the input where there is no such call
 * @param sinceNs when it came
 * @param isStray whether it is a response for which no transaction of this node waited when it came
 * @param isOwed whether it is, or sets right, what this node has told a peer before it was written:
 *     no other node knows of it, and the peer does not repeat it
 */
record Waiting(
    Input input,
    Optional<Received> received,
    Consumer<Input> absent,
    long sinceNs,
    boolean isStray,
    boolean isOwed) {

  /** The same, once its peer has been answered. */
  Waiting owed() {
    return new Waiting(input, received, absent, sinceNs, isStray, true);
  }

  /** Whether it asks for no more than that something ends, which harms nobody. */
  boolean onlyEnds() {
    return input instanceof Input.RequestArrived in
        && (in.request().method().equals(Method.BYE)
            || in.request().method().equals(Method.CANCEL));
  }

  /** Whether a peer loses nothing if it is taken up a little later: it has hung up. */
  boolean isUnhurried() {
    return input instanceof Input.RequestArrived in && in.request().method().equals(Method.BYE);
  }

  /**
   * Whether, of a call that there is, it is the INVITE that began it, once more. Who accepted that
   * answers it: another refusal would end the call for its caller alone. It is repeated.
   */
  boolean isCopy() {
    return input instanceof Input.InviteArrived;
  }

  /** Whether it is of a transaction that is open somewhere, or of where the media is by now. */
  boolean isOfWhatIsOpen() {
    return switch (input) {
      case Input.AckArrived in -> true;
      case Input.ResponseArrived in -> true;
      case Input.RequestArrived in -> in.request().method().equals(Method.CANCEL);
      // Nobody reads a record for a first packet.
      case Input.MediaHappened in -> !(in.event() instanceof MediaEvent.FirstPacket);
      case Input.InviteArrived in -> false;
      case Input.RefusalAcknowledged in -> false;
      case Input.RequestFailed in -> false;
      case Input.TimerFired in -> false;
      case Input.MediaApplied in -> false;
      case Input.MediaReleased in -> false;
      case Input.MediaPlaced in -> false;
      case Input.LeaseGivenBack in -> false;
      case Input.TakenOver in -> false;
      case Input.RefusedAhead in -> false;
      case Input.HangUp in -> false;
    };
  }

  /** Whether somebody waits for an answer, and may ask again. */
  boolean mayBeRefused() {
    return input instanceof Input.InviteArrived
        || input instanceof Input.RequestArrived && !onlyEnds();
  }
}
