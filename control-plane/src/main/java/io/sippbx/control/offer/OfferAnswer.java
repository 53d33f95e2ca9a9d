package io.sippbx.control.offer;

import java.util.List;

/**
 * Offers and answers of one dialog: whether a session description that is sent or received is an
 * offer or an answer, who owes one, and which request comes at the wrong time.
 *
 * <p>The machine knows descriptions only as "there is one". An early dialog of a forked INVITE has
 * a machine of its own, which starts in the state that its INVITE made.
 *
 * <pre>
 * Idle, Stable  -- INVITE with SDP sent / received     --> LocalOffer / RemoteOffer
 * Idle, Stable  -- INVITE without SDP sent / received  --> OfferExpected / OfferDue
 * Stable        -- UPDATE or PRACK with SDP            --> LocalOffer / RemoteOffer
 * OfferExpected -- SDP in 2xx or reliable 18x received --> RemoteOffer   take offer
 * OfferDue      -- SDP in 2xx or reliable 18x sent     --> LocalOffer
 * LocalOffer    -- SDP in unreliable 18x received      --> LocalOffer    take preview
 * LocalOffer    -- the answer received                 --> Stable        take answer
 * LocalOffer    -- 2xx without SDP after a preview     --> Stable        take preview as answer
 * LocalOffer    -- final message without the answer    --> Stable, Idle  answer missing
 * LocalOffer    -- request with an offer received      --> LocalOffer    refuse 491 (glare)
 * RemoteOffer   -- the answer sent                     --> Stable
 * RemoteOffer   -- request with an offer received      --> RemoteOffer   refuse 500 with Retry-After
 * any           -- the request fails, either way       --> as before it  drop offer
 * </pre>
 *
 * The carrier of an offer tells where its answer is due: INVITE: 2xx or reliable 18x; 2xx: ACK;
 * reliable 18x: PRACK; UPDATE and PRACK: their own 2xx. What we send out of turn is {@link
 * Action.Forbidden} and changes nothing; every other (state, event) pair is absorbed, and with it
 * the session description that it may carry.
 *
 * <p>Deviation: RFC 3261 13.2.1 takes the first description in any response for the answer. We take
 * one in an unreliable 18x for a preview only (RFC 6337 3.1.1), and the 2xx's for the answer, for
 * there are gateways that send other addresses in each.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6337#section-2.2">RFC 6337 2.2, the patterns</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3311#section-5">RFC 3311 5</a>
 */
public final class OfferAnswer {

  /** Who sent the INVITE that is in progress, if one is. */
  public enum Invite {
    NONE,
    OURS,
    THEIRS
  }

  /** What carried the offer that is not answered yet. */
  public enum Carrier {
    INVITE,
    RELIABLE_PROVISIONAL,
    SUCCESS,
    UPDATE,
    PRACK
  }

  /** Where offer and answer of the dialog are. */
  public sealed interface State {

    /** Nothing is agreed and nothing is open. */
    record Idle() implements State {}

    /** A session is agreed; {@code invite} is in progress still. */
    record Stable(Invite invite) implements State {}

    /**
     * Our INVITE went without an offer, which is due from the peer.
     *
     * @param agreed whether there is a session to go back to
     */
    record OfferExpected(boolean agreed) implements State {}

    /** The peer's INVITE came without an offer, which is due from us. */
    record OfferDue(boolean agreed) implements State {}

    /**
     * Our offer has no answer yet.
     *
     * @param previewed the peer has sent a description unreliably
     */
    record LocalOffer(Carrier carrier, Invite invite, boolean agreed, boolean previewed)
        implements State {}

    /** The peer's offer has no answer yet. */
    record RemoteOffer(Carrier carrier, Invite invite, boolean agreed) implements State {}
  }

