package io.sippbx.control.admin;

import com.google.protobuf.Timestamp;
import io.sippbx.control.call.CalleeLeg;
import io.sippbx.control.call.Fork;
import io.sippbx.control.call.IncomingInvite;
import io.sippbx.control.call.Leg;
import io.sippbx.control.call.MediaPart;
import io.sippbx.control.call.TimerId;
import io.sippbx.control.event.Termination;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.admin.v1.Call;
import io.sippbx.proto.admin.v1.CallState;
import io.sippbx.proto.admin.v1.CallSummary;
import io.sippbx.proto.admin.v1.Dialog;
import io.sippbx.proto.admin.v1.MediaSession;
import io.sippbx.proto.admin.v1.MediaStream;
import io.sippbx.proto.admin.v1.OutgoingInvite;
import io.sippbx.proto.admin.v1.Party;
import io.sippbx.proto.admin.v1.Side;
import io.sippbx.proto.admin.v1.Timer;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A record of a call as an administrator is shown it: what says where the call stands, and none of
 * the messages and session descriptions, which may hold keys and credentials.
 */
final class CallView {

  private static final Pattern PASSWORD = Pattern.compile("(?i)^(sips?:[^:@;?]*):[^@]*@");

  private CallView() {}

  static CallSummary summary(Versioned<io.sippbx.control.call.Call> current) {
    io.sippbx.control.call.Call call = current.record();
    var summary =
        CallSummary.newBuilder()
            .setCallKey(call.key().text())
            .setState(state(call))
            .setCaller(call.facts().caller().user())
            .setCallee(call.facts().callee().user())
            .setStartedAt(timestamp(call.facts().startedAt()))
            .setInFlight(current.owner().isPresent());
    call.facts().answeredAt().ifPresent(at -> summary.setAnsweredAt(timestamp(at)));
    if (call.media().released() != MediaPart.Released.DONE) {
      call.media().node().map(NodeId::text).ifPresent(summary::setMediaNode);
    }
    return summary.build();
  }

  private static CallState state(io.sippbx.control.call.Call call) {
    if (call.isTombstone()) {
      return CallState.CALL_STATE_ENDED;
    }
    if (call.termination().isPresent()) {
      return CallState.CALL_STATE_ENDING;
    }
    if (call.isUp()) {
      return CallState.CALL_STATE_UP;
    }
    return call.facts().rang() ? CallState.CALL_STATE_RINGING : CallState.CALL_STATE_SETTING_UP;
  }

  static Call whole(Versioned<io.sippbx.control.call.Call> current) {
    io.sippbx.control.call.Call call = current.record();
    var shown =
        Call.newBuilder()
            .setSummary(summary(current))
            .setVersion(current.version())
            .setOwner(current.owner().map(owner -> owner.node().text()).orElse(""))
            .setCaller(party(call.facts().caller(), call.facts().callerHolds()))
            .setCallee(party(call.facts().callee(), call.facts().calleeHolds()))
            .addAllDialogs(dialogs(call))
            .addAllOpenTransactions(openTransactions(call))
            .setMedia(media(call));
    for (CalleeLeg leg : call.callees()) {
      shown.addInvites(
          OutgoingInvite.newBuilder()
              .setRequestUri(shown(leg.invite().uri()))
              .setNextHop(shown(leg.hop()))
              .setState(lower(leg.state()))
              .setRedirected(leg.redirected()));
    }
    for (Map.Entry<TimerId, Instant> timer : call.timers().entrySet()) {
      shown.addTimers(
          Timer.newBuilder().setName(timer.getKey().name()).setDueAt(timestamp(timer.getValue())));
    }
    call.facts().endedAt().ifPresent(at -> shown.setEndedAt(timestamp(at)));
    call.termination()
        .ifPresent(
            (Termination how) ->
                shown.setResult(how.result().text()).setReason(how.reason().text()));
    return shown.build();
  }

  private static Party party(io.sippbx.control.event.Party party, boolean holds) {
    return Party.newBuilder()
        .setUser(party.user())
        .setUri(withoutPassword(party.uri()))
        .setCallId(party.callId())
        .setIp(party.ip())
        .setHolds(holds)
        .build();
  }

