package io.sippbx.event.cdr;

import com.google.protobuf.Timestamp;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import java.time.Instant;

/** Events that end calls. */
final class Ends {

  private Ends() {}

  /** The call of the reference system's example. */
  static CallEvent reference() {
    return CallEvent.newBuilder()
        .setEventId("abcdefghijklmnopqrstuvwxyz:0123456789abcdef:1")
        .setCallKey("abcdefghijklmnopqrstuvwxyz")
        .setNodeId("node-1")
        .setSeq(4)
        .setEnded(
            Ended.newBuilder()
                .setCaller(
                    Party.newBuilder()
                        .setUser("1004")
                        .setUri("sip:1004@pbx")
                        .setCallId("abc123@192.168.1.100")
                        .setIp("192.168.1.100"))
                .setCallee(
                    Party.newBuilder()
                        .setUser("1008")
                        .setUri("sip:1008@pbx")
                        .setCallId("other-leg")
                        .setIp("192.168.1.101"))
                .setStartTime(time("2025-01-05T10:15:30.900Z"))
                .setAnswerTime(time("2025-01-05T10:15:34.150Z"))
                .setEndTime(time("2025-01-05T10:18:45.100Z"))
                .setResult(Result.RESULT_COMPLETED)
                .setReason("normal")
                .setSipStatus(200)
                .setCodec("opus")
                .setMediaNodeId("media-1")
                .setMedia(
                    MediaSummary.newBuilder()
                        .setCallerPackets(9_550)
                        .setCallerBytes(1_642_600)
                        .setCallerLost(3)
                        .setCalleePackets(9_548)
                        .setCalleeBytes(1_642_256)
                        .setCalleeLost(-1)
                        .setCallerJitterUs(2_125))
                .setProgressTime(time("2025-01-05T10:15:31.150Z"))
                .setFirstNodeId("node-0")
                .setRecovered(true)
                .setLastKnownUp(time("2025-01-05T10:17:00.5Z")))
        .build();
  }

  /** The end of a call with this key at this time. */
  static CallEvent of(String key, String end) {
    CallEvent reference = reference();
    return reference.toBuilder()
        .setCallKey(key)
        .setEnded(
            reference.getEnded().toBuilder()
                .setStartTime(time(end))
                .clearAnswerTime()
                .setEndTime(time(end)))
        .build();
  }

  static Timestamp time(String iso) {
    Instant instant = Instant.parse(iso);
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