  /** A kind of message that may matter. */
  public enum Message {
    INVITE,
    /** A 101 to 199 to an INVITE, sent unreliably. */
    PROVISIONAL,
    /** A 101 to 199 to an INVITE, with Require: 100rel. */
    RELIABLE_PROVISIONAL,
    /** A 2xx to an INVITE. */
    SUCCESS,
    /** A 300 to 699 to an INVITE, or none in time. */
    FAILURE,
    /** The ACK of a 2xx. */
    ACK,
    UPDATE,
    UPDATE_SUCCESS,
    /** A 300 to 699 to an UPDATE, or none in time. */
    UPDATE_FAILURE,
    PRACK,
    PRACK_SUCCESS
  }

  /** What can happen to offer and answer. Repeats of a message are no events. */
  public sealed interface Event {

    /** We send a message; {@code sdp}: with a session description. */
    record Sent(Message message, boolean sdp) implements Event {}

    /** A message came; {@code sdp}: with a session description that could be read. */
    record Received(Message message, boolean sdp) implements Event {}
  }

  /** What to make of what happened. */
  public sealed interface Action {

    /** The description received is an offer: we owe an answer, or to fail the request. */
    record TakeOffer() implements Action {}

    /** The description received is the answer: the session is agreed. */
    record TakeAnswer() implements Action {}

    /** The description received is what the answer will probably be: media may flow by it. */
    record TakePreview() implements Action {}

    /** There is no other answer: the last preview is it, and the session is agreed. */
    record TakePreviewAsAnswer() implements Action {}

    /** The open offer, ours or the peer's, is void: what was agreed before it holds. */
    record DropOffer() implements Action {}

    /** The peer owed an answer with this message and gave none: the offer is void. */
    record AnswerMissing() implements Action {}

    /** The peer owed an offer with this message and gave none. */
    record OfferMissing() implements Action {}

    /**
     * Answer the request received with this status: 491, or 500 with a Retry-After of 0 to 10 s.
     */
    record Refuse(int status) implements Action {}

    /** What we are about to send is not allowed now: it must not be sent. */
    record Forbidden() implements Action {}
  }

  /** The result of one event: the next state and what to make of it. */
  public record Step(State state, List<Action> actions) {
    /** Copies {@code actions}. */
    public Step {
      actions = List.copyOf(actions);
    }
  }

  private OfferAnswer() {}

  /** The state of a dialog before its first message. */
  public static State start() {
    return new State.Idle();
  }

  /** Whether this may be sent in this state. */
  public static boolean maySend(State state, Message message, boolean sdp) {
    return !next(state, new Event.Sent(message, sdp)).actions().contains(new Action.Forbidden());
  }

  /** The transition function. Pure: equal arguments give equal results. */
  public static Step next(State state, Event event) {
    return switch (state) {
      case State.Idle idle -> inIdle(idle, event);
      case State.Stable stable -> inStable(stable, event);
      case State.OfferExpected expected -> inOfferExpected(expected, event);
      case State.OfferDue due -> inOfferDue(due, event);
      case State.LocalOffer offer -> inLocalOffer(offer, event);
      case State.RemoteOffer offer -> inRemoteOffer(offer, event);
    };
  }

