package io.sippbx.shared.operations;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import io.grpc.protobuf.ProtoUtils;
import io.sippbx.proto.admin.v1.GetStatsRequest;
import io.sippbx.proto.admin.v1.Stats;
import io.sippbx.proto.event.v1.Answered;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Result;
import io.sippbx.proto.media.v1.SessionSpec;
import io.sippbx.proto.media.v1.StreamEnd;
import io.sippbx.proto.media.v1.StreamSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PlainNumbersJsonTest {

  private final PlainNumbersJson json = new PlainNumbersJson();

  private String write(Message message) throws IOException {
    var out = new ByteArrayOutputStream();
    json.serializeMessage(ProtoUtils.marshaller(message.getDefaultInstanceForType()), message, out);
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void writesNumbersAsNumbersWhateverTheirSize() throws IOException {
    assertThat(
            write(
                MediaSummary.newBuilder()
                    .setCallerPackets(9_007_199_254_740_993L)
                    .setCallerBytes(-1)
                    .setCallerLost(-7)
                    .build()))
        .isEqualTo(
            "{\"caller_packets\":9007199254740993,\"caller_bytes\":18446744073709551615,"
                + "\"caller_lost\":-7,\"callee_packets\":0,\"callee_bytes\":0,\"callee_lost\":0,"
                + "\"caller_jitter_us\":0,\"callee_jitter_us\":0}");
  }

  @Test
  void writesListsAndMessagesAndLeavesOutWhatIsNotSet() throws IOException {
    assertThat(
            write(
                SessionSpec.newBuilder()
                    .setCallKey("k")
                    .addStreams(
                        StreamSpec.newBuilder()
                            .setMedia("audio")
                            .setA(StreamEnd.newBuilder().addPayloadTypes(0).addPayloadTypes(-1)))
                    .setMediaTimeout(Duration.newBuilder().setSeconds(60))
                    .build()))
        .contains(
            "\"streams\":[{\"index\":0,\"media\":\"audio\",\"a\":{",
            "\"payload_types\":[0,4294967295]",
            "\"media_timeout\":\"60s\"")
        .doesNotContain("\"b\":", "remote_rtp\"");
  }

  @Test
  void writesEnumsByNameAndTimesAsText() throws IOException {
    CallEvent event =
        CallEvent.newBuilder()
            .setTime(Timestamp.newBuilder().setSeconds(1_736_072_130).setNanos(500_000_000))
            .setEnded(Ended.newBuilder().setResult(Result.RESULT_BUSY))
            .build();
    assertThat(write(event))
        .contains("\"time\":\"2025-01-05T10:15:30.500Z\"", "\"result\":\"RESULT_BUSY\"")
        .doesNotContain("answered");
    assertThat(write(event.toBuilder().setAnswered(Answered.getDefaultInstance()).build()))
        .contains("\"answered\":{\"codec\":\"\"}")
        .doesNotContain("ended");
    assertThat(write(Duration.newBuilder().setSeconds(1).setNanos(5_000_000).build()))
        .isEqualTo("\"1.005s\"");
  }

  @Test
  void writesMapsBytesAndWhatJsonHasNoNumberFor() throws IOException {
    assertThat(
            write(
                Struct.newBuilder()
                    .putFields("a", Value.newBuilder().setNumberValue(Double.NaN).build())
                    .putFields("b", Value.newBuilder().setBoolValue(true).build())
                    .build()))
        .isEqualTo("{\"fields\":{\"a\":{\"number_value\":\"NaN\"},\"b\":{\"bool_value\":true}}}");
    assertThat(write(BytesValue.newBuilder().setValue(ByteString.copyFromUtf8("\u00ff")).build()))
        .isEqualTo("{\"value\":\"w78=\"}");
  }

  @Test
  void readsBothFormsOfLongIntegers() throws IOException {
    var marshaller = ProtoUtils.marshaller(Stats.getDefaultInstance());
    for (String text : new String[] {"{\"total_calls\":5}", "{\"total_calls\":\"5\"}"}) {
      Stats stats =
          json.deserializeMessage(
              marshaller, new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
      assertThat(stats.getTotalCalls()).isEqualTo(5);
    }
    assertThat(write(GetStatsRequest.getDefaultInstance())).isEqualTo("{}");
  }
}
