package io.sippbx.event.cdr;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CdrLineTest {

  private static String line(CallEvent event) {
    return new String(CdrLine.of(event), StandardCharsets.UTF_8);
  }

  @Test
  void beginsWithTheFieldsOfTheReferenceInTheirOrder() {
    assertThat(line(Ends.reference()))
        .startsWith(
            "{\"call_id\":\"abc123@192.168.1.100\",\"caller\":\"1004\",\"callee\":\"1008\","
                + "\"start_time\":\"2025-01-05T10:15:30Z\",\"end_time\":\"2025-01-05T10:18:45Z\","
                + "\"duration\":195,\"status\":\"completed\",\"caller_ip\":\"192.168.1.100\","
                + "\"callee_ip\":\"192.168.1.101\",\"codec\":\"opus\","
                + "\"termination_reason\":\"normal\",");
  }

  @Test
  void goesOnWithItsOwnFields() {
    assertThat(line(Ends.reference()))
        .endsWith(
            "\"termination_reason\":\"normal\",\"call_key\":\"abcdefghijklmnopqrstuvwxyz\","
                + "\"callee_call_id\":\"other-leg\",\"caller_uri\":\"sip:1004@pbx\","
                + "\"callee_uri\":\"sip:1008@pbx\",\"answer_time\":\"2025-01-05T10:15:34Z\","
                + "\"billable_duration\":191,\"setup_ms\":3250,\"sip_status\":200,"
                + "\"node\":\"node-1\",\"media_node\":\"media-1\",\"caller_packets\":9550,"
                + "\"caller_bytes\":1642600,\"caller_lost\":3,\"callee_packets\":9548,"
                + "\"callee_bytes\":1642256,\"callee_lost\":-1,\"caller_jitter_ms\":2.125,"
                + "\"callee_jitter_ms\":null,\"post_dial_delay_ms\":250,\"first_node\":\"node-0\","
                + "\"recovered\":true,\"last_known_up\":\"2025-01-05T10:17:00Z\"}\n");
  }

  @Test
  void saysNullOfWhatIsNotKnown() throws Exception {
    CallEvent event =
        CallEvent.newBuilder()
            .setCallKey("k")
            .setEnded(
                Ended.newBuilder()
                    .setCaller(Party.newBuilder().setUri("tel:+491234"))
                    .setEndTime(Ends.time("2025-01-05T10:18:45Z"))
                    .setResult(Result.RESULT_CANCELLED))
            .build();
    JsonNode json = new ObjectMapper().readTree(CdrLine.of(event));
    assertThat(json.get("caller").asText()).isEqualTo("tel:+491234");
    for (String name :
        new String[] {
          "call_id", "callee", "callee_ip", "codec", "answer_time", "setup_ms", "media_node"
        }) {
      assertThat(json.get(name).isNull()).as(name).isTrue();
    }
    assertThat(json.get("billable_duration").asInt()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "RESULT_COMPLETED,completed",
    "RESULT_CANCELLED,cancelled",
    "RESULT_BUSY,busy",
    "RESULT_NO_ANSWER,no_answer",
    "RESULT_REJECTED,rejected",
    "RESULT_FAILED,failed",
    "RESULT_UNSPECIFIED,failed"
  })
  void namesEachResult(Result result, String status) {
    CallEvent event =
        Ends.reference().toBuilder()
            .setEnded(Ends.reference().getEnded().toBuilder().setResult(result))
            .build();
    assertThat(line(event)).contains("\"status\":\"" + status + "\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb", "a\r\n{\"x\":1}", "\"\\", "\u0000\u001b[2J", "😀 é", "\u2028"})
  void keepsWhateverAPartySaysOnOneLine(String user) throws Exception {
    Ended ended = Ends.reference().getEnded();
    byte[] line =
        CdrLine.of(
            Ends.reference().toBuilder()
                .setEnded(ended.toBuilder().setCaller(ended.getCaller().toBuilder().setUser(user)))
                .build());
    long ends = 0;
    for (byte b : line) {
      ends += b == '\n' ? 1 : 0;
    }
    assertThat(ends).isEqualTo(1);
    assertThat(new ObjectMapper().readTree(line).get("caller").asText()).isEqualTo(user);
  }

  @Test
  void boundsTimesThatNoCalendarHas() {
    var time = Ends.time("2025-01-05T10:18:45Z").toBuilder().setSeconds(Long.MAX_VALUE).build();
    CallEvent event =
        Ends.reference().toBuilder()
            .setEnded(Ends.reference().getEnded().toBuilder().setEndTime(time))
            .build();
    assertThat(CdrLine.endTime(event)).isEqualTo(Instant.parse("9999-12-31T23:59:59Z"));
    assertThat(line(event)).contains("\"end_time\":\"9999-12-31T23:59:59Z\"");
  }

  @Test
  void neverCountsBackwards() {
    CallEvent event =
        Ends.reference().toBuilder()
            .setEnded(
                Ends.reference().getEnded().toBuilder()
                    .setEndTime(Ends.time("2025-01-05T10:15:29Z")))
            .build();
    assertThat(line(event)).contains("\"duration\":0,").contains("\"billable_duration\":0,");
  }

  @Test
  void findsTheCallOfARecord() {
    byte[] line = CdrLine.of(Ends.reference());
    var recorded =
        new CdrLine.Recorded("abcdefghijklmnopqrstuvwxyz", Instant.parse("2025-01-05T10:18:45Z"));
    assertThat(CdrLine.recorded(line, 0, line.length)).contains(recorded);
    byte[] within = ("junk" + line(Ends.reference())).getBytes(StandardCharsets.UTF_8);
    assertThat(CdrLine.recorded(within, 4, within.length - 4)).contains(recorded);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{\"call_key\":1}",
        "{\"end_time\":\"yesterday\",\"call_key\":\"k\"}",
        "{\"call_id\":{\"call_key\":\"k\"}}",
        "{\"call_key\"",
        "not json"
      })
  void findsNoCallInAnythingElse(String text) {
    byte[] line = text.getBytes(StandardCharsets.UTF_8);
    assertThat(CdrLine.recorded(line, 0, line.length)).isEmpty();
  }
}