  private static Step inIdle(State.Idle idle, Event event) {
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> invite(Invite.OURS, sdp, false);
            // Without a session there is nothing to update.
            case UPDATE, PRACK -> sdp ? forbidden(idle) : absorb(idle);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                SUCCESS,
                FAILURE,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(idle);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> invite(Invite.THEIRS, sdp, false);
            case UPDATE, PRACK -> sdp ? refuse(idle, 500) : absorb(idle);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                SUCCESS,
                FAILURE,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(idle);
          };
    };
  }

  private static Step inStable(State.Stable stable, Event event) {
    boolean free = stable.invite() == Invite.NONE;
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> free ? invite(Invite.OURS, sdp, true) : forbidden(stable);
            case UPDATE -> sdp ? local(Carrier.UPDATE, stable.invite()) : absorb(stable);
            // Only what acknowledges a response to an INVITE of ours.
            case PRACK ->
                !sdp
                    ? absorb(stable)
                    : stable.invite() == Invite.OURS
                        ? local(Carrier.PRACK, stable.invite())
                        : forbidden(stable);
            case SUCCESS, FAILURE -> inviteEnds(stable, Invite.THEIRS);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(stable);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> free ? invite(Invite.THEIRS, sdp, true) : early(stable, stable.invite());
            case UPDATE -> sdp ? remote(Carrier.UPDATE, stable.invite()) : absorb(stable);
            case PRACK ->
                !sdp
                    ? absorb(stable)
                    : stable.invite() == Invite.THEIRS
                        ? remote(Carrier.PRACK, stable.invite())
                        : refuse(stable, 500);
            case SUCCESS, FAILURE -> inviteEnds(stable, Invite.OURS);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(stable);
          };
    };
  }

  private static Step inOfferExpected(State.OfferExpected state, Event event) {
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> forbidden(state);
            case UPDATE, PRACK -> sdp ? forbidden(state) : absorb(state);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                SUCCESS,
                FAILURE,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(state);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case RELIABLE_PROVISIONAL ->
                sdp
                    ? step(
                        new State.RemoteOffer(
                            Carrier.RELIABLE_PROVISIONAL, Invite.OURS, state.agreed()),
                        new Action.TakeOffer())
                    : absorb(state);
            case SUCCESS ->
                sdp
                    ? step(
                        new State.RemoteOffer(Carrier.SUCCESS, Invite.OURS, state.agreed()),
                        new Action.TakeOffer())
                    : step(back(state.agreed(), Invite.NONE), new Action.OfferMissing());
            case FAILURE -> step(back(state.agreed(), Invite.NONE));
            case INVITE -> refuse(state, 491);
            case UPDATE, PRACK -> sdp ? refuse(state, 491) : absorb(state);
            case PROVISIONAL, ACK, UPDATE_SUCCESS, UPDATE_FAILURE, PRACK_SUCCESS -> absorb(state);
          };
    };
  }

  private static Step inOfferDue(State.OfferDue state, Event event) {
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            case RELIABLE_PROVISIONAL ->
                sdp
                    ? step(
                        new State.LocalOffer(
                            Carrier.RELIABLE_PROVISIONAL, Invite.THEIRS, state.agreed(), false))
                    : absorb(state);
            case SUCCESS ->
                sdp
                    ? step(
                        new State.LocalOffer(Carrier.SUCCESS, Invite.THEIRS, state.agreed(), false))
                    // RFC 3261 13.2.1: if the offer was not in the INVITE it MUST be in the first
                    // reliable non-failure message back.
                    : forbidden(state);
            case FAILURE -> step(back(state.agreed(), Invite.NONE));
            // No one could answer an offer in it.
            case PROVISIONAL -> sdp ? forbidden(state) : absorb(state);
            case INVITE -> forbidden(state);
            case UPDATE, PRACK -> sdp ? forbidden(state) : absorb(state);
            case ACK, UPDATE_SUCCESS, UPDATE_FAILURE, PRACK_SUCCESS -> absorb(state);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> refuse(state, 500);
            case UPDATE, PRACK -> sdp ? refuse(state, 500) : absorb(state);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                SUCCESS,
                FAILURE,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(state);
          };
    };
  }

  private static Step inLocalOffer(State.LocalOffer state, Event event) {
    boolean inInvite = state.carrier() == Carrier.INVITE;
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            case INVITE -> forbidden(state);
            case UPDATE, PRACK -> sdp ? forbidden(state) : absorb(state);
            case SUCCESS ->
                // RFC 3262 3: not before the offer of a reliable 18x is answered.
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? forbidden(state)
                    : localInviteEnds(state, Invite.THEIRS);
            case FAILURE ->
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? step(back(state.agreed(), Invite.NONE), new Action.DropOffer())
                    : localInviteEnds(state, Invite.THEIRS);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(state);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case PROVISIONAL ->
                inInvite && sdp
                    ? step(
                        new State.LocalOffer(state.carrier(), state.invite(), state.agreed(), true),
                        new Action.TakePreview())
                    : absorb(state);
            case RELIABLE_PROVISIONAL ->
                inInvite && sdp
                    ? step(new State.Stable(Invite.OURS), new Action.TakeAnswer())
                    : absorb(state);
            case SUCCESS ->
                inInvite ? finalAnswer(state, sdp) : localInviteEnds(state, Invite.OURS);
            case FAILURE ->
                inInvite
                    ? step(back(state.agreed(), Invite.NONE), new Action.DropOffer())
                    : localInviteEnds(state, Invite.OURS);
            case ACK -> state.carrier() == Carrier.SUCCESS ? answered(state, sdp) : absorb(state);
            case UPDATE_SUCCESS ->
                state.carrier() == Carrier.UPDATE ? answered(state, sdp) : absorb(state);
            case UPDATE_FAILURE ->
                state.carrier() == Carrier.UPDATE
                    ? step(new State.Stable(state.invite()), new Action.DropOffer())
                    : absorb(state);
            case PRACK_SUCCESS ->
                state.carrier() == Carrier.PRACK ? answered(state, sdp) : absorb(state);
            case PRACK ->
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? reliablyAnswered(state, sdp)
                    : sdp ? refuse(state, 491) : absorb(state);
            // RFC 3261 14.2, RFC 3311 5.2: both have offered at once.
            case INVITE -> early(state, state.invite());
            case UPDATE -> sdp ? refuse(state, 491) : absorb(state);
          };
    };
  }

  private static Step inRemoteOffer(State.RemoteOffer state, Event event) {
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) ->
          switch (message) {
            // A preview: the same description has to be in the answer.
            case PROVISIONAL -> absorb(state);
            case RELIABLE_PROVISIONAL ->
                state.carrier() == Carrier.INVITE && sdp
                    ? step(new State.Stable(Invite.THEIRS))
                    : absorb(state);
            case SUCCESS ->
                state.carrier() == Carrier.INVITE
                    ? sdp ? step(new State.Stable(Invite.NONE)) : forbidden(state)
                    : remoteInviteEnds(state, Invite.THEIRS);
            case FAILURE ->
                state.carrier() == Carrier.INVITE
                    ? step(back(state.agreed(), Invite.NONE), new Action.DropOffer())
                    : remoteInviteEnds(state, Invite.THEIRS);
            case ACK ->
                state.carrier() != Carrier.SUCCESS
                    ? absorb(state)
                    : sdp
                        ? step(new State.Stable(Invite.NONE))
                        // The 2xx must be acknowledged even so; a BYE follows.
                        : step(back(state.agreed(), Invite.NONE), new Action.DropOffer());
            case UPDATE_SUCCESS -> owed(state, Carrier.UPDATE, sdp);
            case UPDATE_FAILURE ->
                state.carrier() == Carrier.UPDATE
                    ? step(new State.Stable(state.invite()), new Action.DropOffer())
                    : absorb(state);
            case PRACK_SUCCESS -> owed(state, Carrier.PRACK, sdp);
            case PRACK ->
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? owed(state, Carrier.RELIABLE_PROVISIONAL, sdp)
                    : sdp ? forbidden(state) : absorb(state);
            case INVITE -> forbidden(state);
            case UPDATE -> sdp ? forbidden(state) : absorb(state);
          };
      case Event.Received(Message message, boolean sdp) ->
          switch (message) {
            case SUCCESS ->
                // It did not wait for our PRACK, so that the ACK is what is left for the answer.
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? step(
                        new State.RemoteOffer(Carrier.SUCCESS, Invite.OURS, state.agreed()),
                        sdp ? List.of(new Action.TakeOffer()) : List.of())
                    : remoteInviteEnds(state, Invite.OURS);
            case FAILURE ->
                state.carrier() == Carrier.RELIABLE_PROVISIONAL
                    ? step(back(state.agreed(), Invite.NONE), new Action.DropOffer())
                    : remoteInviteEnds(state, Invite.OURS);
            // RFC 3261 14.2, RFC 3311 5.2: its first offer has no answer yet.
            case INVITE -> refuse(state, state.invite() == Invite.OURS ? 491 : 500);
            case UPDATE, PRACK -> sdp ? refuse(state, 500) : absorb(state);
            case PROVISIONAL,
                RELIABLE_PROVISIONAL,
                ACK,
                UPDATE_SUCCESS,
                UPDATE_FAILURE,
                PRACK_SUCCESS ->
                absorb(state);
          };
    };
  }

  private static Step invite(Invite whose, boolean sdp, boolean agreed) {
    if (whose == Invite.OURS) {
      return sdp
          ? step(new State.LocalOffer(Carrier.INVITE, whose, agreed, false))
          : step(new State.OfferExpected(agreed));
    }
    return sdp
        ? step(new State.RemoteOffer(Carrier.INVITE, whose, agreed), new Action.TakeOffer())
        : step(new State.OfferDue(agreed));
  }

  private static Step local(Carrier carrier, Invite invite) {
    return step(new State.LocalOffer(carrier, invite, true, false));
  }

  private static Step remote(Carrier carrier, Invite invite) {
    return step(new State.RemoteOffer(carrier, invite, true), new Action.TakeOffer());
  }

  /** A second INVITE: 500 while the peer's own is in progress, else 491 (RFC 3261 14.2). */
  private static Step early(State state, Invite inProgress) {
    return refuse(state, inProgress == Invite.THEIRS ? 500 : 491);
  }

  private static Step inviteEnds(State.Stable state, Invite whose) {
    return state.invite() == whose ? step(new State.Stable(Invite.NONE)) : absorb(state);
  }

  private static Step localInviteEnds(State.LocalOffer state, Invite whose) {
    return isBeside(state.carrier()) && state.invite() == whose
        ? step(
            new State.LocalOffer(state.carrier(), Invite.NONE, state.agreed(), state.previewed()))
        : absorb(state);
  }

  private static Step remoteInviteEnds(State.RemoteOffer state, Invite whose) {
    return isBeside(state.carrier()) && state.invite() == whose
        ? step(new State.RemoteOffer(state.carrier(), Invite.NONE, state.agreed()))
        : absorb(state);
  }

  /** Whether the offer is in a request beside the INVITE, so that it outlives it. */
  private static boolean isBeside(Carrier carrier) {
    return carrier == Carrier.UPDATE || carrier == Carrier.PRACK;
  }

  private static Step finalAnswer(State.LocalOffer state, boolean sdp) {
    if (sdp) {
      return step(new State.Stable(Invite.NONE), new Action.TakeAnswer());
    }
    return state.previewed()
        ? step(new State.Stable(Invite.NONE), new Action.TakePreviewAsAnswer())
        : step(back(state.agreed(), Invite.NONE), new Action.AnswerMissing());
  }

  private static Step answered(State.LocalOffer state, boolean sdp) {
    Invite left = isBeside(state.carrier()) ? state.invite() : Invite.NONE;
    return sdp
        ? step(new State.Stable(left), new Action.TakeAnswer())
        : step(back(state.agreed(), left), new Action.AnswerMissing());
  }

  private static Step reliablyAnswered(State.LocalOffer state, boolean sdp) {
    return sdp
        ? step(new State.Stable(Invite.THEIRS), new Action.TakeAnswer())
        : step(new State.OfferDue(state.agreed()), new Action.AnswerMissing());
  }

  private static Step owed(State.RemoteOffer state, Carrier carrier, boolean sdp) {
    if (state.carrier() != carrier) {
      return absorb(state);
    }
    return sdp ? step(new State.Stable(state.invite())) : forbidden(state);
  }

  /** Where it was before the exchange that failed. */
  private static State back(boolean agreed, Invite invite) {
    return agreed ? new State.Stable(invite) : new State.Idle();
  }

  private static Step refuse(State state, int status) {
    return step(state, new Action.Refuse(status));
  }

  private static Step forbidden(State state) {
    return step(state, new Action.Forbidden());
  }

  private static Step absorb(State state) {
    return step(state, List.of());
  }

  private static Step step(State state, Action... actions) {
    return new Step(state, List.of(actions));
  }

  private static Step step(State state, List<Action> actions) {
    return new Step(state, actions);
  }
}
