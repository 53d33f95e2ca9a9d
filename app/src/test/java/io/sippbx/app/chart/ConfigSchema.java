package io.sippbx.app.chart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The part of values.schema.json that is about {@code config}, made from the reference file. */
final class ConfigSchema {

  /** What the chart sets itself, or takes from a Secret. */
  static final List<String> NOT_TAKEN =
      List.of("sip.users", "sip.listeners", "cluster.node_id", "media.listen", "events.webhooks");

  private static final Pattern LINE = Pattern.compile("( *)([a-z0-9_]+):(?: (.*))?");
  private static final Pattern RANGE = Pattern.compile("an integer from (\\d+) to (\\d+)");
  private static final Pattern CHOICE = Pattern.compile("one of: (.*)");
  private static final String EXPECTED = "Expected: ";

  private static final ObjectMapper JSON = new ObjectMapper();

  private ConfigSchema() {}

  /** Whether users of the chart may set it. */
  static boolean isTaken(String key) {
    return !NOT_TAKEN.contains(key)
        && !key.startsWith("standalone.")
        && !key.startsWith("cluster.tls.")
        && !key.matches(".*(secrets?|password|token)");
  }

  /** The schema of a tree of configuration keys. */
  static ObjectNode of(String reference) {
    ObjectNode root = section();
    var comment = new ArrayList<String>();
    var path = new ArrayList<String>();
    for (String line : reference.lines().toList()) {
      Matcher matcher = LINE.matcher(line);
      if (line.strip().startsWith("#")) {
        comment.add(line.strip().substring(1).strip());
      } else if (matcher.matches()) {
        while (path.size() > matcher.group(1).length() / 2) {
          path.removeLast();
        }
        path.add(matcher.group(2));
        if (matcher.group(3) != null && isTaken(String.join(".", path))) {
          put(root, path, value(String.join(" ", comment)));
        }
        comment.clear();
      } else {
        comment.clear();
      }
    }
    return root;
  }

  private static ObjectNode section() {
    ObjectNode section = JSON.createObjectNode();
    section.put("type", "object");
    section.put("additionalProperties", false);
    section.putObject("properties");
    return section;
  }

  private static void put(ObjectNode root, List<String> path, ObjectNode value) {
    ObjectNode at = root;
    for (String name : path.subList(0, path.size() - 1)) {
      ObjectNode properties = (ObjectNode) at.get("properties");
      if (!properties.has(name)) {
        properties.set(name, section());
      }
      at = (ObjectNode) properties.get(name);
    }
    ((ObjectNode) at.get("properties")).set(path.getLast(), value);
  }

  private static ObjectNode value(String comment) {
    int at = comment.lastIndexOf(EXPECTED);
    String expected = comment.substring(at + EXPECTED.length(), comment.length() - 1);
    ObjectNode value = JSON.createObjectNode();
    value.put("description", comment);
    Matcher range = RANGE.matcher(expected);
    Matcher choice = CHOICE.matcher(expected);
    if (range.matches()) {
      value.put("type", "integer");
      value.put("minimum", Long.parseLong(range.group(1)));
      value.put("maximum", Long.parseLong(range.group(2)));
    } else if (expected.equals("true or false")) {
      value.put("type", "boolean");
    } else if (choice.matches()) {
      value.put("type", "string");
      ArrayNode words = value.putArray("enum");
      for (String word : choice.group(1).split(", ", -1)) {
        words.add(word).add(word.toUpperCase(Locale.ROOT));
      }
    } else if (expected.startsWith("a list of")) {
      value.putArray("type").add("array").add("string");
      value.putObject("items").put("type", "string");
    } else {
      value.put("type", "string");
    }
    return value;
  }
}
