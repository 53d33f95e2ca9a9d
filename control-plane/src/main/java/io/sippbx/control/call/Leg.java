package io.sippbx.control.call;

import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import java.util.Optional;

/**
 * One side of an answered call.
 *
 * @param forkOrdinal of the dialog, as in the caller-side tag
 * @param sdp what was said of the session in its dialog
 * @param offers whose turn it is to say something of the session
 * @param ack our last ACK for a 2xx on this leg, given again to each repeat of the 2xx
 * @param answered the last request of the peer whose answer cannot be found again otherwise (its
 *     BYE, what was passed on and answered, a re-INVITE that was refused), with our final answer,
 *     given again to a repeat that comes after the transaction, to whichever node
 */
public record Leg(
    Side side,
    int forkOrdinal,
    Dialog dialog,
    SdpState sdp,
    OfferAnswer.State offers,
    LegEnd.State end,
    Optional<SipRequest> ack,
    Optional<Answered> answered) {

  /** A request and what we answered. */
  public record Answered(CSeq cSeq, SipResponse response) {}

  Leg with(Dialog next) {
    return new Leg(side, forkOrdinal, next, sdp, offers, end, ack, answered);
  }

  Leg with(SdpState next) {
    return new Leg(side, forkOrdinal, dialog, next, offers, end, ack, answered);
  }

  Leg with(LegEnd.State next) {
    return new Leg(side, forkOrdinal, dialog, sdp, offers, next, ack, answered);
  }

  Leg withAck(SipRequest sent) {
    return new Leg(side, forkOrdinal, dialog, sdp, offers, end, Optional.of(sent), answered);
  }

  Leg withAnswered(SipRequest request, SipResponse response) {
    return new Leg(
        side,
        forkOrdinal,
        dialog,
        sdp,
        offers,
        end,
        ack,
        Optional.of(new Answered(request.cSeq(), response)));
  }

  /** The peer sent this; {@code described}: with a session description that could be read. */
  Leg hears(OfferAnswer.Message message, boolean described) {
    return with(
        OfferAnswer.next(offers, new OfferAnswer.Event.Received(message, described)).state());
  }

  /** We send this; {@code described}: with a session description. */
  Leg tells(OfferAnswer.Message message, boolean described) {
    return with(OfferAnswer.next(offers, new OfferAnswer.Event.Sent(message, described)).state());
  }

  private Leg with(OfferAnswer.State next) {
    return new Leg(side, forkOrdinal, dialog, sdp, next, end, ack, answered);
  }

  /** The status to refuse a re-INVITE of the peer with, if it comes at the wrong time. */
  Optional<Integer> refusesInvite(boolean described) {
    return OfferAnswer.next(
            offers, new OfferAnswer.Event.Received(OfferAnswer.Message.INVITE, described))
        .actions()
        .stream()
        .filter(OfferAnswer.Action.Refuse.class::isInstance)
        .map(action -> ((OfferAnswer.Action.Refuse) action).status())
        .findFirst();
  }
}
