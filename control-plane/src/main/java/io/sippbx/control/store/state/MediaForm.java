package io.sippbx.control.store.state;

import io.sippbx.control.call.MediaPart;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.media.PayloadForm;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.offer.MediaPlan;
import io.sippbx.proto.state.v1.MediaTotals;
import io.sippbx.proto.state.v1.Stream;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/** The stored form of a call's media session. */
final class MediaForm {

  private static final EnumTable<MediaPart.Released, io.sippbx.proto.state.v1.MediaPart.Released>
      RELEASED =
          new EnumTable<>(
              MediaPart.Released.class,
              io.sippbx.proto.state.v1.MediaPart.Released.class,
              "RELEASED_");

  private static final EnumTable<MediaPart.Stage, io.sippbx.proto.state.v1.MediaPart.Stage> STAGES =
      new EnumTable<>(
          MediaPart.Stage.class, io.sippbx.proto.state.v1.MediaPart.Stage.class, "STAGE_");

  private static final EnumTable<MediaPart.Anchor, io.sippbx.proto.state.v1.MediaPart.Anchor>
      ANCHORS =
          new EnumTable<>(
              MediaPart.Anchor.class, io.sippbx.proto.state.v1.MediaPart.Anchor.class, "ANCHOR_");

  private static final EnumTable<PayloadForm, Stream.Form> FORMS =
      new EnumTable<>(PayloadForm.class, Stream.Form.class, "FORM_");

  private MediaForm() {}

  static io.sippbx.proto.state.v1.MediaPart stored(MediaPart media) {
    var form =
        io.sippbx.proto.state.v1.MediaPart.newBuilder()
            .setNode(media.node().map(NodeId::text).orElse(""))
            .setRevision(media.revision())
            .setHeldRevision(media.heldRevision())
            .setPlan(stored(media.plan()))
            .setStage(STAGES.stored(media.stage()))
            .setReleased(RELEASED.stored(media.released()));
    for (StreamAddresses each : media.addresses()) {
      form.addAddresses(stored(each));
    }
    form.setAnchor(ANCHORS.stored(media.anchor()));
    media.former().forEach(node -> form.addFormer(node.text()));
    media.totals().ifPresent(totals -> form.setTotals(stored(totals)));
    return form.build();
  }

  static MediaPart media(io.sippbx.proto.state.v1.MediaPart form) {
    return new MediaPart(
        form.getNode().isEmpty() ? Optional.empty() : Optional.of(new NodeId(form.getNode())),
        form.getRevision(),
        form.getHeldRevision(),
        plan(form.getPlan()),
        form.getAddressesList().stream().map(MediaForm::addresses).toList(),
        STAGES.domain(form.getStage()),
        RELEASED.domain(form.getReleased()),
        form.hasTotals() ? Optional.of(totals(form.getTotals())) : Optional.empty(),
        ANCHORS.domain(form.getAnchor()),
        form.getFormerList().stream().map(NodeId::new).toList());
  }

  private static io.sippbx.proto.state.v1.MediaPlan stored(MediaPlan plan) {
    var form =
        io.sippbx.proto.state.v1.MediaPlan.newBuilder()
            .setAV6(plan.aV6())
            .setBV6(plan.bV6())
            .setNextEpoch(plan.lastEpoch() + 1);
    for (StreamSpec each : plan.streams()) {
      form.addStreams(
          Stream.newBuilder()
              .setPosition(each.index() + 1)
              .setMedia(each.media())
              .setForm(FORMS.stored(each.form()))
              .setA(stored(each.a()))
              .setB(stored(each.b())));
    }
    return form.build();
  }

  private static MediaPlan plan(io.sippbx.proto.state.v1.MediaPlan form) {
    return new MediaPlan(
        form.getAV6(),
        form.getBV6(),
        form.getStreamsList().stream().map(MediaForm::stream).toList(),
        form.getNextEpoch() - 1);
  }

  private static StreamSpec stream(Stream form) {
    return new StreamSpec(
        form.getPosition() - 1,
        form.getMedia(),
        FORMS.domain(form.getForm()),
        end(form.getA()),
        end(form.getB()));
  }

  private static io.sippbx.proto.state.v1.StreamEnd stored(StreamEnd end) {
    var form =
        io.sippbx.proto.state.v1.StreamEnd.newBuilder()
            .setV6(end.v6())
            .setRtcpMux(end.rtcpMux())
            .setMaySend(end.maySend())
            .setWantsReceive(end.wantsReceive())
            .addAllPayloadTypes(end.payloadTypes())
            .setLatchEpoch(end.latchEpoch())
            .setPinnedPort(end.pinnedPort());
    end.remoteRtp().ifPresent(remote -> form.setRemoteRtp(Values.stored(remote)));
    end.remoteRtcp().ifPresent(remote -> form.setRemoteRtcp(Values.stored(remote)));
    return form.build();
  }

  private static StreamEnd end(io.sippbx.proto.state.v1.StreamEnd form) {
    Optional<Endpoint> rtp =
        form.hasRemoteRtp() ? Optional.of(Values.endpoint(form.getRemoteRtp())) : Optional.empty();
    Optional<Endpoint> rtcp =
        form.hasRemoteRtcp()
            ? Optional.of(Values.endpoint(form.getRemoteRtcp()))
            : Optional.empty();
    return new StreamEnd(
        form.getV6(),
        rtp,
        rtcp,
        form.getRtcpMux(),
        form.getMaySend(),
        form.getWantsReceive(),
        form.getPayloadTypesList(),
        form.getLatchEpoch(),
        form.getPinnedPort());
  }

  private static io.sippbx.proto.state.v1.StreamAddresses stored(StreamAddresses addresses) {
    return io.sippbx.proto.state.v1.StreamAddresses.newBuilder()
        .setPosition(addresses.index() + 1)
        .setARtp(Values.stored(addresses.aRtp()))
        .setARtcp(Values.stored(addresses.aRtcp()))
        .setBRtp(Values.stored(addresses.bRtp()))
        .setBRtcp(Values.stored(addresses.bRtcp()))
        .build();
  }

  private static StreamAddresses addresses(io.sippbx.proto.state.v1.StreamAddresses form) {
    return new StreamAddresses(
        form.getPosition() - 1,
        Values.endpoint(form.getARtp()),
        Values.endpoint(form.getARtcp()),
        Values.endpoint(form.getBRtp()),
        Values.endpoint(form.getBRtcp()));
  }

  private static MediaTotals stored(CallHappening.MediaTotals totals) {
    return MediaTotals.newBuilder()
        .setCallerPackets(totals.callerPackets())
        .setCallerBytes(totals.callerBytes())
        .setCallerLost(totals.callerLost())
        .setCalleePackets(totals.calleePackets())
        .setCalleeBytes(totals.calleeBytes())
        .setCalleeLost(totals.calleeLost())
        .setCallerJitterUs(totals.callerJitterUs())
        .setCalleeJitterUs(totals.calleeJitterUs())
        .build();
  }

  private static CallHappening.MediaTotals totals(MediaTotals form) {
    return new CallHappening.MediaTotals(
        form.getCallerPackets(),
        form.getCallerBytes(),
        form.getCallerLost(),
        form.getCalleePackets(),
        form.getCalleeBytes(),
        form.getCalleeLost(),
        form.getCallerJitterUs(),
        form.getCalleeJitterUs());
  }
}
