package io.sippbx.shared.operations;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;

/** Small flat JSON objects. */
final class JsonText {

  private static final JsonFactory JSON = new JsonFactory();

  private JsonText() {}

  /** An object with the entries in their order: text and whole numbers. */
  static String of(Map<String, Object> entries) {
    var text = new StringWriter();
    try (JsonGenerator generator = JSON.createGenerator(text)) {
      generator.writeStartObject();
      for (var entry : entries.entrySet()) {
        generator.writeFieldName(entry.getKey());
        if (entry.getValue() instanceof Long number) {
          generator.writeNumber(number);
        } else {
          generator.writeString(entry.getValue().toString());
        }
      }
      generator.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    return text.toString();
  }
}
