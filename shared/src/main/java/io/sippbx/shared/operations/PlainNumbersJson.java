package io.sippbx.shared.operations;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.linecorp.armeria.common.grpc.GrpcJsonMarshaller;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages as JSON for people and scripts: names as in the .proto, 64-bit integers as numbers, zero
 * values written. The general mapping writes 64-bit integers as strings, which no user of the REST
 * API expects of a count; counts stay far below 2^53.
 */
final class PlainNumbersJson implements GrpcJsonMarshaller {

  private final JsonFactory json = new JsonFactory();
  // Reads both forms of 64-bit integers.
  private final GrpcJsonMarshaller general = GrpcJsonMarshaller.ofGson();

  @Override
  public <T> void serializeMessage(Marshaller<T> marshaller, T message, OutputStream out)
      throws IOException {
    if (!(message instanceof Message content)) {
      throw new IllegalArgumentException("Expected a message, but got " + message);
    }
    JsonGenerator generator = json.createGenerator(out);
    generator.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    write(generator, content);
    generator.close();
  }

  @Override
  public <T> T deserializeMessage(Marshaller<T> marshaller, InputStream in) throws IOException {
    return general.deserializeMessage(marshaller, in);
  }

  private static void write(JsonGenerator generator, Message message) throws IOException {
    switch (message) {
      case Timestamp time ->
          generator.writeString(
              Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toString());
      case Duration duration ->
          generator.writeString(
              BigDecimal.valueOf(duration.getNanos(), 9)
                      .add(BigDecimal.valueOf(duration.getSeconds()))
                      .stripTrailingZeros()
                      .toPlainString()
                  + "s");
      default -> {
        generator.writeStartObject();
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
          if (!field.hasPresence() || message.hasField(field)) {
            generator.writeFieldName(field.getName());
            writeField(generator, field, message.getField(field));
          }
        }
        generator.writeEndObject();
      }
    }
  }

  private static void writeField(JsonGenerator generator, FieldDescriptor field, Object value)
      throws IOException {
    if (field.isMapField()) {
      generator.writeStartObject();
      for (Object entry : (List<?>) value) {
        if (entry instanceof MapEntry<?, ?> pair) {
          generator.writeFieldName(String.valueOf(pair.getKey()));
          writeValue(generator, field.getMessageType().findFieldByName("value"), pair.getValue());
        }
      }
      generator.writeEndObject();
    } else if (field.isRepeated()) {
      generator.writeStartArray();
      for (Object item : (List<?>) value) {
        writeValue(generator, field, item);
      }
      generator.writeEndArray();
    } else {
      writeValue(generator, field, value);
    }
  }

  private static void writeValue(
      JsonGenerator generator, FieldDescriptor field, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case Message message -> write(generator, message);
      case Integer number when isUnsigned(field) ->
          generator.writeNumber(Integer.toUnsignedLong(number));
      case Integer number -> generator.writeNumber(number);
      case Long number when isUnsigned(field) ->
          generator.writeNumber(new BigInteger(Long.toUnsignedString(number)));
      case Long number -> generator.writeNumber(number);
      case Double number when Double.isFinite(number) -> generator.writeNumber(number);
      case Float number when Float.isFinite(number) -> generator.writeNumber(number);
      case Boolean flag -> generator.writeBoolean(flag);
      case EnumValueDescriptor constant -> generator.writeString(constant.getName());
      case ByteString bytes ->
          generator.writeString(Base64.getEncoder().encodeToString(bytes.toByteArray()));
      default -> generator.writeString(String.valueOf(value));
    }
  }

  private static boolean isUnsigned(FieldDescriptor field) {
    return switch (field.getType()) {
      case UINT32, UINT64, FIXED32, FIXED64 -> true;
      default -> false;
    };
  }
}
