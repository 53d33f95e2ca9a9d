package io.sippbx.control.store.state;

import io.sippbx.control.call.SdpState;
import io.sippbx.control.offer.End;
import io.sippbx.control.offer.LegSdp;
import io.sippbx.control.offer.OfferAnswer;
import io.sippbx.proto.state.v1.OfferAnswerState;
import io.sippbx.proto.state.v1.Sdp;
import io.sippbx.proto.state.v1.ToldSdp;
import java.util.Optional;

/** The stored form of what was said of a session. */
final class SdpForm {

  private static final EnumTable<OfferAnswer.Invite, OfferAnswerState.Invite> INVITES =
      new EnumTable<>(OfferAnswer.Invite.class, OfferAnswerState.Invite.class, "INVITE_");
  private static final EnumTable<OfferAnswer.Carrier, OfferAnswerState.Carrier> CARRIERS =
      new EnumTable<>(OfferAnswer.Carrier.class, OfferAnswerState.Carrier.class, "CARRIER_");

  private final Blobs blobs;

  SdpForm(Blobs blobs) {
    this.blobs = blobs;
  }

  ToldSdp stored(LegSdp sdp) {
    var form =
        ToldSdp.newBuilder()
            .setTowardsCallee(sdp.end() == End.B)
            .setSessionId(sdp.sessionId())
            .setOriginIp(Values.stored(sdp.originAddress()))
            .setVersion(sdp.version());
    sdp.told().ifPresent(told -> form.setTold(blobs.add(told)));
    return form.build();
  }

  LegSdp told(ToldSdp form) {
    return new LegSdp(
        form.getTowardsCallee() ? End.B : End.A,
        form.getSessionId(),
        Values.ip(form.getOriginIp()),
        form.getVersion(),
        form.hasTold() ? Optional.of(blobs.description(form.getTold())) : Optional.empty());
  }

  Sdp stored(SdpState sdp) {
    var form = Sdp.newBuilder().setOurs(stored(sdp.ours()));
    sdp.theirs().ifPresent(theirs -> form.setTheirs(blobs.add(theirs)));
    return form.build();
  }

  SdpState sdp(Sdp form) {
    return new SdpState(
        told(form.getOurs()),
        form.hasTheirs() ? Optional.of(blobs.description(form.getTheirs())) : Optional.empty());
  }

  static OfferAnswerState stored(OfferAnswer.State state) {
    var form = OfferAnswerState.newBuilder();
    switch (state) {
      case OfferAnswer.State.Idle idle -> form.setKind(OfferAnswerState.Kind.KIND_IDLE);
      case OfferAnswer.State.Stable stable ->
          form.setKind(OfferAnswerState.Kind.KIND_STABLE)
              .setInvite(INVITES.stored(stable.invite()));
      case OfferAnswer.State.OfferExpected expected ->
          form.setKind(OfferAnswerState.Kind.KIND_OFFER_EXPECTED).setAgreed(expected.agreed());
      case OfferAnswer.State.OfferDue due ->
          form.setKind(OfferAnswerState.Kind.KIND_OFFER_DUE).setAgreed(due.agreed());
      case OfferAnswer.State.LocalOffer local ->
          form.setKind(OfferAnswerState.Kind.KIND_LOCAL_OFFER)
              .setCarrier(CARRIERS.stored(local.carrier()))
              .setInvite(INVITES.stored(local.invite()))
              .setAgreed(local.agreed())
              .setPreviewed(local.previewed());
      case OfferAnswer.State.RemoteOffer remote ->
          form.setKind(OfferAnswerState.Kind.KIND_REMOTE_OFFER)
              .setCarrier(CARRIERS.stored(remote.carrier()))
              .setInvite(INVITES.stored(remote.invite()))
              .setAgreed(remote.agreed());
    }
    return form.build();
  }

  static OfferAnswer.State offers(OfferAnswerState form) {
    return switch (form.getKind()) {
      case KIND_IDLE -> new OfferAnswer.State.Idle();
      case KIND_STABLE -> new OfferAnswer.State.Stable(INVITES.domain(form.getInvite()));
      case KIND_OFFER_EXPECTED -> new OfferAnswer.State.OfferExpected(form.getAgreed());
      case KIND_OFFER_DUE -> new OfferAnswer.State.OfferDue(form.getAgreed());
      case KIND_LOCAL_OFFER ->
          new OfferAnswer.State.LocalOffer(
              CARRIERS.domain(form.getCarrier()),
              INVITES.domain(form.getInvite()),
              form.getAgreed(),
              form.getPreviewed());
      case KIND_REMOTE_OFFER ->
          new OfferAnswer.State.RemoteOffer(
              CARRIERS.domain(form.getCarrier()),
              INVITES.domain(form.getInvite()),
              form.getAgreed());
      case KIND_UNSPECIFIED, UNRECOGNIZED ->
          throw new UnreadableException("Expected a state of offer and answer, got " + form);
    };
  }
}
