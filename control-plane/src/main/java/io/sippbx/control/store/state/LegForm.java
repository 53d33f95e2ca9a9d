package io.sippbx.control.store.state;

import io.sippbx.control.call.CalleeLeg;
import io.sippbx.control.call.CallerLeg;
import io.sippbx.control.call.Dialog;
import io.sippbx.control.call.Fork;
import io.sippbx.control.call.IncomingInvite;
import io.sippbx.control.call.Leg;
import io.sippbx.control.call.LegEnd;
import io.sippbx.control.call.OutgoingInvite;
import io.sippbx.control.call.Reinvite;
import io.sippbx.control.call.Renewal;
import io.sippbx.control.call.Side;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.proto.state.v1.AnsweredBye;
import io.sippbx.proto.state.v1.Blob;
import io.sippbx.proto.state.v1.IncomingInviteState;
import io.sippbx.proto.state.v1.LegEndState;
import io.sippbx.proto.state.v1.OutgoingInviteState;
import java.util.Optional;

/** The stored form of legs and dialogs. */
final class LegForm {

  private static final EnumTable<IncomingInvite.State, IncomingInviteState> INCOMING =
      new EnumTable<>(
          IncomingInvite.State.class, IncomingInviteState.class, "INCOMING_INVITE_STATE_");
  private static final EnumTable<OutgoingInvite.State, OutgoingInviteState> OUTGOING =
      new EnumTable<>(
          OutgoingInvite.State.class, OutgoingInviteState.class, "OUTGOING_INVITE_STATE_");
  private static final EnumTable<LegEnd.State, LegEndState> ENDS =
      new EnumTable<>(LegEnd.State.class, LegEndState.class, "LEG_END_STATE_");
  private static final EnumTable<Side, io.sippbx.proto.state.v1.Side> SIDES =
      new EnumTable<>(Side.class, io.sippbx.proto.state.v1.Side.class, "SIDE_");

  private final Blobs blobs;
  private final SdpForm sdp;

  LegForm(Blobs blobs) {
    this.blobs = blobs;
    this.sdp = new SdpForm(blobs);
  }

  static io.sippbx.proto.state.v1.Side stored(Side side) {
    return SIDES.stored(side);
  }

  static Side side(io.sippbx.proto.state.v1.Side form) {
    return SIDES.domain(form);
  }

  io.sippbx.proto.state.v1.CallerLeg stored(CallerLeg leg) {
    var form =
        io.sippbx.proto.state.v1.CallerLeg.newBuilder()
            .setTransaction(Values.stored(leg.transaction()))
            .setInvite(blobs.add(leg.invite()))
            .setFlow(Values.stored(leg.flow()))
            .setHop(Values.stored(leg.hop()))
            .setState(INCOMING.stored(leg.state()));
    leg.lastResponse().ifPresent(response -> form.setLastResponse(blobs.add(response)));
    return form.build();
  }

  CallerLeg caller(io.sippbx.proto.state.v1.CallerLeg form) {
    return new CallerLeg(
        Values.transaction(form.getTransaction()),
        blobs.request(form.getInvite()),
        Values.flow(form.getFlow()),
        Values.destination(form.getHop()),
        INCOMING.domain(form.getState()),
        response(form.hasLastResponse(), form.getLastResponse()));
  }

  io.sippbx.proto.state.v1.CalleeLeg stored(CalleeLeg leg) {
    var form =
        io.sippbx.proto.state.v1.CalleeLeg.newBuilder()
            .setOrdinal(leg.ordinal())
            .setBranch(leg.branch().value())
            .setInvite(blobs.add(leg.invite()))
            .setHop(Values.stored(leg.hop()))
            .setSdp(sdp.stored(leg.sdp()))
            .setRedirected(leg.redirected())
            .setState(OUTGOING.stored(leg.state()))
            .addAllSpare(Values.storedSpare(leg.spare()));
    for (Fork each : leg.forks()) {
      form.addForks(stored(each));
    }
    return form.build();
  }

  CalleeLeg callee(io.sippbx.proto.state.v1.CalleeLeg form) {
    return new CalleeLeg(
        form.getOrdinal(),
        new Branch(form.getBranch()),
        blobs.request(form.getInvite()),
        Values.destination(form.getHop()),
        Values.spare(form.getSpareList()),
        sdp.told(form.getSdp()),
        form.getRedirected(),
        OUTGOING.domain(form.getState()),
        form.getForksList().stream().map(this::fork).toList());
  }

  private io.sippbx.proto.state.v1.Fork stored(Fork fork) {
    var form =
        io.sippbx.proto.state.v1.Fork.newBuilder()
            .setOrdinal(fork.ordinal())
            .setDialog(stored(fork.dialog()))
            .setCallee(sdp.stored(fork.callee()))
            .setCaller(sdp.stored(fork.caller()));
    fork.ack().ifPresent(ack -> form.setAck(blobs.add(ack)));
    return form.build();
  }

  private Fork fork(io.sippbx.proto.state.v1.Fork form) {
    return new Fork(
        form.getOrdinal(),
        dialog(form.getDialog()),
        sdp.sdp(form.getCallee()),
        sdp.sdp(form.getCaller()),
        request(form.hasAck(), form.getAck()));
  }

