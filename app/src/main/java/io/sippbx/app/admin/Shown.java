package io.sippbx.app.admin;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** Values of answers as tables show them. */
final class Shown {

  private Shown() {}

  /** A field's text; empty where it is absent. */
  static String text(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isNull() ? "" : value.asText();
  }

  /** A moment to the second. */
  static String time(JsonNode node, String field) {
    return text(node, field).replaceFirst("\\.\\d+Z$", "Z");
  }

  /** A constant without the name of its kind: {@code CALL_STATE_UP} is {@code up}. */
  static String constant(JsonNode node, String field, String prefix) {
    String name = text(node, field);
    return (name.startsWith(prefix) ? name.substring(prefix.length()) : name)
        .toLowerCase(Locale.ROOT);
  }
}
