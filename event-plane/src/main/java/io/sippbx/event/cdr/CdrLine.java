package io.sippbx.event.cdr;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.Timestamp;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** From the event that ends a call to its record, and back to the call's key. */
public final class CdrLine {

  private static final JsonFactory JSON = new JsonFactory();
  private static final String CALL_KEY = "call_key";
  private static final String END_TIME = "end_time";
  private static final long MIN_SECONDS = -62_135_596_800L;
  private static final long MAX_SECONDS = 253_402_300_799L;

  private CdrLine() {}

  /** The record, with the end of its line, in UTF-8. First the fields of the reference system. */
  public static byte[] of(CallEvent event) {
    Ended ended = event.getEnded();
    Instant start = wholeSeconds(ended.getStartTime());
    Instant end = wholeSeconds(ended.getEndTime());
    boolean answered = ended.hasAnswerTime();
    var bytes = new ByteArrayOutputStream(1_024);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      text(json, "call_id", ended.getCaller().getCallId());
      text(json, "caller", name(ended.getCaller()));
      text(json, "callee", name(ended.getCallee()));
      json.writeStringField("start_time", start.toString());
      json.writeStringField(END_TIME, end.toString());
      // Of the times as they are written, so that a reader who subtracts gets the same.
      json.writeNumberField("duration", seconds(start, end));
      json.writeStringField("status", status(ended.getResult()));
      text(json, "caller_ip", ended.getCaller().getIp());
      text(json, "callee_ip", ended.getCallee().getIp());
      text(json, "codec", ended.getCodec());
      text(json, "termination_reason", ended.getReason());

      json.writeStringField(CALL_KEY, event.getCallKey());
      text(json, "callee_call_id", ended.getCallee().getCallId());
      text(json, "caller_uri", ended.getCaller().getUri());
      text(json, "callee_uri", ended.getCallee().getUri());
      text(json, "answer_time", answered ? wholeSeconds(ended.getAnswerTime()).toString() : "");
      json.writeNumberField(
          "billable_duration", answered ? seconds(wholeSeconds(ended.getAnswerTime()), end) : 0);
      json.writeFieldName("setup_ms");
      if (answered) {
        Duration setup =
            Duration.between(instant(ended.getStartTime()), instant(ended.getAnswerTime()));
        json.writeNumber(Math.max(0, setup.toMillis()));
      } else {
        json.writeNull();
      }
      json.writeNumberField("sip_status", ended.getSipStatus());
      text(json, "node", event.getNodeId());
      text(json, "media_node", ended.getMediaNodeId());
      MediaSummary media = ended.getMedia();
      json.writeNumberField("caller_packets", media.getCallerPackets());
      json.writeNumberField("caller_bytes", media.getCallerBytes());
      json.writeNumberField("caller_lost", media.getCallerLost());
      json.writeNumberField("callee_packets", media.getCalleePackets());
      json.writeNumberField("callee_bytes", media.getCalleeBytes());
      json.writeNumberField("callee_lost", media.getCalleeLost());
      jitter(json, "caller_jitter_ms", media.getCallerJitterUs());
      jitter(json, "callee_jitter_ms", media.getCalleeJitterUs());
      json.writeFieldName("post_dial_delay_ms");
      if (ended.hasProgressTime()) {
        Duration delay =
            Duration.between(instant(ended.getStartTime()), instant(ended.getProgressTime()));
        json.writeNumber(Math.max(0, delay.toMillis()));
      } else {
        json.writeNull();
      }
      text(json, "first_node", ended.getFirstNodeId());
      json.writeBooleanField("recovered", ended.getRecovered());
      text(
          json,
          "last_known_up",
          ended.getRecovered() ? wholeSeconds(ended.getLastKnownUp()).toString() : "");
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  /**
   * A record that was read.
   *
   * @param end of the call, in whole seconds
   */
  record Recorded(String callKey, Instant end) {}

  /** The call of a record, if the line is one. */
  static Optional<Recorded> recorded(byte[] line, int offset, int length) {
    try (JsonParser json = JSON.createParser(line, offset, length)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        return Optional.empty();
      }
      Instant end = Instant.MIN;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        boolean isText = json.nextToken() == JsonToken.VALUE_STRING;
        if (name.equals(END_TIME) && isText) {
          end = Instant.parse(json.getText());
        } else if (name.equals(CALL_KEY)) {
          return isText ? Optional.of(new Recorded(json.getText(), end)) : Optional.empty();
        }
        json.skipChildren();
      }
      return Optional.empty();
    } catch (IOException | DateTimeParseException e) {
      // Somebody else's line.
      return Optional.empty();
    }
  }

  private static void text(JsonGenerator json, String name, String value) throws IOException {
    if (value.isEmpty()) {
      json.writeNullField(name);
    } else {
      json.writeStringField(name, value);
    }
  }

  private static void jitter(JsonGenerator json, String name, long micros) throws IOException {
    json.writeFieldName(name);
    if (micros == 0) {
      json.writeNull();
    } else {
      json.writeNumber(BigDecimal.valueOf(micros, 3));
    }
  }

  private static String name(Party party) {
    return party.getUser().isEmpty() ? party.getUri() : party.getUser();
  }

  private static String status(Result result) {
    return switch (result) {
      case RESULT_COMPLETED -> "completed";
      case RESULT_CANCELLED -> "cancelled";
      case RESULT_BUSY -> "busy";
      case RESULT_NO_ANSWER -> "no_answer";
      case RESULT_REJECTED -> "rejected";
      case RESULT_FAILED, RESULT_UNSPECIFIED, UNRECOGNIZED -> "failed";
    };
  }

  /** When the call ended: by this its file is chosen. */
  static Instant endTime(CallEvent event) {
    return instant(event.getEnded().getEndTime());
  }

  private static Instant wholeSeconds(Timestamp time) {
    return instant(time).truncatedTo(ChronoUnit.SECONDS);
  }

  /** Bounded to what a protobuf timestamp may be, the years 1 to 9999. */
  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(
        Math.clamp(time.getSeconds(), MIN_SECONDS, MAX_SECONDS),
        Math.clamp(time.getNanos(), 0, 999_999_999));
  }

  private static long seconds(Instant start, Instant end) {
    return Math.max(0, Duration.between(start, end).toSeconds());
  }
}
