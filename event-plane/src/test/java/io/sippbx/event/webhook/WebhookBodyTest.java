package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.event.cdr.CdrLine;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import org.junit.jupiter.api.Test;

class WebhookBodyTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static String body(CallEvent event) {
    return WebhookBody.of(event).orElseThrow().body();
  }

  @Test
  void tellsOfACallThatStarted() {
    assertThat(body(Events.started("k", 1)))
        .isEqualTo(
            "{\"type\":\"call.started\",\"timestamp\":\"2025-01-05T10:15:30.123Z\",\"data\":"
                + "{\"call_key\":\"k\",\"node\":\"node-1\",\"seq\":1,"
                + "\"call_id\":\"abc123@192.168.1.100\",\"caller\":\"1004\",\"callee\":\"1008\","
                + "\"caller_uri\":\"sip:1004@pbx\",\"callee_uri\":\"sip:1008@pbx\","
                + "\"caller_ip\":\"192.168.1.100\"}}");
  }

  @Test
  void tellsOfRingingAndAnAnswer() {
    assertThat(body(Events.ringing("k", 2)))
        .isEqualTo(
            "{\"type\":\"call.ringing\",\"timestamp\":\"2025-01-05T10:15:30.123Z\",\"data\":"
                + "{\"call_key\":\"k\",\"node\":\"node-1\",\"seq\":2,\"sip_status\":180}}");
    assertThat(body(Events.answered("k", 3)))
        .isEqualTo(
            "{\"type\":\"call.answered\",\"timestamp\":\"2025-01-05T10:15:30.123Z\",\"data\":"
                + "{\"call_key\":\"k\",\"node\":\"node-1\",\"seq\":3,\"codec\":\"opus\"}}");
  }

  @Test
  void tellsOfTheEndWithEveryFieldOfTheCallsRecord() throws Exception {
    CallEvent event = Events.ended("k", 4);
    JsonNode data = MAPPER.readTree(body(event)).get("data");
    JsonNode record = MAPPER.readTree(CdrLine.of(event));
    record
        .fieldNames()
        .forEachRemaining(name -> assertThat(data.get(name)).as(name).isEqualTo(record.get(name)));
    assertThat(data.get("seq").asInt()).isEqualTo(4);
    assertThat(data.get("duration").asInt()).isEqualTo(195);
    assertThat(data.size()).isEqualTo(record.size() + 1);
  }

  @Test
  void tellsOfARegistrationThatChanged() {
    Webhook webhook =
        WebhookBody.of(
            RegistrationEvent.newBuilder()
                .setEventId("c:7")
                .setAor("sip:bob@pbx")
                .setSeq(7)
                .setTime(Events.TIME)
                .setNodeId("node-1")
                .setKind(RegistrationKind.REGISTRATION_KIND_REGISTERED)
                .setContact("sip:bob@10.0.0.5:5060")
                .setSourceIp("2001:db8::5")
                .setSourcePort(5060)
                .setTransport("udp")
                .setExpiresAt(Events.TIME)
                .build());
    assertThat(webhook.id()).isEqualTo("c:7");
    assertThat(webhook.subject()).isEqualTo("sip:bob@pbx");
    assertThat(webhook.body())
        .isEqualTo(
            "{\"type\":\"registration.changed\",\"timestamp\":\"2025-01-05T10:15:30.123Z\","
                + "\"data\":{\"aor\":\"sip:bob@pbx\",\"seq\":7,\"node\":\"node-1\","
                + "\"change\":\"registered\",\"contact\":\"sip:bob@10.0.0.5:5060\","
                + "\"instance\":null,\"source_ip\":\"2001:db8::5\",\"source_port\":5060,"
                + "\"transport\":\"udp\",\"expires_at\":\"2025-01-05T10:15:30.123Z\","
                + "\"user_agent\":null}}");
  }

  @Test
  void hasTheEventsIdAndPlace() {
    Webhook webhook = WebhookBody.of(Events.ended("k", 4)).orElseThrow();
    assertThat(webhook.id()).isEqualTo("k:c4:0");
    assertThat(webhook.type()).isEqualTo(WebhookType.CALL_ENDED);
    assertThat(webhook.subject()).isEqualTo("k");
    assertThat(webhook.seq()).isEqualTo(4);
  }

  @Test
  void saysNothingOfOtherEventsButKnowsTheirPlace() {
    CallEvent held = Events.held("k", 4);
    assertThat(WebhookBody.of(held)).isEmpty();
    assertThat(WebhookBody.placeOf(held).seq()).isEqualTo(4);
  }
}