  private static List<Dialog> dialogs(io.sippbx.control.call.Call call) {
    var dialogs = new ArrayList<Dialog>();
    if (call.legs().isPresent()) {
      for (Leg leg : List.of(call.legs().get().caller(), call.legs().get().callee())) {
        dialogs.add(
            dialog(leg.dialog()).setSide(side(leg.side())).setEnd(lower(leg.end())).build());
      }
      return dialogs;
    }
    for (CalleeLeg leg : call.callees()) {
      for (Fork fork : leg.forks()) {
        dialogs.add(dialog(fork.dialog()).setSide(Side.SIDE_CALLEE).setEarly(true).build());
      }
    }
    return dialogs;
  }

  private static Dialog.Builder dialog(io.sippbx.control.call.Dialog dialog) {
    return Dialog.newBuilder()
        .setCallId(dialog.callId().toString())
        .setLocalTag(dialog.local().tag().map(Tag::toString).orElse(""))
        .setRemoteTag(dialog.remoteTag().map(Tag::toString).orElse(""))
        .setRemoteTarget(shown(dialog.remoteTarget()))
        .addAllRouteSet(dialog.routes().stream().map(NameAddr::uri).map(CallView::shown).toList())
        .setLocalCseq(dialog.localCSeq())
        .setRemoteCseq(dialog.remoteCSeq())
        .setNextHop(shown(dialog.hop()));
  }

  private static List<String> openTransactions(io.sippbx.control.call.Call call) {
    var open = new ArrayList<String>();
    switch (call.caller().state()) {
      case IncomingInvite.State.PROCEEDING -> open.add("INVITE from caller");
      case IncomingInvite.State.ANSWERED -> open.add("ACK from caller is due");
      case IncomingInvite.State.CONFIRMED, IncomingInvite.State.REJECTED -> {}
    }
    for (CalleeLeg leg : call.callees()) {
      if (leg.state().isOpen()) {
        open.add("INVITE to " + shown(leg.invite().uri()));
      }
    }
    call.reinvite().ifPresent(reinvite -> open.add("re-INVITE from " + lower(reinvite.from())));
    call.relayed()
        .forEach(each -> open.add(each.request().method() + " from " + lower(each.from())));
    call.byes()
        .forEach(bye -> open.add("BYE to " + bye.leg().map(CallView::lower).orElse("a fork")));
    return open;
  }

  private static MediaSession media(io.sippbx.control.call.Call call) {
    MediaPart media = call.media();
    var session =
        MediaSession.newBuilder()
            .setNode(media.node().map(NodeId::text).orElse(""))
            .setRevision(media.revision())
            .setHeldRevision(media.heldRevision())
            .setStage(lower(media.stage()))
            .setReleased(lower(media.released()))
            .setCodec(call.facts().codec());
    for (StreamSpec stream : media.plan().streams()) {
      var shown =
          MediaStream.newBuilder()
              .setIndex(stream.index())
              .setMedia(stream.media())
              .setCallerRemote(shown(stream.a().remoteRtp()))
              .setCalleeRemote(shown(stream.b().remoteRtp()));
      for (StreamAddresses address : media.addresses()) {
        if (address.index() == stream.index()) {
          shown.setCallerLocal(address.aRtp().toString()).setCalleeLocal(address.bRtp().toString());
        }
      }
      session.addStreams(shown);
    }
    return session.build();
  }

  private static Side side(io.sippbx.control.call.Side side) {
    return switch (side) {
      case CALLER -> Side.SIDE_CALLER;
      case CALLEE -> Side.SIDE_CALLEE;
    };
  }

  static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  static String shown(Uri uri) {
    return withoutPassword(uri.toString());
  }

  private static String shown(Destination destination) {
    return lower(destination.protocol()) + " " + destination.remote();
  }

  private static String shown(Optional<Endpoint> endpoint) {
    return endpoint.map(Endpoint::toString).orElse("");
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static String withoutPassword(String uri) {
    return PASSWORD.matcher(uri).replaceFirst("$1@");
  }
}
