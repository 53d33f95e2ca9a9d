package io.sippbx.event.webhook;

import com.google.protobuf.Timestamp;
import io.sippbx.proto.event.v1.Answered;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.Held;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import io.sippbx.proto.event.v1.Ringing;
import io.sippbx.proto.event.v1.Started;

/** Events of calls, for tests. */
final class Events {

  static final Timestamp TIME =
      Timestamp.newBuilder().setSeconds(1_736_072_130L).setNanos(123_456_789).build();

  private static final Party CALLER =
      Party.newBuilder()
          .setUser("1004")
          .setUri("sip:1004@pbx")
          .setCallId("abc123@192.168.1.100")
          .setIp("192.168.1.100")
          .build();
  private static final Party CALLEE =
      Party.newBuilder()
          .setUser("1008")
          .setUri("sip:1008@pbx")
          .setCallId("f3c1")
          .setIp("192.168.1.101")
          .build();

  private Events() {}

  private static CallEvent.Builder event(String call, int seq) {
    return CallEvent.newBuilder()
        .setEventId(call + ":c" + seq + ":0")
        .setCallKey(call)
        .setSeq(seq)
        .setTime(TIME)
        .setNodeId("node-1");
  }

  static CallEvent started(String call, int seq) {
    return event(call, seq)
        .setStarted(Started.newBuilder().setCaller(CALLER).setCallee(CALLEE))
        .build();
  }

  static CallEvent ringing(String call, int seq) {
    return event(call, seq).setRinging(Ringing.newBuilder().setStatus(180)).build();
  }

  static CallEvent answered(String call, int seq) {
    return event(call, seq).setAnswered(Answered.newBuilder().setCodec("opus")).build();
  }

  static CallEvent held(String call, int seq) {
    return event(call, seq).setHeld(Held.newBuilder().setByCaller(true)).build();
  }

  static CallEvent ended(String call, int seq) {
    Timestamp end = Timestamp.newBuilder().setSeconds(TIME.getSeconds() + 195).build();
    return event(call, seq)
        .setEnded(
            Ended.newBuilder()
                .setCaller(CALLER)
                .setCallee(CALLEE)
                .setStartTime(TIME)
                .setAnswerTime(TIME)
                .setEndTime(end)
                .setResult(Result.RESULT_COMPLETED)
                .setReason("normal")
                .setSipStatus(200)
                .setCodec("opus"))
        .build();
  }
}
