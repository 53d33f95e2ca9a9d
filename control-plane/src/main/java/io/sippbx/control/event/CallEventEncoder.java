package io.sippbx.control.event;

import io.sippbx.proto.event.v1.Answered;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.EarlyMedia;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.Held;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Quality;
import io.sippbx.proto.event.v1.Reanchored;
import io.sippbx.proto.event.v1.Result;
import io.sippbx.proto.event.v1.Resumed;
import io.sippbx.proto.event.v1.Ringing;
import io.sippbx.proto.event.v1.Started;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Gives happenings their identity and turns them into the published form. */
public final class CallEventEncoder {

  /** Of the message, as its schema says. */
  static final int SCHEMA_VERSION = 1;

  private final NodeId node;

  /**
   * @param node who commits
   */
  public CallEventEncoder(NodeId node) {
    this.node = node;
  }

  /**
   * The events of one commit.
   *
   * @param commit text of the commit's id: the event id is {@code callKey:commit:n}
   * @param firstSeq the seq of the first happening
   */
  public List<CallEvent> encode(
      CallKey call, String commit, int firstSeq, Instant time, List<CallHappening> happenings) {
    var events = new ArrayList<CallEvent>(happenings.size());
    for (int n = 0; n < happenings.size(); n++) {
      CallEvent.Builder event =
          CallEvent.newBuilder()
              .setEventId(call + ":" + commit + ":" + n)
              .setCallKey(call.text())
              .setSeq(firstSeq + n)
              .setTime(Timestamps.of(time))
              .setNodeId(node.text())
              .setSchemaVersion(SCHEMA_VERSION);
      fill(event, happenings.get(n));
      events.add(event.build());
    }
    return events;
  }

  private static void fill(CallEvent.Builder event, CallHappening happening) {
    switch (happening) {
      case CallHappening.Started(Party caller, Party callee) ->
          event.setStarted(Started.newBuilder().setCaller(party(caller)).setCallee(party(callee)));
      case CallHappening.Ringing(int status) ->
          event.setRinging(Ringing.newBuilder().setStatus(status));
      case CallHappening.Answered(String codec) ->
          event.setAnswered(Answered.newBuilder().setCodec(codec));
      case CallHappening.EarlyMedia(int status) ->
          event.setEarlyMedia(EarlyMedia.newBuilder().setStatus(status));
      case CallHappening.Reanchored(NodeId from, NodeId to) ->
          event.setReanchored(
              Reanchored.newBuilder().setFromMediaNodeId(from.text()).setToMediaNodeId(to.text()));
      case CallHappening.Quality(NodeId mediaNode, CallHappening.MediaTotals media) ->
          event.setQuality(
              Quality.newBuilder().setMediaNodeId(mediaNode.text()).setMedia(summary(media)));
      case CallHappening.Held(boolean byCaller) ->
          event.setHeld(Held.newBuilder().setByCaller(byCaller));
      case CallHappening.Resumed(boolean byCaller) ->
          event.setResumed(Resumed.newBuilder().setByCaller(byCaller));
      case CallHappening.Ended ended -> event.setEnded(ended(ended));
    }
  }

  private static Ended ended(CallHappening.Ended ended) {
    Ended.Builder builder =
        Ended.newBuilder()
            .setCaller(party(ended.caller()))
            .setCallee(party(ended.callee()))
            .setStartTime(Timestamps.of(ended.startedAt()))
            .setEndTime(Timestamps.of(ended.endedAt()))
            .setResult(result(ended.termination().result()))
            .setReason(ended.termination().reason().text())
            .setSipStatus(ended.termination().sipStatus())
            .setCodec(ended.codec())
            .setMediaNodeId(ended.mediaNode());
    ended.answeredAt().ifPresent(answer -> builder.setAnswerTime(Timestamps.of(answer)));
    ended.media().ifPresent(media -> builder.setMedia(summary(media)));
    ended.progressAt().ifPresent(at -> builder.setProgressTime(Timestamps.of(at)));
    builder.setFirstNodeId(ended.firstNode());
    ended.knownUp().ifPresent(at -> builder.setRecovered(true).setLastKnownUp(Timestamps.of(at)));
    return builder.build();
  }

  private static MediaSummary summary(CallHappening.MediaTotals media) {
    return MediaSummary.newBuilder()
        .setCallerPackets(media.callerPackets())
        .setCallerBytes(media.callerBytes())
        .setCallerLost(media.callerLost())
        .setCalleePackets(media.calleePackets())
        .setCalleeBytes(media.calleeBytes())
        .setCalleeLost(media.calleeLost())
        .setCallerJitterUs(media.callerJitterUs())
        .setCalleeJitterUs(media.calleeJitterUs())
        .build();
  }

  private static Result result(Termination.Result result) {
    return switch (result) {
      case COMPLETED -> Result.RESULT_COMPLETED;
      case CANCELLED -> Result.RESULT_CANCELLED;
      case BUSY -> Result.RESULT_BUSY;
      case NO_ANSWER -> Result.RESULT_NO_ANSWER;
      case REJECTED -> Result.RESULT_REJECTED;
      case FAILED -> Result.RESULT_FAILED;
    };
  }

  private static io.sippbx.proto.event.v1.Party party(Party party) {
    return io.sippbx.proto.event.v1.Party.newBuilder()
        .setUser(party.user())
        .setUri(party.uri())
        .setCallId(party.callId())
        .setIp(party.ip())
        .build();
  }
}