  private static io.sippbx.proto.state.v1.Dialog stored(Dialog dialog) {
    var form =
        io.sippbx.proto.state.v1.Dialog.newBuilder()
            .setCallId(dialog.callId().value())
            .setLocal(dialog.local().toString())
            .setRemote(dialog.remote().toString())
            .setLocalCseq((int) dialog.localCSeq())
            .addAllRoutes(Values.stored(dialog.routes()))
            .setRemoteTarget(dialog.remoteTarget().toString())
            .setContact(dialog.contact().toString())
            .setHop(Values.stored(dialog.hop()));
    if (dialog.remoteCSeq() >= 0) {
      form.setRemoteCseq((int) dialog.remoteCSeq());
    }
    return form.build();
  }

  private static Dialog dialog(io.sippbx.proto.state.v1.Dialog form) {
    return new Dialog(
        new CallId(form.getCallId()),
        Values.nameAddr(form.getLocal()),
        Values.nameAddr(form.getRemote()),
        Integer.toUnsignedLong(form.getLocalCseq()),
        form.hasRemoteCseq() ? Integer.toUnsignedLong(form.getRemoteCseq()) : -1,
        Values.nameAddrs(form.getRoutesList()),
        Values.uri(form.getRemoteTarget()),
        Values.nameAddr(form.getContact()),
        Values.destination(form.getHop()));
  }

  io.sippbx.proto.state.v1.Leg stored(Leg leg) {
    var form =
        io.sippbx.proto.state.v1.Leg.newBuilder()
            .setSide(stored(leg.side()))
            .setForkOrdinal(leg.forkOrdinal())
            .setDialog(stored(leg.dialog()))
            .setSdp(sdp.stored(leg.sdp()))
            .setOffers(SdpForm.stored(leg.offers()))
            .setEnd(ENDS.stored(leg.end()));
    leg.ack().ifPresent(ack -> form.setAck(blobs.add(ack)));
    leg.answered()
        .ifPresent(
            answered ->
                form.setBye(
                    AnsweredBye.newBuilder()
                        .setCseq((int) answered.cSeq().number())
                        .setMethod(answered.cSeq().method().name())
                        .setResponse(blobs.add(answered.response()))));
    return form.build();
  }

  Leg leg(io.sippbx.proto.state.v1.Leg form) {
    return new Leg(
        side(form.getSide()),
        form.getForkOrdinal(),
        dialog(form.getDialog()),
        sdp.sdp(form.getSdp()),
        SdpForm.offers(form.getOffers()),
        ENDS.domain(form.getEnd()),
        request(form.hasAck(), form.getAck()),
        form.hasBye() ? Optional.of(answered(form.getBye())) : Optional.empty());
  }

  private Leg.Answered answered(AnsweredBye form) {
    return new Leg.Answered(
        new CSeq(Integer.toUnsignedLong(form.getCseq()), new Method(form.getMethod())),
        blobs.response(form.getResponse()));
  }

  io.sippbx.proto.state.v1.Reinvite stored(Reinvite reinvite) {
    var form =
        io.sippbx.proto.state.v1.Reinvite.newBuilder()
            .setOrdinal(reinvite.ordinal())
            .setFrom(stored(reinvite.from()))
            .setTransaction(Values.stored(reinvite.transaction()))
            .setRequest(blobs.add(reinvite.request()))
            .setFlow(Values.stored(reinvite.flow()))
            .setIn(INCOMING.stored(reinvite.in()))
            .setOut(OUTGOING.stored(reinvite.out()))
            .setDelayed(reinvite.delayed())
            .setCancelWanted(reinvite.cancelWanted())
            .setCallerBefore(sdp.stored(reinvite.before().caller()))
            .setCalleeBefore(sdp.stored(reinvite.before().callee()));
    reinvite.sent().ifPresent(sent -> form.setSent(blobs.add(sent)));
    reinvite.waiting().ifPresent(response -> form.setWaiting(blobs.add(response)));
    reinvite.answer().ifPresent(response -> form.setAnswer(blobs.add(response)));
    return form.build();
  }

  Reinvite reinvite(io.sippbx.proto.state.v1.Reinvite form) {
    return new Reinvite(
        form.getOrdinal(),
        side(form.getFrom()),
        Values.transaction(form.getTransaction()),
        blobs.request(form.getRequest()),
        Values.flow(form.getFlow()),
        INCOMING.domain(form.getIn()),
        OUTGOING.domain(form.getOut()),
        request(form.hasSent(), form.getSent()),
        form.getDelayed(),
        form.getCancelWanted(),
        new Reinvite.Before(sdp.sdp(form.getCallerBefore()), sdp.sdp(form.getCalleeBefore())),
        response(form.hasWaiting(), form.getWaiting()),
        response(form.hasAnswer(), form.getAnswer()));
  }

  io.sippbx.proto.state.v1.Renewal stored(Renewal renewal) {
    var form =
        io.sippbx.proto.state.v1.Renewal.newBuilder()
            .setSide(stored(renewal.side()))
            .setAttempts(renewal.attempts())
            .setOffersOther(renewal.offersOther())
            .setAgain(renewal.again())
            .setBefore(sdp.stored(renewal.before()));
    renewal.sent().ifPresent(sent -> form.setSent(blobs.add(sent)));
    return form.build();
  }

  Renewal renewal(io.sippbx.proto.state.v1.Renewal form) {
    return new Renewal(
        side(form.getSide()),
        form.getAttempts(),
        request(form.hasSent(), form.getSent()),
        form.getOffersOther(),
        form.getAgain(),
        sdp.sdp(form.getBefore()));
  }

  private Optional<SipRequest> request(boolean present, Blob blob) {
    return present ? Optional.of(blobs.request(blob)) : Optional.empty();
  }

  Optional<SipResponse> response(boolean present, Blob blob) {
    return present ? Optional.of(blobs.response(blob)) : Optional.empty();
  }
}
