package io.sippbx.event.webhook;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A webhook that was given up, or the note that one was delivered after all.
 *
 * @param receiver its name
 * @param time when it was given up, or delivered
 * @param isSettled whether it was delivered, and nothing is left to be done
 */
public record DeadLetter(
    String receiver,
    Webhook webhook,
    Instant time,
    int attempts,
    String reason,
    boolean isSettled) {

  private static final JsonFactory JSON = new JsonFactory();

  /** The note that it was delivered. */
  public DeadLetter settled(Instant now) {
    return new DeadLetter(receiver, webhook, now, attempts, "delivered", true);
  }

  /** As JSON, on one line without its end. */
  public byte[] encode() {
    var bytes = new ByteArrayOutputStream(1_024);
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("receiver", receiver);
      json.writeStringField("id", webhook.id());
      json.writeStringField("type", webhook.type().text());
      json.writeStringField("call", webhook.subject());
      json.writeNumberField("seq", webhook.seq());
      json.writeStringField("time", time.toString());
      json.writeNumberField("attempts", attempts);
      json.writeStringField("reason", reason);
      json.writeBooleanField("settled", isSettled);
      // As text: the octets that were signed are the octets that are signed again.
      json.writeStringField("body", isSettled ? "" : webhook.body());
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    return bytes.toByteArray();
  }

  /** Back again; empty for what is none. */
  public static Optional<DeadLetter> decode(byte[] line) {
    Map<String, String> fields = new TreeMap<>();
    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        return Optional.empty();
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value.isScalarValue()) {
          fields.put(name, json.getText());
        }
        json.skipChildren();
      }
      String id = fields.getOrDefault("id", "");
      String receiver = fields.getOrDefault("receiver", "");
      Optional<WebhookType> type = WebhookType.of(fields.getOrDefault("type", ""));
      if (type.isEmpty() || id.isEmpty() || receiver.isEmpty()) {
        return Optional.empty();
      }
      return Optional.of(
          new DeadLetter(
              receiver,
              new Webhook(
                  id,
                  type.get(),
                  fields.getOrDefault("call", ""),
                  Integer.parseInt(fields.getOrDefault("seq", "0")),
                  fields.getOrDefault("body", "")),
              Instant.parse(fields.getOrDefault("time", "")),
              Integer.parseInt(fields.getOrDefault("attempts", "0")),
              fields.getOrDefault("reason", ""),
              Boolean.parseBoolean(fields.getOrDefault("settled", "false"))));
    } catch (IOException | NumberFormatException | DateTimeException e) {
      // Cut by a crash, or somebody else's.
      return Optional.empty();
    }
  }
}
