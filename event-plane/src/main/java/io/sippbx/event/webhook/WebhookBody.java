package io.sippbx.event.webhook;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.Timestamp;
import io.sippbx.event.cdr.CdrLine;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.proto.event.v1.Started;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** From an event to what is posted of it. The fields are those of docs/WEBHOOKS.md. */
final class WebhookBody {

  private static final JsonFactory JSON = new JsonFactory();
  private static final long MIN_SECONDS = -62_135_596_800L;
  private static final long MAX_SECONDS = 253_402_300_799L;

  private WebhookBody() {}

  /** What is posted of a call's event; empty for one that no webhook tells of. */
  static Optional<Webhook> of(CallEvent event) {
    return type(event)
        .map(
            type ->
                new Webhook(
                    event.getEventId(),
                    type,
                    event.getCallKey(),
                    event.getSeq(),
                    body(event, type)));
  }

  /** What is posted of a registration's event. Its subject's events go in the order they come. */
  static Webhook of(RegistrationEvent event) {
    var text = new StringWriter(512);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("type", WebhookType.REGISTRATION_CHANGED.text());
      json.writeStringField("timestamp", instant(event.getTime()).toString());
      json.writeObjectFieldStart("data");
      json.writeStringField("aor", event.getAor());
      json.writeNumberField("seq", event.getSeq());
      text(json, "node", event.getNodeId());
      json.writeStringField("change", change(event.getKind()));
      text(json, "contact", event.getContact());
      text(json, "instance", event.getInstance());
      text(json, "source_ip", event.getSourceIp());
      json.writeNumberField("source_port", event.getSourcePort());
      text(json, "transport", event.getTransport());
      text(
          json, "expires_at", event.hasExpiresAt() ? instant(event.getExpiresAt()).toString() : "");
      text(json, "user_agent", event.getUserAgent());
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    return new Webhook(
        event.getEventId(), WebhookType.REGISTRATION_CHANGED, event.getAor(), 0, text.toString());
  }

  private static String change(RegistrationKind kind) {
    return switch (kind) {
      case REGISTRATION_KIND_REGISTERED -> "registered";
      case REGISTRATION_KIND_REFRESHED -> "refreshed";
      case REGISTRATION_KIND_UNREGISTERED -> "unregistered";
      case REGISTRATION_KIND_EXPIRED -> "expired";
      case REGISTRATION_KIND_UNSPECIFIED, UNRECOGNIZED -> "unknown";
    };
  }

  /** The place in its call's order of an event that no webhook tells of. */
  static Webhook placeOf(CallEvent event) {
    return new Webhook(
        event.getEventId(), WebhookType.CALL_STARTED, event.getCallKey(), event.getSeq(), "");
  }

  private static Optional<WebhookType> type(CallEvent event) {
    return switch (event.getEventCase()) {
      case STARTED -> Optional.of(WebhookType.CALL_STARTED);
      case RINGING -> Optional.of(WebhookType.CALL_RINGING);
      case ANSWERED -> Optional.of(WebhookType.CALL_ANSWERED);
      case ENDED -> Optional.of(WebhookType.CALL_ENDED);
      default -> Optional.empty();
    };
  }

  private static String body(CallEvent event, WebhookType type) {
    var text = new StringWriter(512);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("type", type.text());
      json.writeStringField("timestamp", instant(event.getTime()).toString());
      json.writeObjectFieldStart("data");
      if (type == WebhookType.CALL_ENDED) {
        copyRecord(CdrLine.of(event), json);
      } else {
        json.writeStringField("call_key", event.getCallKey());
        text(json, "node", event.getNodeId());
      }
      json.writeNumberField("seq", event.getSeq());
      switch (event.getEventCase()) {
        case STARTED -> started(json, event.getStarted());
        case RINGING -> json.writeNumberField("sip_status", event.getRinging().getStatus());
        case ANSWERED -> text(json, "codec", event.getAnswered().getCodec());
        default -> {}
      }
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    return text.toString();
  }

  private static void started(JsonGenerator json, Started started) throws IOException {
    text(json, "call_id", started.getCaller().getCallId());
    text(json, "caller", name(started.getCaller()));
    text(json, "callee", name(started.getCallee()));
    text(json, "caller_uri", started.getCaller().getUri());
    text(json, "callee_uri", started.getCallee().getUri());
    text(json, "caller_ip", started.getCaller().getIp());
  }

  /** The fields of a call's record, so that a receiver reads what it would read in a CDR. */
  private static void copyRecord(byte[] line, JsonGenerator json) throws IOException {
    try (JsonParser record = JSON.createParser(line)) {
      record.nextToken();
      while (record.nextToken() == JsonToken.FIELD_NAME) {
        json.copyCurrentStructure(record);
      }
    }
  }

  private static void text(JsonGenerator json, String name, String value) throws IOException {
    if (value.isEmpty()) {
      json.writeNullField(name);
    } else {
      json.writeStringField(name, value);
    }
  }

  private static String name(Party party) {
    return party.getUser().isEmpty() ? party.getUri() : party.getUser();
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(
            Math.clamp(time.getSeconds(), MIN_SECONDS, MAX_SECONDS),
            Math.clamp(time.getNanos(), 0, 999_999_999))
        .truncatedTo(ChronoUnit.MILLIS);
  }
}
